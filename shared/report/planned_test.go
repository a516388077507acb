package report_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/report"
)

// PostgreSQL plans a prepared statement anew in each of its first five executions. Then it must keep one plan for a statement about a
// report: to plan it takes longer than to run it.
func TestAStatementAboutAReportKeepsItsPlan(t *testing.T) {
	t.Parallel()
	conn, err := testdb.OwnerPool(t).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for _, sql := range []string{`SET session_replication_role = replica`, `
		INSERT INTO reports (id, report_number, content_hash, issue_type, latitude, longitude)
		SELECT gen_random_uuid(), 'LS-2026-' || lpad(n::text, 6, '0'), '', 'pothole', -8.55, 125.57 FROM generate_series(1, 2000) n`,
		`ANALYZE reports`} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	number, err := report.Ref("LS-2026-000077").About()
	if err != nil {
		t.Fatal(err)
	}
	var id, again uuid.UUID
	if err := conn.QueryRow(t.Context(), `SELECT id FROM reports WHERE id = `+report.IDSQL, number.Args()...).Scan(&id); err != nil {
		t.Fatal(err)
	}
	for range 8 {
		err := conn.QueryRow(t.Context(), `SELECT id FROM reports WHERE id = `+report.IDSQL, report.AboutID(id).Args()...).Scan(&again)
		if err != nil || again != id {
			t.Fatalf("%s, want %s (%v)", again, id, err)
		}
	}
	var planned int
	if err := conn.QueryRow(t.Context(), `SELECT max(custom_plans) FROM pg_prepared_statements`).Scan(&planned); err != nil || planned > 5 {
		t.Errorf("it was planned %d times (%v)", planned, err)
	}
}
