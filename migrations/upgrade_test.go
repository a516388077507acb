package migrations_test

import (
	"database/sql"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/migrations"
)

// TestOlderDatabaseGoesOn brings a database with number 30 to the newest schema. Files up to number 30 did not land in the
// order of their numbers, and databases applied them in the order in which they landed. This database does the same.
func TestOlderDatabaseGoesOn(t *testing.T) {
	t.Parallel()
	address := testdb.EmptyURL(t)
	apply(t, address, "00018", "00025")
	apply(t, address)
	conn := testdb.Connect(t, address)
	rows, err := os.ReadFile("testdata/rows_at_30.sql")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), string(rows)); err != nil {
		t.Fatal(err)
	}
	before := contents(t, conn)

	if err := migrations.Apply(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	if err := migrations.Apply(t.Context(), address); err != nil {
		t.Errorf("a second time: %v", err)
	}
	after := contents(t, conn)
	for table, was := range before {
		// The cells are held against the reports below; legs through markers without a date are new.
		if after[table] != was && !strings.HasPrefix(table, "map_cell") && table != "journey_legs" {
			t.Errorf("%s: the rows are not those of before", table)
		}
	}
	const cells = `
		SELECT (SELECT sum(reports) FROM map_cells WHERE zoom = 12) = count(*)
		   AND abs((SELECT sum(sum_lon) FROM map_cells WHERE zoom = 12) - sum(shown_degrees(longitude, status))) < 1e-6
		   AND abs((SELECT sum(sum_lat) FROM map_cells WHERE zoom = 12) - sum(shown_degrees(latitude, status))) < 1e-6
		   AND bool_or(longitude <> shown_degrees(longitude, status))
		  FROM reports WHERE deleted_at IS NULL AND status <> 'rejected'`
	var right bool
	if err := conn.QueryRow(t.Context(), cells).Scan(&right); err != nil || !right {
		t.Errorf("the cells of the map are not at the places that everybody is shown (%v)", err)
	}
	var figures string
	if err := conn.QueryRow(t.Context(), `SELECT string_agg(measure || ' ' || bucket || ' ' || n, ', ' ORDER BY measure) FROM agency_totals`).Scan(&figures); err != nil ||
		figures != "assigned 0 1, open -1 1, reopened 0 1, start 1 1" {
		t.Errorf("figures of the agencies: %s (%v)", figures, err)
	}
	var verdicts string
	if err := conn.QueryRow(t.Context(), `SELECT string_agg(DISTINCT i.kind || ' ' || verdict || ' ' || status, ', ' ORDER BY i.kind || ' ' || verdict || ' ' || status)
		FROM report_images i JOIN reports r ON r.id = i.report_id`).Scan(&verdicts); err != nil || verdicts != "evidence awaited pending, resolution relevant pending" {
		t.Errorf("verdicts of the pictures: %s (%v)", verdicts, err)
	}
	var open int
	const waiting = `SELECT count(*) FROM pg_constraint WHERE NOT convalidated AND connamespace = 'public'::regnamespace`
	if err := conn.QueryRow(t.Context(), waiting).Scan(&open); err != nil || open != 0 {
		t.Errorf("%d constraints are not validated (%v)", open, err)
	}
}

// A migration that failed half way, or whose record was lost, can run again.
func TestStatesRunAgain(t *testing.T) {
	t.Parallel()
	address := testdb.EmptyURL(t)
	upTo(t, address, 45) // later files run in a transaction
	conn := testdb.Connect(t, address)
	for _, q := range []string{
		"DELETE FROM goose_db_version WHERE version_id >= 31",
		"ALTER TABLE outbox DROP CONSTRAINT outbox_queue_known",
	} {
		if _, err := conn.Exec(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	if err := migrations.Apply(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "INSERT INTO outbox (id, queue, body) VALUES (gen_random_uuid(), 'nowhere', '{}')"); err == nil ||
		!strings.Contains(err.Error(), "outbox_queue_known") {
		t.Errorf("a queue that does not exist: %v", err)
	}
}

func TestRefusesWhatLandedBelow(t *testing.T) {
	t.Parallel()
	address := testdb.URL(t)
	if _, err := testdb.Connect(t, address).Exec(t.Context(), "DELETE FROM goose_db_version WHERE version_id = 18"); err != nil {
		t.Fatal(err)
	}
	if err := migrations.Apply(t.Context(), address); err == nil || !strings.Contains(err.Error(), "18") {
		t.Errorf("number 18 is missing below the highest: %v", err)
	}
}

// apply brings the database up to number 30 as commit f663cb9 did, without the files of some numbers.
func apply(t *testing.T, address string, without ...string) {
	t.Helper()
	upTo(t, address, 30, without...)
}

// upTo brings the database up to a number, without the files of some numbers.
func upTo(t *testing.T, address string, number int64, without ...string) {
	t.Helper()
	files := fstest.MapFS{}
	for _, name := range fileNames(t) {
		if slices.Contains(without, name[:5]) {
			continue
		}
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: body}
	}
	db, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithDisableGlobalRegistry(true), goose.WithAllowOutofOrder(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), number); err != nil {
		t.Fatal(err)
	}
}

// changed are the columns that migrations after number 30 fill or drop, by table.
var changed = map[string][]string{
	"boundaries":    {"label", "outline"}, // generated
	"journeys":      {"ends_seed", "hide_ends_m"},
	"ledger_events": {"log_index", "position", "topic"}, "report_images": {"verdict"}, "report_salts": {"seq"},
	"reports": {"source", "started_at", "reopened_count", "flags_count", "confirmations_count", "followers_count", "overdue_told"}, "uploads": {"generation"},
}

// contents are the rows of every table that has some, in no order, as a hash. Columns that are NULL do not count, so that a
// migration may add some; nor do those of changed.
func contents(t *testing.T, conn *pgx.Conn) map[string]string {
	t.Helper()
	const list = `SELECT c.oid::regclass::text FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
		AND c.relname NOT IN ('goose_db_version', 'spatial_ref_sys')`
	rows, err := conn.Query(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]string)
	for _, table := range tables {
		var hash *string
		query := `SELECT md5(string_agg(t, ',' ORDER BY t)) FROM (SELECT jsonb_strip_nulls(to_jsonb(r) - $1::text[])::text AS t FROM ` + table + ` r) rows`
		if err := conn.QueryRow(t.Context(), query, append([]string{}, changed[table]...)).Scan(&hash); err != nil {
			t.Fatal(err)
		}
		if hash != nil {
			out[table] = *hash
		}
	}
	return out
}
