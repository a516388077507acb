package validate

import (
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/report"
)

// A search for duplicates among hundreds of reports at one place reads the nearest from the index and stops: it neither compares nor
// sorts all of them.
func TestDuplicatesOfAFloodAreReadInOrder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.report(-8.55, 125.57)
	b.exec(`
		SET session_replication_role = replica;
		INSERT INTO reports (id, content_hash, latitude, longitude, report_number, issue_type)
		SELECT gen_random_uuid(), sha256(n::text::bytea), -8.55, 125.57, 'LS-2025-' || lpad(n::text, 6, '0'), 'pothole' FROM generate_series(1, 2000) n;
		UPDATE reports SET title = 'Bee iha dalan';
		RESET session_replication_role; ANALYZE reports`)
	rows, err := b.db.Query(t.Context(), "EXPLAIN (ANALYZE, TIMING off) "+duplicatesSQL, id, report.Pothole, report.Pothole, 50.0, maxCompared, nil, "model", 0.9,
		candidateAge, minTextSimilarity, maxCandidates)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	plan := strings.Join(lines, "\n")
	if !strings.Contains(plan, "Order By: (\"position\" <->") || strings.Contains(plan, "Sort Key: (r.\"position\"") {
		t.Errorf("all near reports are read:\n%s", plan)
	}
	if n := one[int](b, `SELECT count(*) FROM duplicate_candidates WHERE report_id = $1`, id); n != maxCandidates {
		t.Errorf("%d candidates, want %d", n, maxCandidates)
	}
}

// Reports that are already marked as duplicates do not hide the original, which lies farther away than all of them.
func TestDuplicatesDoNotHideTheOriginal(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id, original := b.report(-8.55, 125.57), b.report(-8.5501, 125.57)
	b.exec(`
		SET session_replication_role = replica;
		INSERT INTO reports (id, content_hash, latitude, longitude, report_number, issue_type, status, duplicate_of)
		SELECT gen_random_uuid(), sha256(n::text::bytea), -8.55, 125.57, 'LS-2025-' || lpad(n::text, 6, '0'), 'pothole', 'duplicate', '` + original.String() + `' FROM generate_series(1, ` + strconv.Itoa(maxCompared) + `) n;
		UPDATE reports SET title = 'Bee iha dalan', issue_type = 'pothole';
		RESET session_replication_role`)
	b.exec(duplicatesSQL, id, report.Pothole, report.Pothole, 50.0, maxCompared, nil, "model", 0.9, candidateAge, minTextSimilarity, maxCandidates)
	if got := one[string](b, `SELECT string_agg(candidate_id::text, ' ') FROM duplicate_candidates WHERE report_id = $1`, id); got != original.String() {
		t.Errorf("candidates %s, want the original %s", got, original)
	}
}
