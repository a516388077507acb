package admin

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/webhook"
)

func (g *Group) registerWebhookDeliveries(a *httpapi.API) {
	list := operation(http.MethodGet, "/webhooks/{id}/deliveries", "List the calls of a webhook",
		"The newest first: those that wait, those that were delivered in the last 7 days, and those that were given up in the last 30.")
	list.Aliases = page.Aliases()
	httpapi.Register(a, list.WithProblems(errWebhookNotFound), g.deliveries)

	redrive := operation(http.MethodPost, "/webhooks/{id}/deliveries/{d_id}/redrive", "Make a call again that was given up",
		"With the same id and body, for another day. Later events of the report wait for it.")
	redrive.DefaultStatus = http.StatusAccepted
	httpapi.Register(a, redrive.WithProblems(errDeliveryNotFound, errDeliveryNotParked, errWebhookOff), g.redriveDelivery)
}

// WebhookDelivery is a call of a webhook.
type WebhookDelivery struct {
	ID            uuid.UUID       `json:"id" doc:"As the receiver reads it in webhook-id"`
	Event         webhook.Event   `json:"event"`
	ReportID      uuid.UUID       `json:"report_id"`
	ReportNumber  string          `json:"report_number" example:"LS-2026-000123"`
	State         webhook.State   `json:"state" enum:"waiting,delivered,parked"`
	Attempts      int             `json:"attempts" doc:"Calls that were made"`
	LastStatus    *int            `json:"last_status" doc:"HTTP status of the last answer; null without one"`
	FailureReason *webhook.Fault  `json:"failure_reason" enum:"status,not_public,timeout,lookup,tls,connection,url,switched_off" doc:"Why the last call failed; null where none did"`
	OccurredAt    timestamp.Time  `json:"occurred_at" doc:"When the event happened"`
	NextAt        *timestamp.Time `json:"next_at" doc:"When the next call is due; null unless it waits"`
	SettledAt     *timestamp.Time `json:"settled_at" doc:"When it was delivered or given up"`
}

func scanWebhookDelivery(row pgx.CollectableRow) (WebhookDelivery, error) {
	var d WebhookDelivery
	var occurred time.Time
	var next, settled *time.Time
	err := row.Scan(&d.ID, &d.Event, &d.ReportID, &d.ReportNumber, &d.State, &d.Attempts, &d.LastStatus, &d.FailureReason, &occurred, &next, &settled)
	d.OccurredAt, d.NextAt, d.SettledAt = timestamp.Of(occurred), timestamp.OfPtr(next), timestamp.OfPtr(settled)
	return d, err
}

type deliveriesInput struct {
	ID uuid.UUID `path:"id" format:"uuid"`
	page.Query
	State string `query:"state" maxLength:"20" doc:"waiting, delivered or parked"`
}

type deliveriesOutput struct {
	Body page.Envelope[WebhookDelivery]
}

func (g *Group) deliveries(ctx context.Context, in *deliveriesInput) (*deliveriesOutput, error) {
	state, ok := webhook.ParseState(in.State)
	if in.State != "" && !ok {
		return nil, problem.InvalidField("state", "expected waiting, delivered or parked")
	}
	batch := &database.Batch{}
	database.AskRow(batch, pgx.RowTo[bool], `SELECT true FROM webhooks WHERE id = $1`, in.ID).Missing(errWebhookNotFound)
	const where = ` FROM webhook_deliveries d JOIN reports r ON r.id = d.report_id WHERE d.webhook_id = $1 AND ($2 = '' OR d.state = $2)`
	total := database.AskRow(batch, pgx.RowTo[int], `SELECT count(*) FROM webhook_deliveries d WHERE d.webhook_id = $1 AND ($2 = '' OR d.state = $2)`, in.ID, state)
	items := database.AskRows(batch, scanWebhookDelivery, `SELECT d.id, d.event_type, d.report_id, r.report_number, d.state, d.attempts, d.last_status, d.failure_reason, d.occurred_at,
		CASE WHEN d.state = 'waiting' THEN d.next_at END, d.settled_at`+where+` ORDER BY d.seq DESC LIMIT $3 OFFSET $4`, in.ID, state, in.Limit(), in.Offset())
	if err := batch.Send(ctx, g.db); err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	return &deliveriesOutput{Body: page.NewEnvelope(in.Query, items.Get(), total.Get())}, nil
}

type deliveryPath struct {
	ID         uuid.UUID `path:"id" format:"uuid"`
	DeliveryID uuid.UUID `path:"d_id" format:"uuid"`
}

// redriveDelivery has a parked delivery called again, for another day.
func (g *Group) redriveDelivery(ctx context.Context, in *deliveryPath) (*httpapi.MessageOutput, error) {
	err := g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		const lock = `SELECT w.enabled FROM webhooks w JOIN webhook_deliveries d ON d.webhook_id = w.id WHERE w.id = $1 AND d.id = $2 FOR NO KEY UPDATE`
		enabled := database.AskRow(tx, pgx.RowTo[bool], lock, in.ID, in.DeliveryID).Missing(errDeliveryNotFound)
		const again = `UPDATE webhook_deliveries d SET state = 'waiting', attempts = 0, next_at = now(), give_up_at = now() + interval '24 hours', settled_at = NULL
			FROM webhooks w WHERE w.id = d.webhook_id AND w.enabled AND d.id = $1 AND d.state = 'parked' RETURNING true`
		redriven := database.AskOptional(tx, pgx.RowTo[bool], again, in.DeliveryID)
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("redrive delivery: %w", err)
		}
		switch {
		case !enabled.Get():
			return errWebhookOff
		case redriven.Get() == nil:
			return errDeliveryNotParked
		}
		tx.Queue(`UPDATE webhooks SET paused_until = NULL WHERE id = $1`, in.ID)
		if err := tx.Send(ctx, queue.Webhooks, queue.WebhookMessage{WebhookID: in.ID}); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "webhook.redrive", Entity: "webhook", EntityID: in.ID.String(), After: map[string]any{"delivery_id": in.DeliveryID}})
	})
	if err != nil {
		return nil, err
	}
	return httpapi.Message(ctx, "admin.webhook_redriven"), nil
}
