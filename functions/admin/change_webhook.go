package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/outbound"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/webhook"
)

// checkURL refuses a URL that cannot be called, or whose host has a private address now. The worker checks again at each call.
func (g *Group) checkURL(ctx context.Context, text string) error {
	err := g.client.CheckURL(text)
	if err == nil {
		if u, malformed := url.Parse(text); malformed == nil {
			err = g.client.CheckHost(ctx, u.Hostname())
		}
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, outbound.ErrNotPublic):
		return problem.InvalidField("url", "expected a public address")
	case errors.Is(err, outbound.ErrUserInfo):
		return problem.InvalidField("url", "expected an address without user name and password")
	}
	return problem.InvalidField("url", "expected an address that begins with https://")
}

// lockWebhook locks a webhook in a pipeline, which fails with a 404 for one that is not there. Deliveries to it can be stored meanwhile.
func lockWebhook(p database.Pipeline, id uuid.UUID) *database.Ask[Webhook] {
	return database.AskRow(p, scanWebhook, `SELECT `+webhookColumns+` FROM webhooks w WHERE w.id = $1 FOR NO KEY UPDATE`, id).Missing(errWebhookNotFound)
}

type changeWebhookInput struct {
	ID   uuid.UUID `path:"id" format:"uuid"`
	Body struct {
		_ struct{} `schema:"WebhookChange"`
		webhookBody
	}
}

type webhookPath struct {
	ID uuid.UUID `path:"id" format:"uuid"`
}

type webhookOutput struct {
	Body Webhook
}

func (g *Group) changeWebhook(ctx context.Context, in *changeWebhookInput) (*webhookOutput, error) {
	out := &webhookOutput{}
	err := g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		locked := lockWebhook(tx, in.ID)
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("lock webhook: %w", err)
		}
		before, w := locked.Get(), locked.Get()
		if err := in.Body.onto(ctx, g, &w); err != nil {
			return err
		}
		if out.Body = w; reflect.DeepEqual(before, w) {
			return nil
		}
		out.Body.UpdatedAt = stamp(g.clock.Now())
		const update = `UPDATE webhooks SET url = $2, events = $3, enabled = $4, off_reason = $5, updated_at = $6,
			failures = CASE WHEN enabled AND url = $2 THEN failures ELSE 0 END, paused_until = CASE WHEN enabled AND url = $2 THEN paused_until END WHERE id = $1`
		tx.Queue(update, w.ID, w.URL, w.Events, w.Enabled, w.OffReason, out.Body.UpdatedAt.Time)
		if before.Enabled && !w.Enabled {
			const park = `UPDATE webhook_deliveries SET state = 'parked', settled_at = now(), claimed_until = NULL, failure_reason = $2 WHERE webhook_id = $1 AND state = 'waiting'`
			tx.Queue(park, w.ID, webhook.SwitchedOff)
			out.Body.Waiting, out.Body.Parked = 0, w.Parked+w.Waiting
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "webhook.change", Entity: "webhook", EntityID: w.ID.String(), Before: auditedWebhook(before), After: auditedWebhook(w)})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (g *Group) deleteWebhook(ctx context.Context, in *webhookPath) (*httpapi.MessageOutput, error) {
	err := g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		locked := lockWebhook(tx, in.ID)
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("lock webhook: %w", err)
		}
		// Whoever reports waits for the second statement alone.
		tx.Queue(`DELETE FROM webhook_deliveries WHERE webhook_id = $1`, in.ID)
		tx.Queue(`DELETE FROM webhooks WHERE id = $1`, in.ID)
		return audit.Record(ctx, tx, audit.Entry{Action: "webhook.delete", Entity: "webhook", EntityID: in.ID.String(), Before: auditedWebhook(locked.Get())})
	})
	if err != nil {
		return nil, err
	}
	return httpapi.Message(ctx, "admin.webhook_deleted"), nil
}

func (g *Group) rotateWebhook(ctx context.Context, in *webhookPath) (*webhookSecretOutput, error) {
	secret, now := webhook.NewSecret(), stamp(g.clock.Now())
	until := timestamp.Of(now.Add(rotationTime))
	var w Webhook
	err := g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		locked := lockWebhook(tx, in.ID)
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("lock webhook: %w", err)
		}
		w = locked.Get()
		w.UpdatedAt, w.PreviousSecretUntil = now, &until
		tx.Queue(`UPDATE webhooks SET previous_secret = secret, previous_until = $3, secret = $2, updated_at = $4 WHERE id = $1`,
			w.ID, g.sealer.Seal(webhook.SealPurpose, secret), until.Time, now.Time)
		if err := audit.Record(ctx, tx, audit.Entry{Action: "webhook.rotate", Entity: "webhook", EntityID: w.ID.String(), After: auditedWebhook(w)}); err != nil {
			return err
		}
		return httpapi.RecordAnswer(ctx, tx, http.StatusOK, WebhookWithSecret{Webhook: w})
	})
	if err != nil {
		return nil, err
	}
	return &webhookSecretOutput{Body: WebhookWithSecret{Webhook: w, Secret: secret.Text()}}, nil
}
