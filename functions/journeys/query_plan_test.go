package journeys_test

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/journeys"
	"github.com/lafaekstreet/backend/functions/journeys/track"
)

// With 100,000 markers the searches use their indexes, both with a plan for the
// given values and with a generic one, which a prepared statement may get after five runs.
func TestPlansUseTheIndexes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	b.load(maria)
	if n := b.count(`SELECT count(*) FROM markers`); n != loadJourneys*loadEach {
		t.Fatalf("%d markers", n)
	}
	report := b.report("verified", 125.57, -8.55)
	place := []float64{10}
	areas := [][]byte{track.AreaAround(track.Position{125.5, -8.6}, 3000), track.AreaAround(track.Position{126, -8.7}, 10_000)}
	near := []any{loadID(5), areas, nil, nil, 100, nil}
	for name, c := range map[string]struct {
		sql   string
		args  []any
		index string
		whole []string // tables that must not be read whole
	}{
		"nearby markers": {journeys.NearShapesSQL("markers"), near, "markers_shown_idx", []string{"markers", "track_stretches"}},
		"nearby route":   {journeys.NearShapesSQL("route"), near, "journey_legs_shown_line_idx", []string{"journey_legs", "track_stretches"}},
		"nearby tracks":  {journeys.NearShapesSQL("route"), near, "track_stretches_shown_line_idx", []string{"journey_legs", "track_stretches"}},
		"own shapes":     {journeys.OwnShapesSQL("all"), []any{loadID(5), maria.ID, 5001}, "track_stretches_journey_idx", []string{"markers", "journey_legs", "track_stretches"}},
		"same day": {journeys.DatedShapesSQL, []any{[]string{loadID(5), loadID(6)}, "2026-01-01", "2027-01-01", areas, 8},
			"track_stretches_journey_idx", []string{"markers", "journey_legs", "track_stretches"}},
		"found":           {journeys.VisibleSQL, []any{[]string{loadID(5), loadID(6)}, maria.ID}, "journeys_pkey", []string{"journeys"}},
		"affected":        {journeys.AffectedSQL, []any{report, 500, "2026-11-21"}, "journey_legs_shown_line_idx", []string{"reports", "journey_legs"}},
		"affected tracks": {journeys.AffectedSQL, []any{report, 500, "2026-11-21"}, "track_legs_planned_shown_line_idx", []string{"track_legs"}},
		"route":           {journeys.LengthSQL, []any{maria.ID, uuid.MustParse(loadID(5))}, "journey_legs_pkey", []string{"journey_legs"}},
		"markers":         {journeys.MarkersSQL, []any{maria.ID, uuid.MustParse(loadID(5))}, "markers_journey_idx", []string{"markers"}},
		"reports along":   {journeys.ReportsBesideSQL, []any{place, place, place, place, place, 2000}, "reports_open_position_idx", []string{"reports"}},
		"areas":           {journeys.AreasWithReportsSQL, []any{place, place, place}, "reports_open_position_idx", []string{"reports"}},
		"route legs":      {journeys.RouteLegsSQL, []any{loadID(5), maria.ID}, "journey_legs_pkey", []string{"journey_legs", "tracks", "track_legs"}},
	} {
		for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
			scans := b.scans(mode, "(FORMAT JSON) "+c.sql, c.args)
			if !slices.ContainsFunc(scans, func(s scan) bool { return s.Index == c.index }) {
				t.Errorf("%s, %s: %s is not used: %v", name, mode, c.index, scans)
			}
			for _, s := range scans {
				if s.Kind == "Seq Scan" && slices.Contains(c.whole, s.Table) {
					t.Errorf("%s, %s: %s is read whole", name, mode, s.Table)
				}
			}
		}
	}
}

// scan is a place of a plan where rows come from.
type scan struct {
	Kind    string  `json:"Node Type"`
	Table   string  `json:"Relation Name"`
	Index   string  `json:"Index Name"`
	Rows    float64 `json:"Actual Rows"` // on average, each time it ran; with those below when the plan was carried out
	Removed float64 `json:"Rows Removed by Filter"`
	Loops   float64 `json:"Actual Loops"`
	Plans   []scan
}

