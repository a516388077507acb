package audit_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

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
	const entry = `INSERT INTO audit_log (id, actor_role, action, entity, entity_id, before) VALUES ($1, 'admin', 'user.suspend', 'user', 'x', '{"reason": "spam", "role": "citizen"}')`
	// The owner may not change it either: the triggers hold where no grant does.
	for role, db := range map[string]*pgxpool.Pool{"owner": testdb.OwnerPool(t), "functions": testdb.Pool(t)} {
		if _, err := db.Exec(t.Context(), entry, database.NewID()); err != nil {
			t.Fatal(err)
		}
		for _, change := range []string{"DELETE FROM audit_log", "TRUNCATE audit_log", "UPDATE audit_log SET action = 'x'", "UPDATE audit_log SET before = NULL",
			"UPDATE audit_log SET after = '{}'", `UPDATE audit_log SET before = before || '{"reason": "none"}'`,
			`UPDATE audit_log SET before = without_words(before) || '{"role": "admin"}'`, "UPDATE audit_log SET action = 'x', before = without_words(before)"} {
			if _, err := db.Exec(t.Context(), change); err == nil {
				t.Errorf("%s went through for the role of the %s", change, role)
			}
		}
		if _, err := db.Exec(t.Context(), "UPDATE audit_log SET before = without_words(before)"); err != nil {
			t.Errorf("the %s cannot blank words: %v", role, err)
		}
		var before string
		if err := db.QueryRow(t.Context(), "SELECT before::text FROM audit_log").Scan(&before); err != nil || before != `{"role": "citizen", "reason": ""}` {
			t.Errorf("blanked to %s, %v", before, err)
		}
	}
}
