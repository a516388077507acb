package opendata_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/opendata"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// change makes a random change of a report's work: its agency, deadline, status, or whether it is there.
func change(t *testing.T, db *pgxpool.Pool, r *rand.Rand, id uuid.UUID, agencies []uuid.UUID) {
	t.Helper()
	hours := r.IntN(900)
	switch r.IntN(10) {
	case 0, 1:
		var agency *uuid.UUID
		if r.IntN(4) > 0 {
			agency = ptr(pick(r, agencies))
		}
		exec(t, db, `UPDATE reports SET assigned_agency_id = $2, assigned_at = CASE WHEN $2::uuid IS NOT NULL THEN now() - $3 * interval '1 hour' END WHERE id = $1`, id, agency, hours)
	case 2:
		exec(t, db, `UPDATE reports SET due_at = now() + $2 * interval '1 minute' WHERE id = $1`, id, r.IntN(6000)-3000)
	case 3:
		exec(t, db, `UPDATE reports SET due_paused_at = CASE WHEN due_paused_at IS NULL THEN now() END WHERE id = $1`, id)
	case 4, 5:
		exec(t, db, `UPDATE reports SET status = 'in_progress', resolved_at = NULL WHERE id = $1 AND status IN ('verified', 'fixed')`, id)
	case 6, 8, 9:
		exec(t, db, `UPDATE reports SET status = $2, resolved_at = CASE WHEN $2 = 'fixed' THEN now() - $3 * interval '1 minute' END WHERE id = $1`,
			id, pick(r, []string{"verified", "fixed", "fixed", "fixed", "fixed", "rejected"}), r.IntN(600))
	case 7:
		exec(t, db, `UPDATE reports SET deleted_at = CASE WHEN deleted_at IS NULL THEN now() END WHERE id = $1`, id)
	}
}

// counted has the figures of agencies, counted from the reports themselves. The times are those of hours_bucket; a median of
// an even number is the mean of the two in the middle.
const counted = `
	SELECT a.code, count(r.id), count(r.id) FILTER (WHERE r.status IN ('pending', 'verified', 'in_progress')), count(r.id) FILTER (WHERE r.status = 'fixed'),
	       count(r.id) FILTER (WHERE r.status = 'fixed' AND r.resolved_at <= r.due_at), count(r.id) FILTER (WHERE r.reopened_count > 0),
	       count(r.id) FILTER (WHERE r.status IN ('pending', 'verified', 'in_progress') AND r.due_at < $1 AND r.due_paused_at IS NULL),
	       (bucket_hours(percentile_disc(0.5) WITHIN GROUP (ORDER BY hours_bucket(r.started_at - r.assigned_at)) FILTER (WHERE r.started_at IS NOT NULL)) + bucket_hours(percentile_disc(0.5) WITHIN GROUP (ORDER BY hours_bucket(r.started_at - r.assigned_at) DESC) FILTER (WHERE r.started_at IS NOT NULL))) / 2,
	       (bucket_hours(percentile_disc(0.5) WITHIN GROUP (ORDER BY hours_bucket(r.resolved_at - r.assigned_at)) FILTER (WHERE r.status = 'fixed' AND r.resolved_at >= '-infinity' AND r.assigned_at >= '-infinity')) + bucket_hours(percentile_disc(0.5) WITHIN GROUP (ORDER BY hours_bucket(r.resolved_at - r.assigned_at) DESC) FILTER (WHERE r.status = 'fixed' AND r.resolved_at >= '-infinity' AND r.assigned_at >= '-infinity'))) / 2,
	       bucket_hours(percentile_disc(0.9) WITHIN GROUP (ORDER BY hours_bucket(r.resolved_at - r.assigned_at)) FILTER (WHERE r.status = 'fixed' AND r.resolved_at >= '-infinity' AND r.assigned_at >= '-infinity'))
	  FROM agencies a LEFT JOIN reports r ON r.assigned_agency_id = a.id AND r.deleted_at IS NULL AND r.status <> 'rejected'
	   AND ($2::date IS NULL OR (r.created_at AT TIME ZONE 'Asia/Dili')::date BETWEEN $2 AND $3)
	 GROUP BY a.code ORDER BY a.code`