// A search reads few rows more than it returns: a thousand journeys of 20 places lie around this one, and 20,000 pieces of tracks
// lie in one place.
func TestNearbyReadsOnlyNeighbouringRows(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	b.load(maria)
	b.exec(`INSERT INTO track_stretches (track_id, seq, journey_id, line, shown_line)
		SELECT id, 1000 + i, journey_id, line, line FROM (SELECT id, journey_id, 'LINESTRING(125.5 -8.6, 125.51 -8.61)'::geography AS line FROM tracks WHERE journey_id <> $1 LIMIT 1) t,
		       generate_series(1, 20000) i`, loadID(5))
	b.exec(`ANALYZE track_stretches`)
	b.exec(`UPDATE pg_class SET reltuples = reltuples * 40 WHERE oid = 'track_stretches'::regclass`) // plans as for a million rows
	for _, radius := range []float64{100_000, 1000} {
		args := []any{loadID(5), [][]byte{track.AreaAround(track.Position{125.5, -8.6}, radius)}, nil, nil, 100, nil}
		for _, mode := range []string{"markers", "route"} {
			rows := 0.0
			for _, s := range b.scans("force_generic_plan", "(ANALYZE, TIMING OFF, FORMAT JSON) "+journeys.NearShapesSQL(mode), args, journeys.StopAtLimit) {
				rows += (s.Rows + s.Removed) * s.Loops
			}
			if rows < 100 || rows > 500 {
				t.Errorf("%s, %.0f m: %.0f rows were read for 100", mode, radius, rows)
			}
		}
	}
}

// A file is read in parts. A part of a track reads its own rows, and not those before and after.
func TestAPartOfATrackReadsItsOwnRows(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	journey, track := maria.journey(nil), uuid.New()
	b.exec(`INSERT INTO tracks (id, journey_id, name, kind, as_route, content_hash, points, length_m)
		VALUES ($1, $2, '', 'planned', false, sha256('x'), 6000, 1)`, track, journey)
	b.exec(`INSERT INTO track_points (track_id, seq, segment, lons, lats) SELECT $1, i, i, '{1,2}', '{1,2}' FROM generate_series(0, 2999) i`, track)
	b.exec(`ANALYZE track_points`)
	for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
		rows := 0.0
		for _, s := range b.scans(mode, "(ANALYZE, TIMING OFF, FORMAT JSON) "+journeys.PointRowsSQL, []any{[]uuid.UUID{track}, 1500, 50}) {
			rows += (s.Rows + s.Removed) * s.Loops
		}
		if rows < 50 || rows > 101 {
			t.Errorf("%s: %.0f rows were read for 50", mode, rows)
		}
	}
}

// scans explains what follows the word, options first, with settings of its transaction.
func (b *bundle) scans(mode, sql string, args []any, settings ...string) []scan {
	b.t.Helper()
	conn, err := b.db.Acquire(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	defer conn.Release()
	tx, err := conn.Begin(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(b.t.Context()) }()
	for _, setting := range append(settings, `SET LOCAL plan_cache_mode = `+mode) {
		if _, err := tx.Exec(b.t.Context(), setting); err != nil {
			b.t.Fatal(err)
		}
	}
	var raw []byte
	if err := tx.QueryRow(b.t.Context(), `EXPLAIN `+sql, args...).Scan(&raw); err != nil {
		b.t.Fatal(err)
	}
	var plans []struct{ Plan scan }
	if err := json.Unmarshal(raw, &plans); err != nil {
		b.t.Fatal(err)
	}
	var all []scan
	var walk func(s scan)
	walk = func(s scan) {
		if s.Table != "" || s.Index != "" {
			all = append(all, s)
		}
		for _, child := range s.Plans {
			walk(child)
		}
	}
	walk(plans[0].Plan)
	return all
}

// The area around a place holds the circle everywhere on earth: at the poles, at the antimeridian, and for any radius.
func TestAreaHoldsItsCircle(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const missed = `
		SELECT count(*) FROM (SELECT ST_SetSRID(ST_MakePoint($1, $2), 4326)::geography AS middle) m
		 CROSS JOIN generate_series(0, 350, 14) azimuth
		 CROSS JOIN LATERAL (SELECT ST_Project(middle, $3, radians(azimuth)) AS edge) e
		 WHERE NOT edge && ST_GeogFromWKB($4) OR NOT middle && ST_GeogFromWKB($4)`
	for n := range 400 {
		at := track.Position{float64(n*7919%3600)/10 - 180, float64(n*104729%1801)/10 - 90}
		radius := math.Pow(10, float64(n%8))
		if n := b.count(missed, at[0], at[1], min(radius, 19_000_000), track.AreaAround(at, radius)); n != 0 {
			t.Errorf("%d places within %.0f m of %v are not in the area", n, radius, at)
		}
	}
}
