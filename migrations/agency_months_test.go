package migrations_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/migrations"
)

// The months have what the days have, also where relay folds before the migration, while it runs and after it. fold is the statement of
// opendata.Fold, of which a connection may keep the plan.
func TestAgencyMonthsEqualTheDays(t *testing.T) {
	t.Parallel()
	address := testdb.EmptyURL(t)
	upTo(t, address, 90)
	changes, holder, relay := testdb.Connect(t, address), testdb.Connect(t, address), testdb.Connect(t, address)
	run := func(conn *pgx.Conn, sql string) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	const change = `INSERT INTO agency_changes SELECT '00000000-0000-0000-0000-000000000001', date '2028-02-27' + d, 'fix', d % 2, 1 + d FROM generate_series(0, 40) d`
	run(changes, change)
	const fold = `EXECUTE fold`
	run(relay, `PREPARE fold AS SELECT fold_report_totals(), fold_account_totals(), fold_map_cells(), fold_agency_figures(), fold_report_months()`)
	run(relay, fold)
	run(changes, change)

	run(holder, `BEGIN; LOCK TABLE report_totals IN ROW EXCLUSIVE MODE`) // as a fold that runs
	migrated, folded := make(chan error, 1), make(chan error, 1)
	go func() { migrated <- migrations.Apply(t.Context(), address) }()
	waiting(t, changes, 1)
	go func() {
		_, err := relay.Exec(t.Context(), fold)
		folded <- err
	}()
	waiting(t, changes, 2)
	run(holder, `COMMIT`)
	if err := <-migrated; err != nil {
		t.Fatal(err)
	}
	if err := <-folded; err != nil {
		t.Fatal(err)
	}
	equalDays(t, changes, 1722)

	run(changes, change)
	run(relay, fold)
	equalDays(t, changes, 2583)
}

// waiting returns when n sessions of the database wait for a lock.
func waiting(t *testing.T, conn *pgx.Conn, n int) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		var got int
		const count = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
		if err := conn.QueryRow(t.Context(), count).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got == n {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d sessions wait for a lock, want %d", got, n)
		}
	}
}

// equalDays compares the months with the days, which have a sum.
func equalDays(t *testing.T, conn *pgx.Conn, sum int) {
	t.Helper()
	const compare = `
		SELECT (SELECT sum(n) FROM agency_days)::bigint, (SELECT count(*) FROM (
			SELECT FROM (SELECT month, agency_id, measure, bucket, n FROM agency_months UNION ALL
			             SELECT date_trunc('month', day::timestamp)::date, agency_id, measure, bucket, -n FROM agency_days) x
			 GROUP BY month, agency_id, measure, bucket HAVING sum(n) <> 0) differ)`
	var days, differ int
	if err := conn.QueryRow(t.Context(), compare).Scan(&days, &differ); err != nil || days != sum || differ != 0 {
		t.Errorf("%d sums by month are not those of the days, which add up to %d, want %d (%v)", differ, days, sum, err)
	}
}
