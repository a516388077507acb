package notify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/catalog"
)

// deliveryState is how far a delivery is, as notification_deliveries.state has it. After leaseFor without progress a
// claimed delivery is free for another run, because nothing was sent; a sending one becomes unknown.
type deliveryState string

// The states of a delivery.
const (
	claimed deliveryState = "claimed" // a run works on it; nothing was sent
	sending deliveryState = "sending" // the mail or push service may have it at any moment
	sent    deliveryState = "sent"
	delayed deliveryState = "delayed" // the service did not take it; it is tried again
	failed  deliveryState = "failed"  // the service refused it for good
	unknown deliveryState = "unknown" // the service may have it; it is not tried again
	skipped deliveryState = "skipped" // the reader does not want it
)

// leaseFor is how long a run can work on a delivery: the timeout of the function.
const leaseFor = catalog.NotifyTimeout

// errBusy has a message come back: another run is at its delivery, or died there a moment ago.
var errBusy = errors.New("another run is at this delivery")

// errLeaseLost forbids a run to go on that was taken for dead.
var errLeaseLost = errors.New("another run has taken over")

// delivery is one notification by one channel to one recipient, as one run has claimed it.
type delivery struct {
	notification       uuid.UUID
	channel, recipient string
	attempt            int // of the run that claimed it; another run has another
}

// once sends unless that has been done, or is being done. Only what will be done
// by a later message is an error: everything else is as done as it will get.
func (w *Worker) once(ctx context.Context, it item, channel, recipient string, wanted bool, send func(handOver) error) error {
	d := delivery{notification: it.id, channel: channel, recipient: recipient}
	mine, err := w.claim(ctx, &d, wanted)
	if err != nil || !mine || !wanted {
		return err
	}
	failure := send(func(ctx context.Context) error { return w.move(ctx, d, claimed, sending) })
	state := stateAfter(failure)
	w.metrics.Add(metricOf(channel, state))
	if failure != nil {
		w.log.WarnContext(ctx, "notification not delivered", "channel", channel, "notification_id", it.id, "error", failure)
	}
	// What happened is written down even when the time for this message is up.
	if err := w.record(context.WithoutCancel(ctx), d, state, failure); err != nil {
		return err
	}
	if state == delayed {
		return failure
	}
	return nil
}

// metricOf is the metric that counts deliveries by a channel that ended in a state: sent, delayed, failed or unknown.
func metricOf(channel string, state deliveryState) catalog.Metric {
	byState := map[deliveryState]catalog.Metric{sent: catalog.NotifyPushSent, delayed: catalog.NotifyPushDelayed,
		failed: catalog.NotifyPushFailed, unknown: catalog.NotifyPushUnknown}
	if channel == byMail {
		byState = map[deliveryState]catalog.Metric{sent: catalog.NotifyMailSent, delayed: catalog.NotifyMailDelayed,
			failed: catalog.NotifyMailFailed, unknown: catalog.NotifyMailUnknown}
	}
	return byState[state]
}

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

// claim makes the delivery this run's, and reports whether it is. It is not when
// it is finished; errBusy when it may not be.
func (w *Worker) claim(ctx context.Context, d *delivery, wanted bool) (bool, error) {
	first := claimed
	if !wanted {
		first = skipped
	}
	const take = `
		INSERT INTO notification_deliveries (notification_id, channel, recipient, state, attempts) VALUES ($1, $2, $3, $4, 1)
		ON CONFLICT (notification_id, channel, recipient) DO UPDATE SET state = excluded.state,
			attempts = notification_deliveries.attempts + 1, updated_at = now()
		WHERE notification_deliveries.state = 'delayed'
		   OR notification_deliveries.state = 'claimed' AND notification_deliveries.updated_at < now() - $5::interval
		RETURNING attempts`
	err := w.db.QueryRow(ctx, take, d.notification, d.channel, d.recipient, first, leaseFor).Scan(&d.attempt)
	if err == nil {
		return true, nil
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return false, fmt.Errorf("claim delivery by %s: %w", d.channel, err)
	}
	return false, w.finished(ctx, *d)
}

// finished ends a delivery whose run died when the service may have had it, and
// is errBusy while one may still be under way.
func (w *Worker) finished(ctx context.Context, d delivery) error {
	const settle = `
		UPDATE notification_deliveries SET state = 'unknown', error = 'the worker died before it knew', updated_at = now()
		WHERE notification_id = $1 AND channel = $2 AND recipient = $3 AND state = 'sending' AND updated_at < now() - $4::interval`
	tag, err := w.db.Exec(ctx, settle, d.notification, d.channel, d.recipient, leaseFor)
	if err != nil {
		return fmt.Errorf("settle delivery by %s: %w", d.channel, err)
	}
	if tag.RowsAffected() > 0 {
		w.metrics.Add(metricOf(d.channel, unknown))
		return nil
	}
	var open bool
	const ask = `SELECT EXISTS (SELECT FROM notification_deliveries
		WHERE notification_id = $1 AND channel = $2 AND recipient = $3 AND state IN ('claimed', 'sending', 'delayed'))`
	if err := w.db.QueryRow(ctx, ask, d.notification, d.channel, d.recipient).Scan(&open); err != nil {
		return fmt.Errorf("look at delivery by %s: %w", d.channel, err)
	}
	if open {
		return errBusy
	}
	return nil
}

// move takes the delivery a state on, if it is still this run's.
func (w *Worker) move(ctx context.Context, d delivery, from, to deliveryState) error {
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

// recordings is how often record tries: a broken connection is replaced at once.
const recordings = 3

// record writes down how the delivery ended, unless another run has taken it over.
func (w *Worker) record(ctx context.Context, d delivery, state deliveryState, failure error) error {
	var why *string
	if failure != nil {
		text := failure.Error()
		why = &text
	}
	const q = `UPDATE notification_deliveries SET state = $5, error = $6, updated_at = now()
		WHERE notification_id = $1 AND channel = $2 AND recipient = $3 AND attempts = $4 AND state IN ('claimed', 'sending')`
	var err error
	for n := range recordings {
		time.Sleep(time.Duration(n) * 200 * time.Millisecond)
		if _, err = w.db.Exec(ctx, q, d.notification, d.channel, d.recipient, d.attempt, state, why); err == nil {
			return nil
		}
	}
	return fmt.Errorf("record delivery by %s: %w", d.channel, err)
}
