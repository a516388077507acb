package opendata_test

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/opendata"
)

// step moves a report to a status and notes it in its history.
func step(t *testing.T, db *pgxpool.Pool, id uuid.UUID, status, actor string, at time.Time) {
	t.Helper()
	exec(t, db, `INSERT INTO report_status_history (id, report_id, old_status, new_status, actor_kind, created_at)
		SELECT $2, id, status, $3, $4, $5 FROM reports WHERE id = $1`, id, uuid.Must(uuid.NewV7()), status, actor, at)
	exec(t, db, `UPDATE reports SET status = $2, resolved_at = CASE WHEN $2 = 'fixed' THEN $3::timestamptz END, updated_at = $3 WHERE id = $1`, id, status, at)
}

// Random changes keep the figures by month equal to a count of the reports, folded or not; count_months, which fills them at a
// deploy, makes the same.
func TestFiguresByMonthEqualACount(t *testing.T) {
	t.Parallel()
	db := testdb.OwnerPool(t)
	r := rand.New(rand.NewPCG(5, 6))
	start := time.Date(2026, 1, 20, 0, 0, 0, 0, time.UTC)
	var ids []uuid.UUID
	for n := range 40 {
		ids = append(ids, create(t, db, r, n))
		exec(t, db, `UPDATE reports SET deleted_at = NULL WHERE id = $1`, ids[n])
	}
	for at := range 600 {
		id, now := pick(r, ids), start.Add(time.Duration(at)*6*time.Hour)
		switch r.IntN(10) {
		case 0:
			exec(t, db, `UPDATE reports SET municipality_code = $2 WHERE id = $1`, id, pick(r, municipalities))
		case 1, 8, 9:
			exec(t, db, `UPDATE reports SET due_at = $2 WHERE id = $1`, id, now.Add(time.Duration(r.IntN(60)-30)*24*time.Hour))
		case 2:
			exec(t, db, `UPDATE reports SET deleted_at = CASE WHEN deleted_at IS NULL THEN now() END, issue_type = $2 WHERE id = $1`, id, pick(r, issueTypes))
		default:
			step(t, db, id, pick(r, statuses), pick(r, []string{"ai", "moderator"}), now)
		}
		if at%40 == 0 {
			if err := opendata.Fold(t.Context(), db); err != nil {
				t.Fatal(err)
			}
		}
		if at%10 == 0 {
			compareMonths(t, db, "")
			compareMonths(t, db, "TL-DI")
		}
	}
	kept := months(t, db, "")
	// Steps are counted where the report was at the time; filling anew counts them where it is now.
	exec(t, db, `DELETE FROM report_month_changes`)
	exec(t, db, `DELETE FROM report_months`)
	exec(t, db, `SELECT count_months()`)
	if again := months(t, db, ""); !reflect.DeepEqual(kept.All, again.All) || !reflect.DeepEqual(kept.ByMonth, again.ByMonth) {
		t.Errorf("kept %+v, filled anew %+v", kept.All, again.All)
	}
	if kept.All.Judged == 0 || kept.All.Overridden == 0 || kept.All.Kept == 0 || kept.All.Kept == kept.All.Due {
		t.Errorf("the changes do not cover every figure: %+v", kept.All)
	}
}

func months(t *testing.T, db *pgxpool.Pool, municipality string) *opendata.Months {
	t.Helper()
	m, err := opendata.ReadMonths(t.Context(), db, municipality, time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func compareMonths(t *testing.T, db *pgxpool.Pool, municipality string) {
	t.Helper()
	kept := months(t, db, municipality).All
	var direct opendata.Figures
	const count = `SELECT count(*), count(*) FILTER (WHERE status IN ('pending', 'verified', 'in_progress')), count(*) FILTER (WHERE status = 'fixed'), count(*) FILTER (WHERE status = 'rejected'),
		count(*) FILTER (WHERE status = 'fixed' AND due_at IS NOT NULL), count(*) FILTER (WHERE status = 'fixed' AND resolved_at <= due_at)
		FROM reports WHERE deleted_at IS NULL AND ($1 = '' OR municipality_code = $1)`
	if err := db.QueryRow(t.Context(), count, municipality).Scan(&direct.Received, &direct.Open, &direct.Fixed, &direct.Rejected, &direct.Due, &direct.Kept); err != nil {
		t.Fatal(err)
	}
	if municipality == "" {
		const steps = `WITH v AS (SELECT new_status, actor_kind, lag(new_status) OVER w AS before, lag(actor_kind) OVER w AS who FROM report_status_history WHERE new_status IN ('verified', 'rejected')
			WINDOW w AS (PARTITION BY report_id ORDER BY created_at, id))
			SELECT (SELECT count(*) FROM report_status_history WHERE new_status = 'fixed'), count(*) FILTER (WHERE actor_kind = 'ai'),
			       count(*) FILTER (WHERE actor_kind = 'moderator' AND who = 'ai' AND before <> new_status) FROM v`
		if err := db.QueryRow(t.Context(), steps).Scan(&direct.WasFixed, &direct.Judged, &direct.Overridden); err != nil {
			t.Fatal(err)
		}
	} else {
		direct.WasFixed, direct.Judged, direct.Overridden = kept.WasFixed, kept.Judged, kept.Overridden
	}
	if kept != direct {
		t.Fatalf("%q: kept %+v, counted %+v", municipality, kept, direct)
	}
}
