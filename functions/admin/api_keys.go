package admin

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/apikey"
	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

func (g *Group) registerAPIKeys(a *httpapi.API) {
	list := operation(http.MethodGet, "/api-keys", "List the API keys", "The newest first, with those that were revoked. The keys themselves are shown nowhere.")
	list.Aliases = page.Aliases()
	httpapi.Register(a, list, g.apiKeys)

	create := operation(http.MethodPost, "/api-keys", "Make an API key",
		"Another system sends it as api_key when it files reports or updates over Open311. The answer shows the key once: it is stored as a hash. "+
			"A repeat with the same Idempotency-Key makes no second key and is answered without the key; where the first answer was lost, revoke the key and make another.")
	create.DefaultStatus, create.Creates = http.StatusCreated, true
	httpapi.Register(a, create, g.createAPIKey)

	httpapi.Register(a, operation(http.MethodDelete, "/api-keys/{id}", "Revoke an API key",
		"It is refused from then on, everywhere within 30 seconds. What came with it stays. To revoke it again changes nothing.").WithProblems(errAPIKeyNotFound), g.revokeAPIKey)
}

// defaultPerMinute is how many writing requests a key may make in a minute where its administrator does not say.
const defaultPerMinute = 60

// APIKey is the key of another system. It is never shown again.
type APIKey struct {
	ID           uuid.UUID       `json:"id"`
	Name         string          `json:"name" doc:"Of the other system; everybody reads it beside the updates that come with the key" example:"FixMyStreet Dili"`
	ContactEmail string          `json:"contact_email" doc:"Of whoever runs the other system; for administrators alone"`
	PerMinute    int             `json:"per_minute" doc:"How many requests that write it may make in a minute"`
	CreatedAt    timestamp.Time  `json:"created_at"`
	RevokedAt    *timestamp.Time `json:"revoked_at" doc:"null while it works"`
	LastUsedAt   *timestamp.Time `json:"last_used_at" doc:"To the hour; null if it was never used"`
	ReportsCount int             `json:"reports_count" doc:"How many reports were filed with it, also those that were taken down since"`
}

// CreatedAPIKey is a key in the answer that shows it.
type CreatedAPIKey struct {
	APIKey
	Key string `json:"key,omitempty" doc:"Shown in this answer and never again; a repeat of the request is answered without it" example:"lsk_kVh2…"`
}

const apiKeyColumns = `k.id, k.name, k.contact_email::text, k.per_minute, k.created_at, k.revoked_at, k.last_used_at,
	(SELECT count(*) FROM reports r WHERE r.api_key_id = k.id)`

func scanAPIKey(row pgx.CollectableRow) (APIKey, error) {
	var k APIKey
	var created time.Time
	var revoked, used *time.Time
	err := row.Scan(&k.ID, &k.Name, &k.ContactEmail, &k.PerMinute, &created, &revoked, &used, &k.ReportsCount)
	k.CreatedAt, k.RevokedAt, k.LastUsedAt = timestamp.Of(created), timestamp.OfPtr(revoked), timestamp.OfPtr(used)
	return k, err
}

type apiKeysInput struct {
	page.Query
}

type apiKeysOutput struct {
	Body page.Envelope[APIKey]
}

func (g *Group) apiKeys(ctx context.Context, in *apiKeysInput) (*apiKeysOutput, error) {
	items, total, err := database.Page(ctx, g.db, `SELECT count(*) FROM api_keys`,
		`SELECT `+apiKeyColumns+` FROM api_keys k ORDER BY k.created_at DESC, k.id DESC LIMIT $1 OFFSET $2`, 0, scanAPIKey, in.Limit(), in.Offset())
	if err != nil {
		return nil, fmt.Errorf("list API keys: %w", err)
	}
	return &apiKeysOutput{Body: page.NewEnvelope(in.Query, items, total)}, nil
}

type createAPIKeyInput struct {
	Body struct {
		_            struct{} `schema:"APIKeyCreate"`
		Name         string   `json:"name" maxLength:"100" doc:"Of the other system, 1 to 100 characters. Everybody reads it" example:"FixMyStreet Dili"`
		ContactEmail string   `json:"contact_email" maxLength:"320" doc:"Of whoever runs the other system"`
		PerMinute    int      `json:"per_minute,omitempty" minimum:"1" maximum:"6000" default:"60" doc:"How many requests that write it may make in a minute"`
	}
}

type createAPIKeyOutput struct {
	Body CreatedAPIKey
}

// read checks what was sent.
func (in *createAPIKeyInput) read() (APIKey, error) {
	k := APIKey{ID: database.NewID(), Name: strings.Join(strings.Fields(database.Text(in.Body.Name)), " "), PerMinute: in.Body.PerMinute}
	if k.Name == "" {
		return APIKey{}, problem.InvalidField("name", "expected 1 to 100 characters")
	}
	var ok bool
	if k.ContactEmail, ok = mail.ParseAddress(in.Body.ContactEmail); !ok {
		return APIKey{}, problem.InvalidField("contact_email", "expected an e-mail address")
	}
	if k.PerMinute == 0 {
		k.PerMinute = defaultPerMinute
	}
	return k, nil
}

// createAPIKey makes a key. What is stored for a repeat of the request has no key in it: the database holds no key in clear.
func (g *Group) createAPIKey(ctx context.Context, in *createAPIKeyInput) (*createAPIKeyOutput, error) {
	k, err := in.read()
	if err != nil {
		return nil, err
	}
	k.CreatedAt = stamp(g.clock.Now())
	secret := apikey.NewSecret()
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		const insert = `INSERT INTO api_keys (id, name, contact_email, per_minute, secret_hash, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`
		tx.Queue(insert, k.ID, k.Name, k.ContactEmail, k.PerMinute, apikey.Hash(secret), identity.Must(ctx).UserID, k.CreatedAt.Time)
		if err := audit.Record(ctx, tx, audit.Entry{Action: "api_key.create", Entity: "api_key", EntityID: k.ID.String(), After: auditedKey(k)}); err != nil {
			return err
		}
		return httpapi.RecordAnswer(ctx, tx, http.StatusCreated, CreatedAPIKey{APIKey: k})
	})
	if err != nil {
		return nil, err
	}
	return &createAPIKeyOutput{Body: CreatedAPIKey{APIKey: k, Key: secret}}, nil
}

// auditedKey is a key as the audit log has it.
func auditedKey(k APIKey) map[string]any {
	return map[string]any{"name": k.Name, "contact_email": k.ContactEmail, "per_minute": k.PerMinute}
}

type apiKeyPath struct {
	ID uuid.UUID `path:"id" format:"uuid"`
}

func (g *Group) revokeAPIKey(ctx context.Context, in *apiKeyPath) (*httpapi.MessageOutput, error) {
	err := g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		locked := database.AskRow(tx, scanAPIKey, `SELECT `+apiKeyColumns+` FROM api_keys k WHERE k.id = $1 FOR UPDATE`, in.ID).Missing(errAPIKeyNotFound)
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("lock API key: %w", err)
		}
		k := locked.Get()
		if k.RevokedAt != nil {
			return nil
		}
		tx.Queue(`UPDATE api_keys SET revoked_at = $2 WHERE id = $1`, k.ID, g.clock.Now())
		return audit.Record(ctx, tx, audit.Entry{Action: "api_key.revoke", Entity: "api_key", EntityID: k.ID.String(), Before: auditedKey(k)})
	})
	if err != nil {
		return nil, err
	}
	return httpapi.Message(ctx, "admin.api_key_revoked"), nil
}
