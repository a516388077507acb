package journeys_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// straight is a GPX track of 100 points in a line; without a time it is a plan without days.
func straight(from string, lon1, lat1, lon2, lat2 float64) string {
	var b strings.Builder
	b.WriteString("<trk><name>Straight</name><trkseg>")
	for i := range 100 {
		part := float64(i) / 99
		fmt.Fprintf(&b, `<trkpt lat="%.7f" lon="%.7f">`, lat1+part*(lat2-lat1), lon1+part*(lon2-lon1))
		if from != "" {
			fmt.Fprintf(&b, "<time>%sT01:%02d:00Z</time>", from, i%60)
		}
		b.WriteString("</trkpt>")
	}
	b.WriteString("</trkseg></trk>")
	return gpxOf(b.String())
}

// imported is a journey with one track and nothing else.
func (r *rider) imported(members object, file string) string {
	r.b.t.Helper()
	id := r.journey(members)
	r.imports(id, file, 201)
	return id
}

// Two tracks cross. Both modes find it: where, and that it was on the same day.
func TestNearbyFindsTracks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria, joao, ana := b.rider(), b.rider(), b.rider()
	mine := maria.imported(nil, straight("2026-01-01", 125.0, -8.7, 125.2, -8.7))
	crossing := joao.imported(nil, straight("2026-01-01", 125.1, -8.8, 125.1, -8.6))
	undated := joao.imported(nil, straight("", 125.0, -8.75, 125.2, -8.75))
	markers := ana.route(past, "2026-01-01", "2026-01-02", 125.05, -8.71, 125.05, -8.72)
	for _, mode := range []string{"markers", "route"} {
		equal(t, mode, maria.nearbyIDs(mine, "?mode="+mode), crossing, markers, undated)
		equal(t, mode+", window", maria.nearbyIDs(mine, "?from=2025-12-01&to=2026-02-01&mode="+mode), crossing, markers)
		equal(t, mode+", of a journey of markers", ana.nearbyIDs(markers, "?mode="+mode), mine, undated, crossing)
		found := maria.call("GET", "/journeys/"+mine+"/nearby?mode="+mode, nil).want(200).list()
		if found[0]["distance_meters"] != 0.0 || found[0]["overlaps_in_time"] != true || found[2]["overlaps_in_time"] != false {
			t.Errorf("%s: found %v", mode, found)
		}
		for _, side := range []string{"mine", "theirs"} {
			at := found[0]["closest"].(object)[side].(object)["coordinates"].([]any)
			if math.Abs(at[0].(float64)-125.1) > 1e-4 || math.Abs(at[1].(float64)+8.7) > 1e-4 {
				t.Errorf("%s: closest %s is %v, want 125.1, -8.7", mode, side, at)
			}
		}
	}
}

// Others do not find the hidden ends of a track: a track of 900 m is hidden wholly.
func TestNearbyDoesNotFindHiddenEnds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria, joao := b.rider(), b.rider()
	mine := maria.imported(nil, straight("2026-01-01", 125.0, -8.7, 125.0, -8.6919))
	theirs := joao.imported(object{"hide_ends_m": 0}, straight("2026-01-01", 124.99, -8.7, 125.01, -8.7))
	for _, mode := range []string{"markers", "route"} {
		equal(t, mode, joao.nearbyIDs(theirs, "?mode="+mode))
		equal(t, mode+", of the hidden track", joao.nearbyIDs(mine, "?mode="+mode))
		equal(t, mode+", for its owner", maria.nearbyIDs(mine, "?mode="+mode), theirs)
	}
	maria.call("PATCH", "/journeys/"+mine, object{"hide_ends_m": 0}).want(200)
	equal(t, "shown", joao.nearbyIDs(theirs, ""), mine)
}

// More than 3,000 shapes lie in one place. The search reads a part of them and answers with journeys from all along the way.
func TestNearbyAnswersWhereManyShapesAre(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria, joao := b.rider(), b.rider()
	mine := maria.route(plan, "2026-12-01", "2026-12-02", 125.0, -8.7, 126.0, -8.7)
	crowd := joao.journey(nil)
	b.exec(`INSERT INTO markers (id, journey_id, owner_id, name, marker_type, lon, lat)
		SELECT gen_random_uuid(), $1, $2, 'Stop', 'plan', 125, -8.7 FROM generate_series(1, 10000)`, crowd, joao.ID)
	other := joao.route(plan, "2026-12-01", "2026-12-02", 126.0, -8.7, 126.0, -8.8)
	got := maria.nearbyIDs(mine, "")
	if len(got) != 2 || got[0] != min(crowd, other) || got[1] != max(crowd, other) {
		t.Errorf("found %v, want %s and %s", got, crowd, other)
	}
}

