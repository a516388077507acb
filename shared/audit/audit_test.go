package audit_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/telemetry"
)

func TestRecordKeepsActorAndChange(t *testing.T) {
	t.Parallel()
	db := testdb.Pool(t)
	actor := uuid.New()
	ctx := identity.WithCaller(t.Context(), identity.Caller{UserID: actor, Role: identity.Admin})
	ctx = telemetry.WithRequestID(ctx, "request-1")
	entry := audit.Entry{Action: "user.suspend", Entity: "user", EntityID: "u1",
		Before: map[string]bool{"suspended": false}, After: map[string]bool{"suspended": true}}
	batch := &database.Batch{}
	if err := audit.Record(ctx, batch, entry); err != nil {
		t.Fatal(err)
	}
	if err := audit.Record(t.Context(), batch, audit.Entry{Action: "export.renew", Entity: "export", EntityID: "all"}); err != nil {
		t.Fatal(err)
	}
	if err := batch.Send(ctx, db); err != nil {
		t.Fatal(err)
	}
	var by uuid.UUID
	var role, request string
	var after map[string]bool
	const q = `SELECT actor_id, actor_role, request_id, after FROM audit_log WHERE action = 'user.suspend'`
	if err := db.QueryRow(ctx, q).Scan(&by, &role, &request, &after); err != nil {
		t.Fatal(err)
	}
	if by != actor || role != "admin" || request != "request-1" || !after["suspended"] {
		t.Errorf("got actor %s, role %s, request %s, after %v", by, role, request, after)
	}
	var nobody bool
	const system = `SELECT actor_id IS NULL AND actor_role = 'system' AND before IS NULL FROM audit_log WHERE action = 'export.renew'`
	if err := db.QueryRow(ctx, system).Scan(&nobody); err != nil || !nobody {
		t.Errorf("an entry of the system names an actor (%v)", err)
	}
}

func TestLogIsAppendOnly(t *testing.T) {
	t.Parallel()
	for _, change := range []string{"UPDATE audit_log SET action = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"} {
		// The owner may not either: the trigger holds where no grant does.
		if _, err := testdb.OwnerPool(t).Exec(t.Context(), change); err == nil {
			t.Errorf("%s went through", change)
		}
		if _, err := testdb.Pool(t).Exec(t.Context(), change); err == nil {
			t.Errorf("%s went through for the functions' role", change)
		}
	}
}
