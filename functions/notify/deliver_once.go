package notify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/database"
)

// deliveryState is the state of a delivery in notification_deliveries. After leaseFor without a change, another run may
// claim a claimed delivery, because nothing was sent. After the same time a sending delivery becomes unknown.
type deliveryState string

// The states of a delivery.
const (
	// A run works on it, and nothing was sent.
	claimed deliveryState = "claimed"
	// The request to the service is under way, and the service may have accepted it.
	sending deliveryState = "sending"
	// The service accepted it.
	sent deliveryState = "sent"
	// The service did not accept it, and it will be tried again.
	delayed deliveryState = "delayed"
	// The service refused it, and it will not be tried again.
	failed deliveryState = "failed"
	// Nobody knows whether the service accepted it, so it will not be tried again.
	unknown deliveryState = "unknown"
	// The reader does not want notifications of this type by this channel.
	skipped deliveryState = "skipped"
	// It goes with the mail of a later hour.
	waiting deliveryState = "waiting"
	// It goes with the mail of another notification, which is named in gathered_by.
	gathered deliveryState = "gathered"
)

// leaseFor is how long a run can work on a delivery at most: the timeout of the function.
const leaseFor = catalog.NotifyTimeout

// errBusy means that another run works on the delivery, or died less than leaseFor
// ago. The message is retried.
var errBusy = errors.New("another run works on this delivery")

// errLeaseLost means that the lease of this run has ended and another run has claimed
// the delivery. This run must not send.
var errLeaseLost = errors.New("another run has claimed this delivery")

// delivery is one notification by one channel to one recipient, claimed by one run.
type delivery struct {
	notification       uuid.UUID
	channel, recipient string // recipient is a device's id; empty for mail
	attempt            int    // differs for each run that claims the delivery
}

// deliverOnce calls send, unless the delivery is finished, another run works on it, or readerWants is false.
// It returns an error only if the delivery must be tried again; a delivery that failed
// for good returns nil.
func (w *Worker) deliverOnce(ctx context.Context, n notice, channel, recipient string, readerWants bool, send func(handOver) error) error {
	d := delivery{notification: n.id, channel: channel, recipient: recipient}
	mine, err := w.claim(ctx, w.db, &d, readerWants)
	if err != nil || !mine || !readerWants {
		return err
	}
	return w.finish(ctx, d, send)
}

// finish sends a claimed delivery and records the outcome. Its error is that of deliverOnce.
func (w *Worker) finish(ctx context.Context, d delivery, send func(handOver) error) error {
	failure := send(func(ctx context.Context) error { return w.setState(ctx, d, claimed, sending) })
	state := stateAfter(failure)
	w.metrics.Add(metricOf(d.channel, state))
	if failure != nil {
		w.log.WarnContext(ctx, "notification not delivered", "channel", d.channel, "notification_id", d.notification, "error", failure)
	}
	// The outcome is recorded even if the time for this message is over.
	if err := w.record(context.WithoutCancel(ctx), d, state, failure); err != nil {
		return err
	}
	if state == delayed {
		return failure
	}
	return nil
}

// metricOf returns the metric that counts deliveries by channel with an outcome: sent, delayed, failed or unknown.
func metricOf(channel string, state deliveryState) catalog.Metric {
	byState := map[deliveryState]catalog.Metric{sent: catalog.NotifyPushSent, delayed: catalog.NotifyPushDelayed,
		failed: catalog.NotifyPushFailed, unknown: catalog.NotifyPushUnknown}
	if channel == byMail {
		byState = map[deliveryState]catalog.Metric{sent: catalog.NotifyMailSent, delayed: catalog.NotifyMailDelayed,
			failed: catalog.NotifyMailFailed, unknown: catalog.NotifyMailUnknown}
	}
	return byState[state]
}

// stateAfter returns the state of a delivery after send returned failure.
func stateAfter(failure error) deliveryState {
	if failure == nil {
		return sent
	}
	switch kindOf(failure) {
	case Delayed:
		return delayed
	case Unknown:
		return unknown
	}
	return failed
}

