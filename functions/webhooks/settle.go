package webhooks

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/webhook"
)

// waits are how long a delivery waits after each failed call; the last one holds for all later calls. So it has about 28 calls in the day
// before it is parked. A webhook that counts as failing rests as long after each further failure, beginning with the first.
func waits() []time.Duration {
	return []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour}
}

// waitAfter is how long a delivery waits after its n-th call failed. n counts from 1.
func waitAfter(n int) time.Duration {
	all := waits()
	return all[min(n, len(all))-1]
}

// settle records what came of a call. A worker whose claim ended meanwhile records nothing: another one makes the call again.
func (w *Worker) settle(ctx context.Context, d *delivery, r result) error {
	var err error
	switch {
	case r.fault == "":
		err = w.delivered(ctx, d, r)
	case r.status == http.StatusGone:
		err = w.gone(ctx, d)
	default:
		err = w.failed(ctx, d, r)
	}
	if err != nil {
		return fmt.Errorf("settle delivery: %w", err)
	}
	return nil
}

func (w *Worker) delivered(ctx context.Context, d *delivery, r result) error {
	return w.outbox.Do(ctx, func(tx *outbox.Tx) error {
		const done = `UPDATE webhook_deliveries SET state = 'delivered', settled_at = now(), claimed_until = NULL, snapshot = NULL, body = NULL,
			last_status = $3, failure_reason = NULL WHERE id = $1 AND state = 'waiting' AND attempts = $2`
		tx.Queue(done, d.ID, d.Attempts, r.status)
		tx.Queue(`UPDATE webhooks SET failures = 0, paused_until = NULL WHERE id = $1 AND failures > 0`, d.WebhookID)
		return nil
	})
}

const (
	// countFailure counts a failed call of a webhook. It rests if the receiver asked for a pause, or after several failures in a row.
	countFailure = `UPDATE webhooks SET failures = failures + 1, paused_until = CASE
			WHEN $2::interval > interval '0' THEN greatest(paused_until, now() + $2)
			WHEN failures + 1 >= $3 THEN greatest(paused_until, now() + ($4::interval[])[least(failures + 2 - $3, cardinality($4::interval[]))])
			ELSE paused_until END
		WHERE id = $1 RETURNING failures, greatest(paused_until - now(), interval '0')`

	// postpone has a delivery wait for its next call, or parks it when its day is over. The last call is made at the end of the day.
	postpone = `UPDATE webhook_deliveries SET claimed_until = NULL, last_status = nullif($3, 0), failure_reason = $4,
		next_at = least(now() + $5::interval, greatest(give_up_at, now())),
		state = CASE WHEN now() >= give_up_at THEN 'parked' ELSE 'waiting' END, settled_at = CASE WHEN now() >= give_up_at THEN now() END
		WHERE id = $1 AND state = 'waiting' AND attempts = $2 RETURNING state = 'parked'`
)

// failed has a delivery wait, or parks it when its day is over; with it what else is over its day, if the webhook failed several times
// in a row.
func (w *Worker) failed(ctx context.Context, d *delivery, r result) error {
	w.metrics.Add(catalog.WebhookCallFailed)
	wait := max(waitAfter(d.Attempts), r.retryAfter)
	var parked int
	err := w.outbox.Do(ctx, func(tx *outbox.Tx) error {
		counted := database.AskOptional(tx, pgx.RowToStructByPos[rest], countFailure, d.WebhookID, r.retryAfter, failing, waits())
		own := database.AskOptional(tx, pgx.RowTo[bool], postpone, d.ID, d.Attempts, r.status, r.fault, wait)
		if err := tx.Flush(ctx); err != nil {
			return err
		}
		parked = 0
		if counted.Get() == nil || own.Get() == nil {
			return nil // the claim ended, or the webhook was switched off or removed
		}
		if *own.Get() {
			parked = 1
		}
		hook := *counted.Get()
		if hook.Failures >= failing {
			others, err := parkOverdue(ctx, tx, d.WebhookID)
			if err != nil {
				return err
			}
			parked += others
		}
		return continueAfter(ctx, tx, d.WebhookID, cmp.Or(hook.pause(), wait))
	})
	if err != nil {
		return err
	}
	w.parked(parked)
	return nil
}

// rest is how often a webhook failed in a row, and how long it rests; nil for no rest.
type rest struct {
	Failures int
	For      *time.Duration
}

