package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

func (g *Group) registerAudit(a *httpapi.API) {
	op := operation(http.MethodGet, "/audit", "Read who did what when", "Newest first. Nothing in the log can be changed or removed, except that deleting an account empties the free texts about the person and their reports.")
	op.Aliases = page.Aliases()
	httpapi.Register(a, op, g.audit)
}

type auditInput struct {
	page.Query
	Actor    string    `query:"actor" format:"uuid" doc:"Id of a person"`
	Entity   string    `query:"entity" maxLength:"40" doc:"Kind of thing: user, agency, report, settings, …"`
	EntityID string    `query:"entity_id" maxLength:"100"`
	Since    time.Time `query:"since" doc:"Only from then on"`
}

// AuditEntry is one thing done.
type AuditEntry struct {
	At        timestamp.Time `json:"at"`
	Actor     *uuid.UUID     `json:"actor" doc:"Id of who did it; null for the system"`
	ActorRole string         `json:"actor_role" doc:"Their role at the time, or system"`
	ActorName *string        `json:"actor_name" doc:"Null for the system and for people who deleted their account"`
	Action    string         `json:"action" example:"user.suspend"`
	Entity    string         `json:"entity" example:"user"`
	EntityID  string         `json:"entity_id"`
	Before    any            `json:"before" doc:"What changed, as it was"`
	After     any            `json:"after" doc:"What changed, as it is"`
	RequestID *string        `json:"request_id"`
}

type auditOutput struct {
	Body page.Envelope[AuditEntry]
}

func (g *Group) audit(ctx context.Context, in *auditInput) (*auditOutput, error) {
	var actor *uuid.UUID
	if id, err := uuid.Parse(in.Actor); err == nil {
		actor = &id
	}
	var since *time.Time
	if !in.Since.IsZero() {
		since = &in.Since
	}
	const where = ` FROM audit_log l LEFT JOIN users u ON u.id = l.actor_id AND u.deleted_at IS NULL
		WHERE ($1::uuid IS NULL OR l.actor_id = $1) AND ($2 = '' OR l.entity = $2) AND ($3 = '' OR l.entity_id = $3)
		  AND ($4::timestamptz IS NULL OR l.at >= $4)`
	args := []any{actor, in.Entity, in.EntityID, since}
	items, total, err := database.Page(ctx, g.db, `SELECT count(*)`+where, `SELECT l.at, l.actor_id, l.actor_role, nullif(u.full_name, ''),
		l.action, l.entity, l.entity_id, l.before, l.after, l.request_id`+where+` ORDER BY l.at DESC, l.id DESC LIMIT $5 OFFSET $6`,
		len(args), scanEntry, append(args, in.Limit(), in.Offset())...)
	if err != nil {
		return nil, fmt.Errorf("read audit entries: %w", err)
	}
	return &auditOutput{Body: page.NewEnvelope(in.Query, items, total)}, nil
}

func scanEntry(row pgx.CollectableRow) (AuditEntry, error) {
	var e AuditEntry
	var at time.Time
	var before, after *json.RawMessage
	err := row.Scan(&at, &e.Actor, &e.ActorRole, &e.ActorName, &e.Action, &e.Entity, &e.EntityID, &before, &after, &e.RequestID)
	e.At = timestamp.Of(at)
	if before != nil {
		e.Before = *before
	}
	if after != nil {
		e.After = *after
	}
	return e, err
}
