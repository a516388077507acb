package reportread

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/testdb"
)

// The feed reads no table from the beginning and sorts nothing, however many reports there are.
func TestTheFeedOfChangesUsesItsIndexes(t *testing.T) {
	t.Parallel()
	db := testdb.OwnerPool(t)
	author := uuid.New()
	for _, sql := range []string{
		`INSERT INTO users (id, email) VALUES ($1, 'a@example.org')`,
		`SELECT set_config('session_replication_role', 'replica', false) WHERE $1::uuid IS NOT NULL`,
		`INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, latitude, longitude)
			SELECT gen_random_uuid(), 'N' || n, CASE WHEN n % 1000 = 0 THEN $1::uuid END, '', 'pothole', -8.5, 125.5 FROM generate_series(1, 20000) n`,
		`INSERT INTO report_changes (report_id, user_id, xid) SELECT id, user_id, (row_number() OVER () % 500 + 3)::text::xid8 FROM reports WHERE $1::uuid IS NOT NULL`,
	} {
		if _, err := db.Exec(t.Context(), sql, author); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Exec(t.Context(), `ANALYZE reports, report_changes`); err != nil {
		t.Fatal(err)
	}
	viewer := Viewer{userID: author}
	for name, c := range map[string]struct {
		query ChangesQuery
		from  position
		index string
	}{
		"walk":        {ChangesQuery{Limit: 100}, position{id: uuid.New()}, "reports_pkey"},
		"follow":      {ChangesQuery{Limit: 100}, position{following: true, xid: "100", id: uuid.New()}, "report_changes_xid_idx"},
		"follow mine": {ChangesQuery{Limit: 100, Mine: true}, position{following: true, xid: "100", id: uuid.New()}, "report_changes_user_idx"},
	} {
		sql, args := changesSQL(viewer, c.query, c.from)
		rows, err := db.Query(t.Context(), `EXPLAIN `+sql, args...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if text := strings.Join(plan, "\n"); !strings.Contains(text, c.index) || strings.Contains(text, "Seq Scan on reports") || strings.Contains(text, "Seq Scan on report_changes") {
			t.Errorf("%s:\n%s", name, text)
		}
	}
}
