// Package audit records who did what and when: an append-only log of what staff and
// administrators do, and of appeals. An entry is written in the transaction of the change.
package audit

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/telemetry"
)

// System is the actor role of entries that no signed-in person caused.
const System = "system"

// Entry is one change. Before and After hold what changed and nothing else. They never
// hold a secret, a password or a token.
type Entry struct {
	Action   string // a stable machine word such as "user.suspend"
	Entity   string // kind of the changed thing: "user", "agency", "report", "settings"
	EntityID string
	Before   any // encoded as JSON; nil when it was not there before
	After    any // encoded as JSON; nil when it is gone
}

// Record adds e in the caller's transaction: by the caller of ctx, else by the
// system, under the request id of ctx.
func Record(ctx context.Context, p database.Pipeline, e Entry) error {
	c, ok := identity.FromContext(ctx)
	if !ok {
		return record(ctx, p, nil, System, e)
	}
	return record(ctx, p, &c.UserID, string(c.Role), e)
}

// RecordAs is Record for an actor who is not the caller of ctx: the first
// administrator, who acts before there is anybody to sign in.
func RecordAs(ctx context.Context, p database.Pipeline, actor uuid.UUID, role identity.Role, e Entry) error {
	return record(ctx, p, &actor, string(role), e)
}

func record(ctx context.Context, p database.Pipeline, actor *uuid.UUID, role string, e Entry) error {
	before, err := encode(e.Before)
	if err != nil {
		return fmt.Errorf("audit %s: %w", e.Action, err)
	}
	after, err := encode(e.After)
	if err != nil {
		return fmt.Errorf("audit %s: %w", e.Action, err)
	}
	const insert = `
		INSERT INTO audit_log (id, actor_id, actor_role, action, entity, entity_id, before, after, request_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, nullif($9, ''))`
	p.Queue(insert, database.NewID(), actor, role, e.Action, e.Entity, e.EntityID, before, after, telemetry.RequestID(ctx))
	return nil
}

func encode(v any) (json.RawMessage, error) {
	if v == nil {
		return nil, nil
	}
	return json.Marshal(v)
}
