package journeys_test

import "fmt"

// The numbers of rows on which plans and times are measured.
const (
	loadJourneys = 5000
	loadEach     = 20 // markers a journey
	loadReports  = 20000
)

// loadID is the id of the nth journey of load, from 1. Every fifth is in
// Timor-Leste, the rest all over the world.
func loadID(n int) string { return fmt.Sprintf("00000000-0000-7000-9000-%012x", n) }

// load fills the database with journeys of 500 riders, 100,000 markers in all,
// their routes, tracks of some of them, and reports in Timor-Leste. The first journey in Timor-Leste,
// loadID(5), and the first elsewhere, loadID(6), go to the given rider.
func (b *bundle) load(r *rider) {
	b.t.Helper()
	id := func(block, n string) string {
		return `('00000000-0000-7000-` + block + `-' || lpad(to_hex(` + n + `), 12, '0'))::uuid`
	}
	b.exec(`INSERT INTO users (id, email, full_name) SELECT ` + id("8000", "i") + `, 'rider' || i || '@example.tl', 'Rider' FROM generate_series(1, 500) i`)
	b.exec(`INSERT INTO journeys (id, user_id, name)
		SELECT `+id("9000", "i")+`, CASE WHEN i IN (5, 6) THEN $2 ELSE `+id("8000", "1 + i % 500")+` END, 'Tour' FROM generate_series(1, $1::int) i`,
		loadJourneys, r.ID)
	b.exec(`
		INSERT INTO markers (id, journey_id, owner_id, name, marker_type, lon, lat, happened_on, planned_on)
		SELECT `+id("a000", "i * 100 + k")+`, j.id, j.user_id, 'Stop ' || k, CASE WHEN k < 10 THEN 'past' ELSE 'plan' END,
		       CASE WHEN i % 5 = 0 THEN 124 + (i * 7919 % 3300) / 1000.0 ELSE -170 + (i * 104729 % 340000) / 1000.0 END + k * 0.1 * (i % 7 - 3) / 3,
		       CASE WHEN i % 5 = 0 THEN -9.5 + (i * 15485863::bigint % 1400) / 1000.0 ELSE -60 + (i * 1299709::bigint % 120000) / 1000.0 END + k * 0.1 * (i % 5 - 2) / 2,
		       CASE WHEN k < 10 THEN date '2026-01-01' + i % 300 + k END, CASE WHEN k >= 10 THEN date '2030-01-01' + i % 300 + k END
		  FROM generate_series(1, $1::int) i JOIN journeys j ON j.id = `+id("9000", "i")+`, generate_series(0, $2::int - 1) k`,
		loadJourneys, loadEach)
	b.exec(`
		WITH pairs AS (
			SELECT journey_id, marker_type, coalesce(happened_on, planned_on) AS day, position, row_number() OVER riding AS n,
			       lead(marker_type) OVER riding AS next_type, lead(coalesce(happened_on, planned_on)) OVER riding AS next_day,
			       lead(position) OVER riding AS next_position
			  FROM markers WINDOW riding AS (PARTITION BY journey_id ORDER BY marker_type = 'plan', coalesce(happened_on, planned_on), created_at, id)
		)
		INSERT INTO journey_legs (journey_id, seq, kind, dates, line, shown_line, start_m, length_m)
		SELECT journey_id, n, CASE WHEN marker_type = next_type THEN marker_type ELSE 'transition' END, daterange(day, next_day, '[]'),
		       line, line, sum(length) OVER (PARTITION BY journey_id ORDER BY n) - length, length
		  FROM pairs, LATERAL (SELECT ST_MakeLine(position::geometry, next_position::geometry)::geography AS line,
		                              ST_Distance(position, next_position) AS length) leg
		 WHERE next_position IS NOT NULL`)
	b.exec(`
		INSERT INTO reports (id, report_number, content_hash, issue_type, status, latitude, longitude)
		SELECT `+id("b000", "i")+`, 'LS-2026-' || i, '\x00', 'pothole', CASE i % 4 WHEN 0 THEN 'fixed' WHEN 1 THEN 'pending' ELSE 'verified' END,
		       -9.4 + (i * 15485863::bigint % 1300) / 1000.0, 124.1 + (i * 7919::bigint % 3200) / 1000.0
		  FROM generate_series(1, $1::int) i`, loadReports)
	b.exec(`
		INSERT INTO tracks (id, journey_id, kind, as_route, content_hash, points, length_m)
		SELECT id, id, 'recorded', false, sha256(id::text::bytea), $1, 0 FROM journeys WHERE right(id::text, 1) IN ('0', '5', 'a')`, loadEach)
	b.exec(`
		INSERT INTO track_stretches (track_id, seq, journey_id, dates, line, shown_line)
		SELECT journey_id, seq, journey_id, dates, curve, curve
		  FROM journey_legs CROSS JOIN LATERAL (SELECT ST_Segmentize(line, greatest(1, length_m / 20)) AS curve) c
		 WHERE journey_id IN (SELECT id FROM tracks)`)
	b.exec(`
		INSERT INTO track_legs (track_id, seq, journey_id, planned, segment, dates, line, shown_line, start_m, length_m)
		SELECT track_id, seq, journey_id, seq % 2 = 0, 0, s.dates, s.line, s.shown_line, start_m, length_m
		  FROM track_stretches s JOIN journey_legs l USING (journey_id, seq)`)
	b.exec(`ANALYZE users, journeys, markers, journey_legs, reports, tracks, track_legs, track_stretches`)
}