func (r rest) pause() time.Duration {
	if r.For == nil {
		return 0
	}
	return *r.For
}

// continueAfter sends a message for the next calls of a webhook. Beyond the longest delay of a queue relay sends it.
func continueAfter(ctx context.Context, tx *outbox.Tx, id uuid.UUID, wait time.Duration) error {
	wait = wait.Truncate(time.Second) + time.Second
	if wait > catalog.MaxDelay {
		return nil
	}
	return tx.SendAfter(ctx, queue.Webhooks, queue.WebhookMessage{WebhookID: id}, wait)
}

// parkOverdue parks what a failing webhook did not take within its day.
func parkOverdue(ctx context.Context, tx *outbox.Tx, id uuid.UUID) (int, error) {
	const q = `UPDATE webhook_deliveries SET state = 'parked', settled_at = now(), failure_reason = coalesce(failure_reason, 'connection')
		WHERE webhook_id = $1 AND state = 'waiting' AND give_up_at <= now() AND claimed_until IS NULL`
	tag, err := tx.Exec(ctx, q, id)
	if err != nil {
		return 0, fmt.Errorf("park overdue deliveries: %w", err)
	}
	return int(tag.RowsAffected()), nil
}

// parked counts parked deliveries, for the alarm.
func (w *Worker) parked(n int) {
	if n > 0 {
		w.metrics.Put(catalog.WebhookParked, float64(n))
	}
}

// gone switches a webhook off whose receiver answered 410, parks what waits for it, and tells the administrators. If an administrator has
// given it another URL during the call, the delivery goes there after its claim has ended.
func (w *Worker) gone(ctx context.Context, d *delivery) error {
	var parked int
	err := w.outbox.Do(ctx, func(tx *outbox.Tx) error {
		const off = `UPDATE webhooks SET enabled = false, off_reason = 'gone', failures = failures + 1, updated_at = now() WHERE id = $1 AND enabled AND url = $2 RETURNING true`
		switched := database.AskOptional(tx, pgx.RowTo[bool], off, d.WebhookID, d.receiver.URL)
		const own = `UPDATE webhook_deliveries SET last_status = $3, failure_reason = $4 WHERE id = $1 AND state = 'waiting' AND attempts = $2`
		tx.Queue(own, d.ID, d.Attempts, http.StatusGone, webhook.BadStatus)
		const park = `UPDATE webhook_deliveries SET state = 'parked', settled_at = now(), claimed_until = NULL, failure_reason = CASE WHEN id = $2 THEN failure_reason ELSE $3 END
			WHERE webhook_id = $1 AND state = 'waiting' AND NOT (SELECT enabled FROM webhooks WHERE id = $1) RETURNING id`
		all := database.AskRows(tx, pgx.RowTo[uuid.UUID], park, d.WebhookID, d.ID, webhook.SwitchedOff)
		admins := database.AskRows(tx, pgx.RowTo[uuid.UUID], `SELECT id FROM users WHERE role = 'admin' AND deleted_at IS NULL AND suspended_at IS NULL ORDER BY id`)
		if err := tx.Flush(ctx); err != nil {
			return err
		}
		parked = len(all.Get())
		if switched.Get() == nil {
			return nil
		}
		return notification.AddEach(tx, noticesOf(d, admins.Get(), w.clock.Now()), false)
	})
	if err != nil {
		return err
	}
	w.parked(parked)
	return nil
}

// noticesOf are the notifications that a webhook was switched off.
func noticesOf(d *delivery, admins []uuid.UUID, at time.Time) []notification.New {
	out := make([]notification.New, 0, len(admins))
	for _, id := range admins {
		out = append(out, notification.New{UserID: id, Type: notification.Announcement, EventKey: fmt.Sprintf("webhook_off:%s:%d", d.ID, d.Attempts),
			Params: map[string]string{notification.ParamAnnouncement: "webhook_off", "host": webhook.Host(d.receiver.URL)}})
	}
	return out
}

// drop removes a delivery whose event is not public.
func (w *Worker) drop(ctx context.Context, d *delivery) error {
	if _, err := w.outbox.DB().Exec(ctx, `DELETE FROM webhook_deliveries WHERE id = $1 AND attempts = $2`, d.ID, d.Attempts); err != nil {
		return fmt.Errorf("drop delivery: %w", err)
	}
	return nil
}
