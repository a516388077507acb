package webhooks

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/webhook"
)

// Bounds of the calls of one webhook. So one slow receiver does not keep all workers busy.
const (
	// maxCalls is the most calls at the same time.
	maxCalls = 2
	// failing is after how many failed calls in a row a webhook rests after each further failure, and gets one call at a time.
	failing = 5
)

// claimTime is how long a worker has for a call that it claimed. It is more than callTimeout and settleTime together.
const claimTime = time.Minute

// delivery is one that this worker has claimed.
type delivery struct {
	ID         uuid.UUID
	WebhookID  uuid.UUID
	ReportID   uuid.UUID
	CommentID  *uuid.UUID
	Event      webhook.Event
	OccurredAt time.Time
	Snapshot   json.RawMessage
	Body       *string
	Attempts   int // the claim is this worker's as long as the row has the same number

	receiver receiver
}

// receiver is a webhook with its secrets, the present one first.
type receiver struct {
	URL      string
	Secret   []byte  // sealed
	Previous *[]byte // sealed; nil unless it still signs
}

const (
	lockReceiver = `SELECT url, secret, CASE WHEN previous_until > now() THEN previous_secret END FROM webhooks WHERE id = $1 FOR NO KEY UPDATE`

	// claimNext claims the delivery that has been due for longest. One waits for the earlier ones of its report. The webhook is locked
	// by a statement before, so that two workers do not exceed maxCalls together.
	claimNext = `
		UPDATE webhook_deliveries d SET claimed_until = now() + $2::interval, attempts = d.attempts + 1
		FROM (SELECT n.id FROM webhook_deliveries n JOIN webhooks w ON w.id = n.webhook_id
			WHERE n.webhook_id = $1 AND n.state = 'waiting' AND n.next_at <= now() AND (n.claimed_until IS NULL OR n.claimed_until <= now())
			  AND w.enabled AND (w.paused_until IS NULL OR w.paused_until <= now())
			  AND (SELECT count(*) FROM webhook_deliveries c WHERE c.webhook_id = $1 AND c.state = 'waiting' AND c.claimed_until > now())
			      < CASE WHEN w.failures >= $3 THEN 1 ELSE $4 END
			  AND NOT EXISTS (SELECT FROM webhook_deliveries e
			      WHERE e.webhook_id = $1 AND e.report_id = n.report_id AND e.state = 'waiting' AND e.seq < n.seq)
			ORDER BY n.next_at, n.seq LIMIT 1) next
		WHERE d.id = next.id
		RETURNING d.id, d.webhook_id, d.report_id, d.comment_id, d.event_type, d.occurred_at, d.snapshot, d.body, d.attempts`
)

// claim takes the next delivery of a webhook that is due; nil when there is none, or when others make the most calls already.
func (w *Worker) claim(ctx context.Context, id uuid.UUID) (*delivery, error) {
	var d *delivery
	err := w.outbox.Do(ctx, func(tx *outbox.Tx) error {
		to := database.AskOptional(tx, pgx.RowToStructByPos[receiver], lockReceiver, id)
		next := database.AskOptional(tx, scanDelivery, claimNext, id, claimTime, failing, maxCalls)
		if err := tx.Flush(ctx); err != nil {
			return err
		}
		if d = next.Get(); d != nil {
			d.receiver = *to.Get()
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("claim delivery: %w", err)
	}
	return d, nil
}

func scanDelivery(row pgx.CollectableRow) (delivery, error) {
	var d delivery
	err := row.Scan(&d.ID, &d.WebhookID, &d.ReportID, &d.CommentID, &d.Event, &d.OccurredAt, &d.Snapshot, &d.Body, &d.Attempts)
	return d, err
}
