package migrations_test

import (
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/migrations"
)

// What was taken down before gets the time and the capacity of the event or the history, and keeps its version. A function of an
// earlier version that restores a report leaves no tombstone.
func TestRemovalsFromBeforeAreDated(t *testing.T) {
	t.Parallel()
	address := testdb.EmptyURL(t)
	upTo(t, address, 60)
	conn := testdb.Connect(t, address)
	const before = `
		INSERT INTO reports (id, report_number, content_hash, issue_type, latitude, longitude, status, reason_code, deleted_at) VALUES
			('00000000-0000-0000-0000-000000000001', 'LS-2026-000001', '', 'pothole', -8.5, 125.5, 'rejected', NULL, NULL),
			('00000000-0000-0000-0000-000000000002', 'LS-2026-000002', '', 'pothole', -8.5, 125.5, 'rejected', NULL, NULL),
			('00000000-0000-0000-0000-000000000003', 'LS-2026-000003', '', 'pothole', -8.5, 125.5, 'pending', NULL, '2026-05-03'),
			('00000000-0000-0000-0000-000000000004', 'LS-2026-000004', '', 'pothole', -8.5, 125.5, 'verified', 'unsafe', '2026-05-04'),
			('00000000-0000-0000-0000-000000000005', 'LS-2026-000005', '', 'pothole', -8.5, 125.5, 'verified', NULL, NULL);
		INSERT INTO report_status_history (id, report_id, new_status, actor_kind, created_at) VALUES
			(gen_random_uuid(), '00000000-0000-0000-0000-000000000001', 'rejected', 'ai', '2026-05-01'),
			(gen_random_uuid(), '00000000-0000-0000-0000-000000000002', 'rejected', 'ai', '2026-04-01'),
			(gen_random_uuid(), '00000000-0000-0000-0000-000000000002', 'rejected', 'moderator', '2026-05-02')`
	if _, err := conn.Exec(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	if err := migrations.Apply(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	const is = `SELECT string_agg(concat_ws(' ', to_char(removed_at, 'MM-DD'), removed_by), ', ' ORDER BY id) FROM reports`
	var got string
	if err := conn.QueryRow(t.Context(), is).Scan(&got); err != nil || strings.TrimSpace(got) != "05-01 ai, 05-02 moderator, 05-03 reporter, 05-04 admin," {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := conn.Exec(t.Context(), `UPDATE reports SET status = 'pending' WHERE report_number = 'LS-2026-000001'`); err != nil {
		t.Fatal(err)
	}
	if err := conn.QueryRow(t.Context(), is).Scan(&got); err != nil || !strings.HasPrefix(got, ", 05-02") {
		t.Errorf("after a restore: %q, %v", got, err)
	}
}
