package relay

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/identity"
)

// The queries of every minute scan no table that grows with
// finished work.
func TestQueriesDoNotScanFinishedRows(t *testing.T) {
	t.Parallel()
	db := testdb.OwnerPool(t)
	generate(t, db)
	grown := []string{"reports", "uploads", "ledger_events", "sessions", "refresh_tokens", "processed_messages", "notifications", "notification_deliveries"}
	queries := map[string]struct {
		sql  string
		args []any
	}{
		"waiting":     {waitingSQL, nil},
		"unjudged":    {unjudged.sql, []any{time.Now(), "@0", maxWakings}},
		"pictures":    {unjudgedPictures.sql, []any{time.Now(), "@0", maxWakings}},
		"unprocessed": {unprocessed.sql, []any{time.Now(), "@0", maxWakings}},
		"comments":    {waitingCommentsSQL, []any{time.Now(), maxWakings}},
		"orphans":     {freeGatheredSQL, nil},
		"overdue":     {overdueSQL, []any{"high", time.Now(), 0, maxOverdue}},
		"late":        {overdueSQL, []any{"high", time.Now(), 1, maxOverdue}},
		"claims":      {waitingPeople, []any{claimers}},
		"idle":        {idleSQL, []any{time.Now().Add(-quietFor), time.Now().Add(identity.SessionLife - quietFor)}},
		"unnamed":     {unnamed.sql, []any{time.Now(), "@0", maxWakings}},
	}
	for _, x := range retentions() {
		queries["expire "+x.table] = struct {
			sql  string
			args []any
		}{x.sql(), []any{time.Now().Add(-x.keep), x.most}}
	}
	for name, q := range queries {
		for _, s := range scans(t, db, q.sql, q.args) {
			if s.Kind == "Seq Scan" && slices.Contains(grown, s.Table) {
				t.Errorf("%s reads %s whole", name, s.Table)
			}
		}
	}
	var ai, log float64
	var failed int
	if err := db.QueryRow(t.Context(), waitingSQL).Scan(&ai, &log, &failed); err != nil {
		t.Fatal(err)
	}
	// The finished events are nine hours old. So the lag of the waiting event differs from theirs, even on a slow machine.
	if ai < 3600 || ai > 2*3600 || log < 2*3600 || log > 8*3600 || failed != 7 {
		t.Errorf("waiting: %.0f s and %.0f s, %d failed; want an hour and two hours at least, 7", ai, log, failed)
	}
}

// generate makes 20,000 reports, nearly all of them finished.
func generate(t *testing.T, db *pgxpool.Pool) {
	t.Helper()
	conn, err := db.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for _, sql := range []string{
		`SET session_replication_role = replica`, // no triggers, no foreign keys
		`INSERT INTO reports (id, report_number, content_hash, issue_type, latitude, longitude, geocoded_at, ai_status, created_at)
			SELECT gen_random_uuid(), 'LS-' || n, '', 'pothole', -8.5, 125.5, CASE WHEN n % 1000 > 0 THEN now() END,
				CASE WHEN n = 1 THEN 'queued' WHEN n <= 8 THEN 'failed' ELSE 'completed' END, now() - interval '1 hour' FROM generate_series(1, 20000) n`,
		`INSERT INTO uploads (id, user_id, s3_key, content_type, size_bytes, state, attached_at, expires_at)
			SELECT gen_random_uuid(), gen_random_uuid(), 'originals/' || n, 'image/jpeg', 1, CASE WHEN n <= 3 THEN 'stored' ELSE 'processed' END,
				now() - interval '1 day', now() FROM generate_series(1, 20000) n`,
		`INSERT INTO ledger_events (id, report_id, seq, event_type, payload, payload_hash, log_index, created_at)
			SELECT gen_random_uuid(), gen_random_uuid(), 1, 'REPORT_SUBMITTED', '{}', sha256('{}'), n - 1,
				now() - CASE WHEN n <= 20000 THEN interval '9 hours' WHEN n = 20001 THEN interval '2 hours' ELSE interval '1 minute' END FROM generate_series(1, 20005) n`,
		`UPDATE log_head SET size = 20000, checkpoint = 'x'`,
		`INSERT INTO sessions (id, user_id, expires_at, revoked_at)
			SELECT gen_random_uuid(), gen_random_uuid(), now() + interval '1 day', CASE WHEN n % 10 = 0 THEN now() END FROM generate_series(1, 20000) n`,
		`INSERT INTO refresh_tokens (token_hash, session_id, expires_at) SELECT sha256(n::text::bytea), gen_random_uuid(), now() + interval '1 day' FROM generate_series(1, 20000) n`,
		`INSERT INTO processed_messages (consumer, message_key) SELECT 'validate', n::text FROM generate_series(1, 20000) n`,
		`INSERT INTO notifications (id, user_id, type, event_key, report_id)
			SELECT lpad(n::text, 32, '0')::uuid, gen_random_uuid(), 'comment_added', n::text, gen_random_uuid() FROM generate_series(1, 20000) n`,
		`INSERT INTO notification_deliveries (notification_id, channel, state, gathered_by)
			SELECT lpad(n::text, 32, '0')::uuid, 'mail', CASE WHEN n <= 5 THEN 'waiting' WHEN n <= 10 THEN 'gathered' ELSE 'sent' END,
				CASE WHEN n > 5 AND n <= 10 THEN gen_random_uuid() END FROM generate_series(1, 20000) n`,
		`SET session_replication_role = DEFAULT`, `ANALYZE`,
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

// scan is a place of a plan where rows come from.
type scan struct {
	Kind  string `json:"Node Type"`
	Table string `json:"Relation Name"`
	Plans []scan
}

func scans(t *testing.T, db *pgxpool.Pool, sql string, args []any) []scan {
	t.Helper()
	var raw []byte
	if err := db.QueryRow(t.Context(), `EXPLAIN (FORMAT JSON) `+sql, args...).Scan(&raw); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	var plans []struct{ Plan scan }
	if err := json.Unmarshal(raw, &plans); err != nil {
		t.Fatal(err)
	}
	all := []scan{plans[0].Plan}
	for i := 0; i < len(all); i++ {
		all = append(all, all[i].Plans...)
	}
	return all
}
