package opendata_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/opendata"
)

var (
	issueTypes     = []string{"pothole", "drainage", "street_light"}
	severities     = []string{"low", "medium", "high", "critical"}
	statuses       = []string{"pending", "verified", "in_progress", "fixed", "rejected"}
	municipalities = []*string{nil, ptr("TL-DI"), ptr("TL-BA")}
)

func ptr[T any](v T) *T { return &v }

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func exec(t *testing.T, db *pgxpool.Pool, sql string, args ...any) {
	t.Helper()
	if _, err := db.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func create(t *testing.T, db *pgxpool.Pool, r *rand.Rand, n int) uuid.UUID {
	t.Helper()
	id := uuid.New()
	exec(t, db, `INSERT INTO reports (id, report_number, content_hash, issue_type, severity, latitude, longitude, municipality_code, district)
		VALUES ($1, $2, '', $3, $4, -8.5, 125.5, $5, 'Cristo Rei')`,
		id, fmt.Sprintf("LS-2026-%06d", n), pick(r, issueTypes), pick(r, severities), pick(r, municipalities))
	return id
}

// TestFiguresEqualACountAfterEveryChange walks random changes and holds the
// kept figures against counting the reports themselves.
func TestFiguresEqualACountAfterEveryChange(t *testing.T) {
	t.Parallel()
	db := testdb.OwnerPool(t)
	r := rand.New(rand.NewPCG(1, 2))
	ids := []uuid.UUID{create(t, db, r, 0)}
	for step := range 120 {
		id := pick(r, ids)
		switch r.IntN(9) {
		case 0, 1:
			ids = append(ids, create(t, db, r, step+1))
		case 2:
			exec(t, db, `UPDATE reports SET status = $2, resolved_at = CASE WHEN $2 = 'fixed' THEN now() + interval '3 hours' END,
				updated_at = now() WHERE id = $1`, id, pick(r, statuses))
		case 3:
			exec(t, db, `UPDATE reports SET severity_score = $2, severity = $3 WHERE id = $1`, id, 1+r.IntN(10), pick(r, severities))
		case 4:
			exec(t, db, `UPDATE reports SET municipality_code = $2 WHERE id = $1`, id, pick(r, municipalities))
		case 5:
			exec(t, db, `UPDATE reports SET deleted_at = CASE WHEN deleted_at IS NULL THEN now() END WHERE id = $1`, id)
		case 6:
			exec(t, db, `UPDATE reports SET blockchain_status = 'confirmed', ai_status = 'rejected', comments_count = comments_count + 1 WHERE id = $1`, id)
		case 7:
			exec(t, db, `INSERT INTO users (id, email) VALUES ($1, gen_random_uuid() || '@example.org')`, uuid.New())
		case 8: // one account is erased, another is changed
			exec(t, db, `UPDATE users SET email = NULL, deleted_at = now() WHERE id = (SELECT id FROM users WHERE email IS NOT NULL LIMIT 1)`)
			exec(t, db, `UPDATE users SET email = 'new-' || email WHERE id = (SELECT id FROM users WHERE email IS NOT NULL LIMIT 1)`)
		}
		if step%10 == 0 {
			if err := opendata.Fold(t.Context(), db); err != nil {
				t.Fatal(err)
			}
		}
		compare(t, db, step)
	}
}

func compare(t *testing.T, db *pgxpool.Pool, step int) {
	t.Helper()
	s, err := opendata.ReadSummary(t.Context(), db, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var people int
	if err := db.QueryRow(t.Context(), `SELECT count(*) FROM users WHERE email IS NOT NULL`).Scan(&people); err != nil || s.TotalUsers != people {
		t.Fatalf("step %d: kept %d people, counted %d: %v", step, s.TotalUsers, people, err)
	}
	var total, fixed, anchored, rejected int
	var hours *float64
	const direct = `SELECT count(*), count(*) FILTER (WHERE status = 'fixed'), count(*) FILTER (WHERE blockchain_status = 'confirmed'),
		count(*) FILTER (WHERE ai_status = 'rejected'), round(avg(extract(epoch FROM resolved_at - created_at)) / 3600, 1)::float8
		FROM reports WHERE deleted_at IS NULL`
	if err := db.QueryRow(t.Context(), direct).Scan(&total, &fixed, &anchored, &rejected, &hours); err != nil {
		t.Fatal(err)
	}
	if s.TotalReports != total || s.ByStatus["fixed"] != fixed || s.BlockchainAnchored != anchored || s.AIRejected != rejected {
		t.Fatalf("step %d: kept %+v, counted %d, %d, %d, %d", step, s, total, fixed, anchored, rejected)
	}
	if (hours == nil) != (s.AvgResolutionHours == nil) || hours != nil && *hours != *s.AvgResolutionHours {
		t.Fatalf("step %d: average hours kept %v, counted %v", step, s.AvgResolutionHours, hours)
	}
	consistent(t, db, s, step)
	types, err := opendata.ReadByType(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range types {
		var n int
		var score *float64
		const direct = `SELECT count(*), round(avg(severity_score) FILTER (WHERE status <> 'pending'), 2)::float8 FROM reports WHERE deleted_at IS NULL AND issue_type = $1`
		if err := db.QueryRow(t.Context(), direct, k.IssueType).Scan(&n, &score); err != nil {
			t.Fatal(err)
		}
		if n != k.Total || (score == nil) != (k.AvgSeverityScore == nil) || score != nil && *score != *k.AvgSeverityScore {
			t.Fatalf("step %d: %s kept %+v, counted %d", step, k.IssueType, k, n)
		}
	}
}

// consistent holds the figures against each other: a part is never more than the whole.
func consistent(t *testing.T, db *pgxpool.Pool, s *opendata.StatisticsSummary, step int) {
	t.Helper()
	sum := func(parts map[string]int) int {
		total := 0
		for _, n := range parts {
			total += n
		}
		return total
	}
	if sum(s.ByStatus) != s.TotalReports || sum(s.BySeverity) != s.TotalReports-s.ByStatus["pending"] {
		t.Fatalf("step %d: the parts are not the whole: %+v", step, s)
	}
	var day, week, month int
	const direct = `SELECT count(*) FILTER (WHERE created >= date_trunc('day', today)), count(*) FILTER (WHERE created >= date_trunc('week', today)),
		count(*) FILTER (WHERE created >= date_trunc('month', today))
		FROM (SELECT created_at AT TIME ZONE 'Asia/Dili' AS created, now() AT TIME ZONE 'Asia/Dili' AS today FROM reports WHERE deleted_at IS NULL) r`
	if err := db.QueryRow(t.Context(), direct).Scan(&day, &week, &month); err != nil {
		t.Fatal(err)
	}
	if s.ReportsToday != day || s.ReportsThisWeek != week || s.ReportsThisMonth != month || max(day, week, month) > s.TotalReports {
		t.Fatalf("step %d: kept %+v, counted %d today, %d this week, %d this month", step, s, day, week, month)
	}
	trends, err := opendata.ReadTrends(t.Context(), db, time.Now(), opendata.Month, 1)
	if err != nil || len(trends) != 1 || trends[0].Created != month {
		t.Fatalf("step %d: trends %+v, counted %d: %v", step, trends, month, err)
	}
}

// Figures that have not changed have the time of their last change, so that a reader gets a 304 for them.
func TestSummaryIsTheSameUntilAReportChanges(t *testing.T) {
	t.Parallel()
	db := testdb.OwnerPool(t)
	now := time.Now()
	summary := func(at time.Time) opendata.StatisticsSummary {
		t.Helper()
		s, err := opendata.ReadSummary(t.Context(), db, at)
		if err != nil {
			t.Fatal(err)
		}
		return *s
	}
	midnight := time.Date(2026, 3, 9, 15, 0, 0, 0, time.UTC)
	if got := summary(midnight.Add(3 * time.Hour)).UpdatedAt.Time; !got.Equal(midnight) {
		t.Errorf("without a report: %s, want %s", got, midnight)
	}
	id := create(t, db, rand.New(rand.NewPCG(7, 8)), 1)
	first := summary(now)
	if later := summary(now.Add(time.Millisecond)); !reflect.DeepEqual(first, later) {
		t.Errorf("got %+v, before %+v", later, first)
	}
	exec(t, db, `UPDATE reports SET deleted_at = now() + interval '1 hour' WHERE id = $1`, id)
	if removed := summary(now); removed.TotalReports != 0 || removed.ReportsToday != 0 || !removed.UpdatedAt.After(first.UpdatedAt.Time) {
		t.Errorf("after the removal: %+v, before %+v", removed, first)
	}
}

func TestEmptySystem(t *testing.T) {
	t.Parallel()
	db := testdb.OwnerPool(t)
	s, err := opendata.ReadSummary(t.Context(), db, time.Now())
	if err != nil || s.TotalReports != 0 || len(s.ByStatus) != 6 || len(s.BySeverity) != 4 || s.AvgResolutionHours != nil {
		t.Errorf("got %+v, %v", s, err)
	}
	all, err := opendata.ReadByMunicipality(t.Context(), db)
	if err != nil || len(all) != 14 || all[0].Total != 0 || all[0].Latitude == 0 {
		t.Errorf("got %d municipalities: %+v, %v", len(all), all, err)
	}
	trends, err := opendata.ReadTrends(t.Context(), db, time.Now(), opendata.Day, 7)
	if err != nil || len(trends) != 7 {
		t.Errorf("got %d days, %v", len(trends), err)
	}
}

func TestDaysAreThoseOfDili(t *testing.T) {
	t.Parallel()
	db := testdb.OwnerPool(t)
	id := create(t, db, rand.New(rand.NewPCG(3, 4)), 1)
	_ = id
	// 2026-03-09 16:00 UTC is Tuesday the 10th in Dili.
	exec(t, db, `INSERT INTO reports (id, report_number, content_hash, issue_type, latitude, longitude, created_at)
		VALUES ($1, 'LS-2026-900000', '', 'pothole', 0, 0, '2026-03-09T16:00:00Z')`, uuid.New())
	now := time.Date(2026, 3, 9, 16, 30, 0, 0, time.UTC)
	s, err := opendata.ReadSummary(context.Background(), db, now)
	if err != nil || s.ReportsToday != 1 || s.ReportsThisWeek < 1 {
		t.Errorf("got %+v, %v", s, err)
	}
	trends, err := opendata.ReadTrends(t.Context(), db, now, opendata.Week, 8)
	if err != nil || len(trends) != 2 || trends[1].Period.String() != "2026-03-09" || trends[1].Created != 1 {
		t.Errorf("got %+v, %v", trends, err)
	}
}

func TestDistrictsByAnyNameOfTheMunicipality(t *testing.T) {
	t.Parallel()
	db := testdb.OwnerPool(t)
	exec(t, db, `INSERT INTO boundaries (id, level, name, area)
		VALUES (gen_random_uuid(), 'district', 'Cristo Rei', ST_Multi(ST_MakeEnvelope(125, -9, 126, -8, 4326)))`)
	r := rand.New(rand.NewPCG(5, 6))
	for i := range 20 {
		create(t, db, r, i)
	}
	for _, name := range []string{"TL-BA", "baucau", "Baukau", "Vila Salazar"} {
		got, err := opendata.ReadByDistrict(t.Context(), db, name)
		if err != nil || len(got) != 1 || got[0].Municipality != "Baucau" || got[0].District != "Cristo Rei" {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}