// A scribble in the same place does not hide another rider.
func TestNearbyFindsRidersBesideAScribble(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria, joao, carlos := b.rider(), b.rider(), b.rider()
	mine := maria.route(plan, "2026-12-01", "2026-12-02", 125.50, -8.60, 125.51, -8.60)
	other := joao.route(plan, "2026-12-01", "2026-12-02", 125.53, -8.60, 125.54, -8.60)
	scribble := carlos.journey(nil)
	b.exec(`INSERT INTO tracks (id, journey_id, kind, as_route, content_hash, points, length_m)
		SELECT '00000000-0000-7000-d000-000000000000', $1, 'planned', false, sha256('x'), 2, 1`, scribble)
	b.exec(`INSERT INTO track_stretches (track_id, seq, journey_id, line, shown_line)
		SELECT '00000000-0000-7000-d000-000000000000', n, $1, line, line
		  FROM generate_series(1, 5000) n, LATERAL (SELECT ST_MakeLine(ST_MakePoint(125.25 + n * 7919 % 5000 * 1e-4, -8.85 + n * 104729 % 5000 * 1e-4),
		       ST_MakePoint(125.25 + n * 15485863::bigint % 5000 * 1e-4, -8.85 + n * 32452843::bigint % 5000 * 1e-4))::geography AS line) l`, scribble)
	for _, query := range []string{"", "?radius_m=500000", "?radius_m=9000&limit=2", "?mode=route&radius_m=500000"} {
		if got := maria.nearbyIDs(mine, query); !slices.Contains(got, other) {
			t.Errorf("%s: found %v, want %s among them", query, got, other)
		}
	}
}

// A journey that is too large to search around is refused before others are read.
func TestNearbyRefusesTooComplexJourneys(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	stops := func(n int, where string) string {
		id := maria.journey(nil)
		b.exec(`INSERT INTO markers (id, journey_id, owner_id, name, marker_type, lon, lat, planned_on)
			SELECT gen_random_uuid(), $1, $2, 'Stop', 'plan', `+where+`, DATE '2026-12-01' + i FROM generate_series(1, $3::int) i`, id, maria.ID, n)
		return id
	}
	legs := func(id string) {
		b.exec(`INSERT INTO journey_legs (journey_id, seq, kind, dates, line, shown_line, start_m, length_m)
			SELECT journey_id, i, 'plan', daterange(day, next, '[]'), line, line, 0, 0
			  FROM (SELECT journey_id, row_number() OVER w AS i, planned_on AS day, lead(planned_on) OVER w AS next,
			               ST_MakeLine(position::geometry, lead(position::geometry) OVER w)::geography AS line
			          FROM markers WHERE journey_id = $1 WINDOW w AS (ORDER BY planned_on)) x WHERE next IS NOT NULL`, id)
	}
	const zigzag = `CASE i % 2 WHEN 0 THEN 85 ELSE -85 END, i / 10000.0`
	many := stops(5001, `125 + i / 10000.0, -8.7`)
	maria.call("GET", "/journeys/"+many+"/journeys/nearby", nil).wantCode(422, "route_too_complex")
	maria.call("GET", "/journeys/"+many+"/nearby?mode=route", nil).wantCode(422, "route_too_complex")
	tour := stops(200, zigzag)
	legs(tour)
	maria.call("GET", "/journeys/"+tour+"/journeys/nearby?mode=route&radius_m=500000", nil).want(200)
	wide := stops(1500, zigzag)
	legs(wide)
	maria.call("GET", "/journeys/"+wide+"/journeys/nearby?mode=route", nil).wantCode(422, "route_too_complex")
	maria.call("GET", "/journeys/"+wide+"/journeys/nearby", nil).want(200)
}

// A statement of the search that takes too long ends, and the rider is told what to do.
func TestNearbyEndsSlowStatements(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	id := maria.route(plan, "2026-12-01", "2026-12-02", 125.0, -8.7, 126.0, -8.7)
	tx, err := b.db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := tx.Exec(t.Context(), `LOCK TABLE track_stretches`); err != nil { // the statement waits
		t.Fatal(err)
	}
	maria.call("GET", "/journeys/"+id+"/journeys/nearby", nil).wantCode(422, "route_too_complex")
}