// claim claims the delivery for this run and reports whether it could. It returns
// false if the delivery is finished, and errBusy if another run may be working on it. It
// records the delivery as skipped if readerWants is false.
func (w *Worker) claim(ctx context.Context, q database.Querier, d *delivery, readerWants bool) (bool, error) {
	first := claimed
	if !readerWants {
		first = skipped
	}
	const take = `
		INSERT INTO notification_deliveries (notification_id, channel, recipient, state, attempts) VALUES ($1, $2, $3, $4, 1)
		ON CONFLICT (notification_id, channel, recipient) DO UPDATE SET state = excluded.state,
			attempts = notification_deliveries.attempts + 1, updated_at = now()
		WHERE notification_deliveries.state IN ('delayed', 'waiting')
		   OR notification_deliveries.state = 'claimed' AND notification_deliveries.updated_at < now() - $5::interval
		RETURNING attempts`
	err := q.QueryRow(ctx, take, d.notification, d.channel, d.recipient, first, leaseFor).Scan(&d.attempt)
	if err == nil {
		return true, nil
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return false, fmt.Errorf("claim delivery by %s: %w", d.channel, err)
	}
	return false, w.checkUnclaimed(ctx, q, *d)
}

// checkUnclaimed handles a delivery that could not be claimed. If its run died while
// sending, it sets the state unknown. If another run may still work on it, it returns
// errBusy. It returns nil if the delivery is finished.
func (w *Worker) checkUnclaimed(ctx context.Context, q database.Querier, d delivery) error {
	const settle = `
		UPDATE notification_deliveries SET state = 'unknown', error = 'the worker died while sending', updated_at = now()
		WHERE notification_id = $1 AND channel = $2 AND recipient = $3 AND state = 'sending' AND updated_at < now() - $4::interval`
	tag, err := q.Exec(ctx, settle, d.notification, d.channel, d.recipient, leaseFor)
	if err != nil {
		return fmt.Errorf("end delivery by %s: %w", d.channel, err)
	}
	if tag.RowsAffected() > 0 {
		w.metrics.Add(metricOf(d.channel, unknown))
		return nil
	}
	var open bool
	const ask = `SELECT EXISTS (SELECT FROM notification_deliveries
		WHERE notification_id = $1 AND channel = $2 AND recipient = $3 AND state IN ('claimed', 'sending', 'delayed'))`
	if err := q.QueryRow(ctx, ask, d.notification, d.channel, d.recipient).Scan(&open); err != nil {
		return fmt.Errorf("read delivery by %s: %w", d.channel, err)
	}
	if open {
		return errBusy
	}
	return nil
}

// setState changes the state from one to another. It returns errLeaseLost if another
// run has claimed the delivery.
func (w *Worker) setState(ctx context.Context, d delivery, from, to deliveryState) error {
	const q = `UPDATE notification_deliveries SET state = $5, updated_at = now()
		WHERE notification_id = $1 AND channel = $2 AND recipient = $3 AND attempts = $4 AND state = $6`
	tag, err := w.db.Exec(ctx, q, d.notification, d.channel, d.recipient, d.attempt, to, from)
	if err != nil {
		return fmt.Errorf("mark delivery by %s: %w", d.channel, err)
	}
	if tag.RowsAffected() == 0 {
		return errLeaseLost
	}
	return nil
}

// maxRecordTries is how often record tries. The pool replaces a broken connection, so
// the second try usually succeeds.
const maxRecordTries = 3

// record stores the outcome of the delivery, unless another run has claimed it.
func (w *Worker) record(ctx context.Context, d delivery, state deliveryState, failure error) error {
	var why *string
	if failure != nil {
		text := failure.Error()
		why = &text
	}
	const q = `UPDATE notification_deliveries SET state = $5, error = $6, updated_at = now()
		WHERE notification_id = $1 AND channel = $2 AND recipient = $3 AND attempts = $4 AND state IN ('claimed', 'sending')`
	var err error
	for n := range maxRecordTries {
		time.Sleep(time.Duration(n) * 200 * time.Millisecond)
		if _, err = w.db.Exec(ctx, q, d.notification, d.channel, d.recipient, d.attempt, state, why); err == nil {
			return nil
		}
	}
	return fmt.Errorf("record delivery by %s: %w", d.channel, err)
}
