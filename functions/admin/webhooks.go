package admin

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/webhook"
)

const (
	// maxWebhooks is the most webhooks: each event is stored once for each of them.
	maxWebhooks = 20
	// rotationTime is how long the former secret signs too.
	rotationTime = 24 * time.Hour
)

func (g *Group) registerWebhooks(a *httpapi.API) {
	httpapi.Register(a, operation(http.MethodGet, "/webhooks", "List the webhooks", "All of them, the newest first. Secrets are shown nowhere."), g.webhooks)

	create := operation(http.MethodPost, "/webhooks", "Add a webhook", "Its URL is called for each event of a report that it takes: see the guide about webhooks. At most 20. The answer shows the secret once. "+
		"A repeat with the same Idempotency-Key adds no second one and is answered without the secret; where the first answer was lost, rotate the secret.")
	create.DefaultStatus, create.Creates = http.StatusCreated, true
	httpapi.Register(a, create.WithProblems(errWebhookLimit), g.createWebhook)

	httpapi.Register(a, operation(http.MethodPatch, "/webhooks/{id}", "Change a webhook, or switch it off and on",
		"What is absent stays as it is. To switch it off parks what waits for it.").WithProblems(errWebhookNotFound), g.changeWebhook)
	httpapi.Register(a, operation(http.MethodDelete, "/webhooks/{id}", "Delete a webhook", "With its deliveries, also those that wait.").WithProblems(errWebhookNotFound), g.deleteWebhook)

	rotate := operation(http.MethodPost, "/webhooks/{id}/rotate", "Give a webhook another secret", "The answer shows it once. For 24 hours each call is signed with both secrets; "+
		"the one before the former is void at once.")
	rotate.Creates = true
	httpapi.Register(a, rotate.WithProblems(errWebhookNotFound), g.rotateWebhook)
	g.registerWebhookDeliveries(a)
}

// Webhook is a receiver of events.
type Webhook struct {
	ID                  uuid.UUID          `json:"id"`
	URL                 string             `json:"url" example:"https://hooks.example.tl/lafaek"`
	Events              []webhook.Event    `json:"events" doc:"Which events it takes"`
	Enabled             bool               `json:"enabled"`
	OffReason           *webhook.OffReason `json:"off_reason" enum:"admin,gone" doc:"Why it is off: switched off by an administrator, or its receiver answered 410; null while it is on"`
	Failures            int                `json:"failures" doc:"Calls that failed since the last one that was delivered"`
	PausedUntil         *timestamp.Time    `json:"paused_until" doc:"No call is made before: the receiver asked for it, or failed several times"`
	PreviousSecretUntil *timestamp.Time    `json:"previous_secret_until" doc:"Until when the former secret signs too; null where it does not"`
	Waiting             int                `json:"waiting" doc:"Deliveries that wait"`
	Parked              int                `json:"parked" doc:"Deliveries that were given up in the last 30 days"`
	CreatedAt           timestamp.Time     `json:"created_at"`
	UpdatedAt           timestamp.Time     `json:"updated_at"`
}

// WebhookWithSecret is a webhook in the answer that shows its secret.
type WebhookWithSecret struct {
	Webhook
	Secret string `json:"secret,omitempty" doc:"Shown in this answer and never again; a repeat of the request is answered without it" example:"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"`
}

const webhookColumns = `w.id, w.url, w.events, w.enabled, w.off_reason, w.failures, CASE WHEN w.paused_until > now() THEN w.paused_until END,
	CASE WHEN w.previous_until > now() THEN w.previous_until END,
	(SELECT count(*) FROM webhook_deliveries d WHERE d.webhook_id = w.id AND d.state = 'waiting'),
	(SELECT count(*) FROM webhook_deliveries d WHERE d.webhook_id = w.id AND d.state = 'parked'), w.created_at, w.updated_at`

func scanWebhook(row pgx.CollectableRow) (Webhook, error) {
	var w Webhook
	var created, updated time.Time
	var paused, previous *time.Time
	err := row.Scan(&w.ID, &w.URL, &w.Events, &w.Enabled, &w.OffReason, &w.Failures, &paused, &previous, &w.Waiting, &w.Parked, &created, &updated)
	w.PausedUntil, w.PreviousSecretUntil = timestamp.OfPtr(paused), timestamp.OfPtr(previous)
	w.CreatedAt, w.UpdatedAt = timestamp.Of(created), timestamp.Of(updated)
	return w, err
}

type webhooksOutput struct {
	Body struct {
		_     struct{}  `schema:"Webhooks"`
		Items []Webhook `json:"items"`
	}
}

