package generate_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/infra/local/generate"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/ledger"
)

func options(reports int) generate.Options {
	return generate.Options{Reports: reports, Seed: 1, Until: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)}
}

func fill(t *testing.T, o generate.Options) *pgxpool.Pool {
	t.Helper()
	address := testdb.URL(t)
	if err := generate.Fill(t.Context(), address, o); err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.New(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// What is generated is what the system itself could have written.
func TestFillsConsistently(t *testing.T) {
	t.Parallel()
	for name, detailed := range map[string]int{"all detailed": 0, "a third": 1000} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(3000)
			o.Detailed = detailed
			checkConsistency(t, fill(t, o))
		})
	}
}

func checkConsistency(t *testing.T, db *pgxpool.Pool) {
	t.Helper()
	if err := generate.Check(t.Context(), db); err != nil {
		t.Errorf("counters: %v", err)
	}
	none := func(what, query string) {
		t.Helper()
		var n int
		if err := db.QueryRow(t.Context(), query).Scan(&n); err != nil || n != 0 {
			t.Errorf("%d %s (%v)", n, what, err)
		}
	}
	none("histories that do not end at the report's status", `SELECT count(*) FROM reports r WHERE status <> (
		SELECT new_status FROM report_status_history h WHERE h.report_id = r.id ORDER BY h.created_at DESC, h.id DESC LIMIT 1)`)
	none("duplicates without their original", `SELECT count(*) FROM reports r WHERE duplicate_of IS NOT NULL
		AND NOT EXISTS (SELECT FROM reports o WHERE o.id = r.duplicate_of)`)
	none("numbers out of order", `SELECT count(*) FROM (SELECT created_at < lag(created_at) OVER (ORDER BY report_number) AS early FROM reports) x WHERE early`)
	none("years whose counter is off", `SELECT count(*) FROM report_numbers n WHERE last <> (
		SELECT max(right(report_number, 6)::int) FROM reports WHERE report_number LIKE 'LS-' || n.year || '-%')`)
	none("reports outside their municipality's country", `SELECT count(*) FROM reports r WHERE NOT EXISTS (SELECT FROM municipalities m
		WHERE r.longitude BETWEEN m.min_lon AND m.max_lon AND r.latitude BETWEEN m.min_lat AND m.max_lat)`)
	none("broken references", `SELECT (SELECT count(*) FROM reports r LEFT JOIN users u ON u.id = r.user_id WHERE u.id IS NULL)
		+ (SELECT count(*) FROM report_images i LEFT JOIN uploads u ON u.id = i.upload_id LEFT JOIN reports r ON r.id = i.report_id WHERE u.id IS NULL OR r.id IS NULL)
		+ (SELECT count(*) FROM report_embeddings e LEFT JOIN report_images i ON i.id = e.image_id WHERE i.id IS NULL)
		+ (SELECT count(*) FROM reports r LEFT JOIN ai_analyses a ON a.id = r.ai_analysis_id WHERE r.ai_analysis_id IS NOT NULL AND a.id IS NULL)
		+ (SELECT count(*) FROM notifications n LEFT JOIN users u ON u.id = n.user_id WHERE u.id IS NULL)`)
}

// Reports without details have none at all.
func TestLeavesDetailsOut(t *testing.T) {
	t.Parallel()
	o := options(1000)
	o.Detailed = 100
	db := fill(t, o)
	var without, oldest int
	err := db.QueryRow(t.Context(), `SELECT count(*), count(*) FILTER (WHERE created_at < $1) FROM reports r WHERE comments_count = 0 AND ai_analysis_id IS NULL
		AND NOT EXISTS (SELECT FROM report_status_history WHERE report_id = r.id) AND NOT EXISTS (SELECT FROM report_comments WHERE report_id = r.id)
		AND NOT EXISTS (SELECT FROM ai_analyses WHERE report_id = r.id) AND NOT EXISTS (SELECT FROM notifications WHERE report_id = r.id)`,
		o.Until.AddDate(-1, 0, 0)).Scan(&without, &oldest)
	if err != nil || without != 902 || oldest == 0 {
		t.Errorf("%d reports without details, %d of them old (%v); want 902", without, oldest, err)
	}
}

// The ledger's own reader finds every event intact and chained, and the reports as they say. The log is not published.
func TestLedgerHolds(t *testing.T) {
	t.Parallel()
	db := fill(t, options(300))
	rows, err := db.Query(t.Context(), "SELECT id FROM reports")
	if err != nil {
		t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil || len(ids) != 300 {
		t.Fatalf("%d reports: %v", len(ids), err)
	}
	c := ledger.Config{Network: "local", Accounts: []string{generate.Account}, TopicReports: generate.TopicReports}
	for _, id := range ids {
		v, err := ledger.VerifyRecords(t.Context(), db, c, id)
		if err != nil {
			t.Fatal(err)
		}
		for _, check := range v.Checks {
			if !check.OK && !check.Waiting {
				t.Fatalf("report %s: %+v", id, check)
			}
		}
	}
}

func TestSameSeedSameRows(t *testing.T) {
	t.Parallel()
	digest := func(seed uint64) string {
		o := options(200)
		o.Seed = seed
		db := fill(t, o)
		var sum string
		const all = `SELECT md5(string_agg(x, '' ORDER BY x)) FROM (SELECT r::text AS x FROM reports r UNION ALL SELECT e.payload_hash::text FROM ledger_events e
			UNION ALL SELECT e.embedding::text FROM report_embeddings e UNION ALL SELECT l::text FROM journey_legs l
			UNION ALL SELECT p::text FROM track_points p UNION ALL SELECT s::text FROM track_stretches s) y`
		if err := db.QueryRow(t.Context(), all).Scan(&sum); err != nil {
			t.Fatal(err)
		}
		return sum
	}
	if first := digest(1); first != digest(1) || first == digest(2) {
		t.Error("rows do not follow from the seed")
	}
}

func TestPlacesLieOnLand(t *testing.T) {
	t.Parallel()
	for place, want := range map[[2]float64]bool{
		{-8.5569, 125.5603}: true,  // Dili
		{-8.50, 125.57}:     false, // the sea before it
		{-9.10, 124.75}:     false, // Indonesia, between Oé-Cusse and the rest
		{-9.25, 124.38}:     true,  // Oé-Cusse
		{-8.24, 125.59}:     true,  // Ataúro
		{-8.80, 125.60}:     true,
	} {
		if got := generate.OnLand(place[0], place[1]); got != want {
			t.Errorf("%v on land: %v", place, got)
		}
	}
}
