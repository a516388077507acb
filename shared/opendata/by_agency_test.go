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
	"golang.org/x/sync/errgroup"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/database"
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
		exec(t, db, `UPDATE reports SET status = $2, resolved_at = CASE WHEN $2 = 'fixed' THEN now() - $3 * interval '1 minute' END,
			duplicate_of = CASE WHEN $2 = 'duplicate' THEN (SELECT o.id FROM reports o WHERE o.id <> $1 ORDER BY o.report_number LIMIT 1) END WHERE id = $1`,
			id, pick(r, []string{"verified", "fixed", "fixed", "fixed", "fixed", "rejected", "duplicate"}), r.IntN(600))
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
	   AND ($2::date IS NULL OR (r.created_at AT TIME ZONE 'Asia/Dili')::date >= $2) AND ($3::date IS NULL OR (r.created_at AT TIME ZONE 'Asia/Dili')::date <= $3)
	 GROUP BY a.code ORDER BY a.code`

// newAgencies makes three agencies.
func newAgencies(t *testing.T, db *pgxpool.Pool) []uuid.UUID {
	t.Helper()
	var agencies []uuid.UUID
	for _, code := range []string{"A", "B", "C"} {
		agencies = append(agencies, uuid.New())
		exec(t, db, `INSERT INTO agencies (id, code, name, agency_type) VALUES ($1, $2, 'Agency ' || $2, 'municipal')`, agencies[len(agencies)-1], code)
	}
	return agencies
}

// created makes a verified report that was created at a time.
func created(t *testing.T, db *pgxpool.Pool, r *rand.Rand, n int, at time.Time) uuid.UUID {
	t.Helper()
	id := create(t, db, r, n)
	exec(t, db, `UPDATE reports SET created_at = $2, status = 'verified' WHERE id = $1`, id, at)
	return id
}

// randomDays begin in the last 150 days and are up to 100. Some are whole months; some have no beginning or no end.
func randomDays(r *rand.Rand) opendata.Days {
	from := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 1-r.IntN(150))
	to := from.AddDate(0, 0, r.IntN(100))
	if r.IntN(3) == 0 {
		from = from.AddDate(0, 0, 1-from.Day())
	}
	if r.IntN(3) == 0 {
		to = to.AddDate(0, 1, -to.Day())
	}
	days := opendata.Days{From: timestamp.Date{Time: from}, To: timestamp.Date{Time: to}}
	switch r.IntN(6) {
	case 0:
		days.From = timestamp.Date{}
	case 1:
		days.To = timestamp.Date{}
	}
	return days
}

// createdBefore makes n reports, one each span before the next, and returns their ids.
func createdBefore(t *testing.T, db *pgxpool.Pool, r *rand.Rand, n int, span time.Duration) []uuid.UUID {
	t.Helper()
	ids := make([]uuid.UUID, n)
	for i := range ids {
		ids[i] = created(t, db, r, i, time.Now().Add(-time.Duration(i)*span))
	}
	return ids
}

// Random changes of the work keep the figures equal to a count, for all days and for some.
func TestFiguresOfAgenciesEqualACount(t *testing.T) {
	t.Parallel()
	db := testdb.OwnerPool(t)
	r := rand.New(rand.NewPCG(3, 4))
	agencies := newAgencies(t, db)
	ids := createdBefore(t, db, r, 60, 57*time.Hour)
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
			compareAgencies(t, db, step, now, randomDays(r))
		}
	}
}

// While others change reports and fold, a reader sees the figures of its snapshot.
func TestFiguresOfAgenciesEqualACountDuringChanges(t *testing.T) {
	t.Parallel()
	db := testdb.OwnerPool(t)
	r := rand.New(rand.NewPCG(5, 6))
	agencies := newAgencies(t, db)
	ids := createdBefore(t, db, r, 40, 87*time.Hour)
	var others errgroup.Group
	for seed := range uint64(3) {
		r := rand.New(rand.NewPCG(7, seed))
		others.Go(func() error {
			for n := range 90 {
				const move = `UPDATE reports SET assigned_agency_id = $2, assigned_at = now() - interval '9 hours', status = $3, resolved_at = CASE WHEN $3 = 'fixed' THEN now() END WHERE id = $1`
				if _, err := db.Exec(t.Context(), move, pick(r, ids), pick(r, agencies), pick(r, []string{"verified", "fixed", "rejected"})); err != nil {
					return err
				}
				if n%4 > 0 {
					continue
				}
				if err := opendata.Fold(t.Context(), db); err != nil {
					return err
				}
			}
			return nil
		})
	}
	ended := make(chan error, 1)
	go func() { ended <- others.Wait() }()
	for step := 0; len(ended) == 0; step++ {
		compareInSnapshot(t, db, step, randomDays(r))
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	compareAgencies(t, db, -1, time.Now(), opendata.Days{})
}

// compareInSnapshot is compareAgencies where both sides read at the same moment.
func compareInSnapshot(t *testing.T, db *pgxpool.Pool, step int, days opendata.Days) {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	compareAgencies(t, tx, step, time.Now(), days)
}

// Days and months begin at midnight in Dili, and February may have 29 days.
func TestDaysOfAgenciesBeginInDili(t *testing.T) {
	t.Parallel()
	db := testdb.OwnerPool(t)
	r := rand.New(rand.NewPCG(8, 9))
	agencies := newAgencies(t, db)
	var days []time.Time
	for i, first := range []string{"2027-12-01", "2028-01-01", "2028-02-01", "2028-02-29", "2028-03-01", "2028-04-01"} {
		day, err := time.Parse(time.DateOnly, first)
		if err != nil {
			t.Fatal(err)
		}
		days = append(days, day.AddDate(0, 0, -1), day)
		midnight := day.Add(-9 * time.Hour)
		for j, at := range []time.Time{midnight.Add(-time.Microsecond), midnight, midnight.Add(14 * time.Hour)} {
			exec(t, db, `UPDATE reports SET assigned_agency_id = $2, assigned_at = created_at WHERE id = $1`, created(t, db, r, 3*i+j, at), agencies[(i+j)%2])
		}
		if i == 3 { // the last two dates are not folded
			if err := opendata.Fold(t.Context(), db); err != nil {
				t.Fatal(err)
			}
		}
	}
	now := days[len(days)-1]
	for step, from := range days {
		for _, to := range days[step:] {
			if !to.Before(from) {
				compareAgencies(t, db, step, now, opendata.Days{From: timestamp.Date{Time: from}, To: timestamp.Date{Time: to}})
			}
		}
		compareAgencies(t, db, step, now, opendata.Days{From: timestamp.Date{Time: from}})
		compareAgencies(t, db, step, now, opendata.Days{To: timestamp.Date{Time: from}})
	}
	for _, years := range []int{-100, 100} { // without a report
		far := days[0].AddDate(years, 0, 0)
		compareAgencies(t, db, years, now, opendata.Days{From: timestamp.Date{Time: far}, To: timestamp.Date{Time: far.AddDate(1, 0, 0)}})
	}
	last := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	compareAgencies(t, db, 0, now, opendata.Days{From: timestamp.Date{Time: days[0]}, To: timestamp.Date{Time: last}})
}

func compareAgencies(t *testing.T, db database.Querier, step int, now time.Time, days opendata.Days) {
	t.Helper()
	kept, err := opendata.ReadByAgency(t.Context(), db, now, days)
	if err != nil {
		t.Fatal(err)
	}
	var from, to *time.Time
	if !days.From.IsZero() {
		from = &days.From.Time
	}
	if !days.To.IsZero() {
		to = &days.To.Time
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