// Random changes of the work keep the figures equal to a count, for all days and for some.
func TestFiguresOfAgenciesEqualACount(t *testing.T) {
	t.Parallel()
	db := testdb.OwnerPool(t)
	r := rand.New(rand.NewPCG(3, 4))
	var agencies, ids []uuid.UUID
	for _, code := range []string{"A", "B", "C"} {
		agencies = append(agencies, uuid.New())
		exec(t, db, `INSERT INTO agencies (id, code, name, agency_type) VALUES ($1, $2, 'Agency ' || $2, 'municipal')`, agencies[len(agencies)-1], code)
	}
	for n := range 60 {
		ids = append(ids, create(t, db, r, n))
		exec(t, db, `UPDATE reports SET created_at = now() - $2 * interval '2 hours', status = 'verified' WHERE id = $1`, ids[n], n)
	}
	for step := range 600 {
		change(t, db, r, pick(r, ids), agencies[:2])
		if step%50 == 0 {
			if err := opendata.Fold(t.Context(), db); err != nil {
				t.Fatal(err)
			}
		}
		if step%5 == 0 {
			now := time.Now().Add(time.Duration(r.IntN(100)-50) * time.Hour)
			compareAgencies(t, db, step, now, opendata.Days{})
			day := timestamp.Date{Time: time.Now().Add(-time.Duration(r.IntN(80)) * time.Hour).UTC().Truncate(24 * time.Hour)}
			compareAgencies(t, db, step, now, opendata.Days{From: day, To: timestamp.Date{Time: day.AddDate(0, 0, r.IntN(3))}})
		}
	}
}

func compareAgencies(t *testing.T, db *pgxpool.Pool, step int, now time.Time, days opendata.Days) {
	t.Helper()
	kept, err := opendata.ReadByAgency(t.Context(), db, now, days)
	if err != nil {
		t.Fatal(err)
	}
	var from, to *time.Time
	if !days.From.IsZero() {
		from, to = &days.From.Time, &days.To.Time
	}
	rows, err := db.Query(t.Context(), counted, now, from, to)
	if err != nil {
		t.Fatal(err)
	}
	direct, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		var a opendata.ByAgency
		err := row.Scan(&a.Agency.Code, &a.Assigned, &a.Open, &a.Fixed, &a.Kept, &a.Reopened, &a.Overdue, &a.MedianHoursToStart, &a.MedianHoursToFix, &a.P90HoursToFix)
		return figures(a), err
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range kept {
		got = append(got, figures(a))
	}
	if !slices.Equal(got, direct) {
		t.Fatalf("step %d, now %s, days %v:\nkept    %q\ncounted %q", step, now, days, got, direct)
	}
}

func figures(a opendata.ByAgency) string {
	hours := func(h *float64) float64 {
		if h == nil {
			return -1
		}
		return *h
	}
	return fmt.Sprint(a.Agency.Code, " ", a.Assigned, a.Open, a.Fixed, a.Kept, a.Reopened, a.Overdue, " ", hours(a.MedianHoursToStart), hours(a.MedianHoursToFix), hours(a.P90HoursToFix))
}

// Hours are exact to 127, and within 1 % beyond.
func TestHoursAreNearlyExact(t *testing.T) {
	t.Parallel()
	db := testdb.OwnerPool(t)
	const q = `SELECT count(*) FROM generate_series(0, 20000) h
		WHERE abs(bucket_hours(hours_bucket(h * interval '1 hour')) - h) > CASE WHEN h < 128 THEN 0 ELSE h * 0.01 END`
	var wrong int
	if err := db.QueryRow(t.Context(), q).Scan(&wrong); err != nil || wrong != 0 {
		t.Errorf("%d durations are further off (%v)", wrong, err)
	}
}