func (g *Group) webhooks(ctx context.Context, _ *struct{}) (*webhooksOutput, error) {
	rows, err := g.db.Query(ctx, `SELECT `+webhookColumns+` FROM webhooks w ORDER BY w.created_at DESC, w.id`)
	if err != nil {
		return nil, fmt.Errorf("list webhooks: %w", err)
	}
	out := &webhooksOutput{}
	if out.Body.Items, err = pgx.CollectRows(rows, scanWebhook); err != nil {
		return nil, fmt.Errorf("list webhooks: %w", err)
	}
	return out, nil
}

// webhookBody is a webhook as sent; what is absent stays as it is.
type webhookBody struct {
	URL     *string   `json:"url,omitempty" maxLength:"2048" doc:"Begins with https://, of a public address. Redirects are not followed" example:"https://hooks.example.tl/lafaek"`
	Events  *[]string `json:"events,omitempty" minItems:"1" maxItems:"20" doc:"report.created, report.verified, report.status_changed, report.assigned, report.removed, report.disputed, comment.added" example:"[\"report.verified\", \"report.status_changed\"]"`
	Enabled *bool     `json:"enabled,omitempty" doc:"false switches it off"`
}

// onto checks the body and writes it to a webhook.
func (b *webhookBody) onto(ctx context.Context, g *Group, w *Webhook) error {
	if b.URL != nil && (*b.URL != w.URL || w.URL == "") {
		if err := g.checkURL(ctx, *b.URL); err != nil {
			return err
		}
		w.URL, w.Failures, w.PausedUntil = *b.URL, 0, nil // those of the former address
	}
	if b.Events != nil {
		if w.Events = nil; len(*b.Events) == 0 {
			return problem.InvalidField("events", "expected events that webhooks can take")
		}
		for _, word := range *b.Events {
			e, ok := webhook.ParseEvent(word)
			if !ok {
				return problem.InvalidField("events", "expected events that webhooks can take")
			}
			if !slices.Contains(w.Events, e) {
				w.Events = append(w.Events, e)
			}
		}
	}
	if b.Enabled != nil && *b.Enabled != w.Enabled {
		off := webhook.OffByAdmin
		if w.Enabled, w.OffReason = *b.Enabled, &off; w.Enabled {
			w.OffReason, w.Failures, w.PausedUntil = nil, 0, nil
		}
	}
	return nil
}

type createWebhookInput struct {
	Body struct {
		_ struct{} `schema:"WebhookCreate"`
		webhookBody
	}
}

type webhookSecretOutput struct {
	Body WebhookWithSecret
}

// createWebhook adds a webhook. What is stored for a repeat of the request has no secret in it.
func (g *Group) createWebhook(ctx context.Context, in *createWebhookInput) (*webhookSecretOutput, error) {
	now, secret := stamp(g.clock.Now()), webhook.NewSecret()
	w := Webhook{ID: database.NewID(), Enabled: true, CreatedAt: now, UpdatedAt: now}
	switch {
	case in.Body.URL == nil:
		return nil, problem.InvalidField("url", "expected to be there")
	case in.Body.Events == nil:
		return nil, problem.InvalidField("events", "expected to be there")
	}
	if err := in.Body.onto(ctx, g, &w); err != nil {
		return nil, err
	}
	err := g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		const insert = `INSERT INTO webhooks (id, url, events, enabled, off_reason, secret, created_at, updated_at)
			SELECT $1, $2, $3, $4, $5, $6, $7, $7 WHERE (SELECT count(*) FROM webhooks) < $8 RETURNING true`
		added := database.AskOptional(tx, pgx.RowTo[bool], insert, w.ID, w.URL, w.Events, w.Enabled, w.OffReason, g.sealer.Seal(webhook.SealPurpose, secret), now.Time, maxWebhooks)
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("add webhook: %w", err)
		}
		if added.Get() == nil {
			return errWebhookLimit
		}
		if err := audit.Record(ctx, tx, audit.Entry{Action: "webhook.create", Entity: "webhook", EntityID: w.ID.String(), After: auditedWebhook(w)}); err != nil {
			return err
		}
		return httpapi.RecordAnswer(ctx, tx, http.StatusCreated, WebhookWithSecret{Webhook: w})
	})
	if err != nil {
		return nil, err
	}
	return &webhookSecretOutput{Body: WebhookWithSecret{Webhook: w, Secret: secret.Text()}}, nil
}

// auditedWebhook is a webhook as the audit log has it.
func auditedWebhook(w Webhook) map[string]any {
	return map[string]any{"host": webhook.Host(w.URL), "events": w.Events, "enabled": w.Enabled}
}
