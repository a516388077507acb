package journeys_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/functions/journeys"
	"github.com/lafaekstreet/backend/shared/report"
)

// ride lays a route of a rider's, a stop a day, in which planned stops are blurred for others.
func (b *bundle) ride(r *rider, id uuid.UUID, stops ...[2]float64) string {
	b.t.Helper()
	b.exec(`INSERT INTO journeys (id, user_id, name, plan_precision_m) VALUES ($1, $2, 'Ride', 3000)`, id, r.ID)
	for k, s := range stops {
		b.exec(`INSERT INTO markers (id, journey_id, owner_id, name, marker_type, lon, lat, blur_m, happened_on, planned_on)
			VALUES (gen_random_uuid(), $1, $2, 'Stop', CASE WHEN $5 < 2 THEN 'past' ELSE 'plan' END, $3, $4, CASE WHEN $5 < 2 THEN 0 ELSE 3000 END,
			        CASE WHEN $5 < 2 THEN date '2026-01-01' + $5::int END, CASE WHEN $5 >= 2 THEN date '2026-01-01' + $5::int END)`,
			id, r.ID, s[0], s[1], k)
	}
	b.exec(journeys.UpdateLegsSQL, id)
	return id.String()
}

// strew creates reports around places. Most are close to them, and one in three is finished.
func (b *bundle) strew(r *rand.Rand, n int, metres float64, around ...[2]float64) {
	b.t.Helper()
	var lons, lats []float64
	for i := range n {
		at := around[i%len(around)]
		away, angle := r.ExpFloat64()*metres/111_195, r.Float64()*2*math.Pi
		lon := at[0] + away*math.Cos(angle)/math.Cos(at[1]*math.Pi/180)
		lons, lats = append(lons, math.Remainder(lon, 360)), append(lats, at[1]+away*math.Sin(angle))
	}
	b.exec(`INSERT INTO reports (id, report_number, content_hash, issue_type, status, longitude, latitude)
		SELECT gen_random_uuid(), 'LS-2026-' || substr(gen_random_uuid()::text, 1, 18), '\x00', 'pothole', (ARRAY['pending', 'verified', 'fixed'])[1 + n % 3], lon, lat
		  FROM unnest($1::double precision[], $2::double precision[]) WITH ORDINALITY r (lon, lat, n)`, lons, lats)
}

// alongByDefinition searches around every piece of the route. The closest point, the report and the start of the piece are a
// right-angled triangle on the sphere, whose radius is 6,371,008.77 m: it gives the place along the piece.
const alongByDefinition = `
	WITH pieces AS MATERIALIZED (
		SELECT l.seq, p.path[1] AS piece, p.geom::geography AS line, ST_Length(p.geom::geography) AS length_m
		  FROM journeys j JOIN journey_legs l ON l.journey_id = j.id
		 CROSS JOIN LATERAL ST_DumpSegments(ST_Segmentize(CASE WHEN j.user_id = $2 THEN l.line ELSE l.shown_line END, 5000)::geometry) p
		 WHERE j.id = $1
	), measured AS MATERIALIZED (
		SELECT *, sum(length_m) OVER (ORDER BY seq, piece) - length_m AS start_m FROM pieces
	), hits AS (
		SELECT DISTINCT ON (r.id) r.id, r.position, p.line, p.start_m, p.length_m, ST_Distance(p.line, r.position, false) AS distance
		  FROM measured p JOIN (SELECT id, deleted_at, status, ` + report.ShownPositionSQL + ` AS position FROM reports r) r ON ST_DWithin(p.line, r.position, $3, false)
		 WHERE r.deleted_at IS NULL AND r.status IN ('pending', 'verified', 'in_progress')
		 ORDER BY r.id, round(ST_Distance(p.line, r.position, false)::numeric, 5), p.seq, p.piece
	)
	SELECT id, distance, start_m + length_m * CASE WHEN to_end < distance + 0.000001 THEN 1 ELSE
	           coalesce(6371008.7714150598 * 2 * asin(sqrt(greatest(0, sin(to_start / 12742017.54283012) ^ 2 - sin(distance / 12742017.54283012) ^ 2)
	                                                       / cos(distance / 6371008.7714150598))) / nullif(start_to_end, 0), 0) END AS along
	  FROM (SELECT *, ST_Distance(a, position, false) AS to_start, ST_Distance(b, position, false) AS to_end, ST_Distance(a, b, false) AS start_to_end
	          FROM hits, LATERAL (SELECT ST_StartPoint(line::geometry)::geography AS a, ST_EndPoint(line::geometry)::geography AS b) ends) h
	 ORDER BY along, id`

// The search that reads little of the route finds the same reports as one that reads all of it.
func TestReportsAlongEqualASearchOfEveryPiece(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria, joao := b.rider(), b.rider()
	r := rand.New(rand.NewPCG(3, 4))
	town, north, east, date, arctic := [2]float64{125.57, -8.56}, [2]float64{125.58, -8.545}, [2]float64{127.1, -8.4}, [2]float64{179.99, -16.8}, [2]float64{25, 71.2}
	b.strew(r, 4500, 1200, town)
	b.strew(r, 600, 3000, north, east, [2]float64{126.3, -8.5})
	b.strew(r, 600, 4000, date, arctic, [2]float64{25, 69.9})
	near := func(at [2]float64, metres float64) [2]float64 {
		return [2]float64{at[0] + (r.Float64()-0.5)*2*metres/111_195, at[1] + (r.Float64()-0.5)*2*metres/111_195}
	}
	routes := map[string][][2]float64{
		"through town":           {near(town, 3000), near(town, 3000), near(town, 3000), near(town, 3000), north},
		"into town from afar":    {east, town, north},
		"there and back":         {north, town, north, town},
		"a long leg over town":   {{124.4, -9.3}, {125.57, -8.56}, {127.2, -8.4}},
		"standing still":         {town, town},
		"still on the way":       {east, north, north, east},
		"over the date line":     {{179.9, -16.85}, {-179.95, -16.78}, {179.97, -16.8}},
		"near the arctic":        {{25, 69.85}, {25.001, 69.95}},
		"in the north":           {{24.9, 71.1}, {25.1, 71.3}, {25, 71.2}, {25.2, 71.2}},
		"sharp turns":            {near(town, 800), near(town, 800), near(town, 800), near(town, 800), near(town, 800), near(town, 800)},
		"where there is nothing": {{10, 40}, {12, 41}},
	}
	cut := 0
	for name, stops := range routes {
		id := b.ride(maria, uuid.New(), stops...)
		for _, c := range []struct {
			who           *rider
			within, limit int
		}{{maria, 500, 200}, {joao, 500, 500}, {maria, 30, 500}, {joao, 4000, 50}} {
			type hit struct {
				ID              string
				Distance, Along float64
			}
			rows, err := b.db.Query(t.Context(), alongByDefinition, id, c.who.ID, c.within)
			if err != nil {
				t.Fatal(err)
			}
			want, err := pgx.CollectRows(rows, pgx.RowToStructByPos[hit])
			if err != nil {
				t.Fatal(err)
			}
			got := c.who.call("GET", fmt.Sprintf("/journeys/%s/reports?within_m=%d&limit=%d", id, c.within, c.limit), nil).want(200).object()
			items, total := got["items"].([]any), min(len(want), 1000)
			if len(items) != min(c.limit, len(want)) || got["total"] != float64(total) {
				t.Errorf("%s, %+v: %d of %v, want %d of %d", name, c, len(items), got["total"], min(c.limit, len(want)), total)
				continue
			}
			if len(want) > c.limit {
				cut++
			}
			byID := map[string]hit{}
			for _, w := range want {
				byID[w.ID] = w
			}
			for i, item := range items { // those at one place may be in any order
				o := item.(object)
				w, known := byID[o["id"].(string)]
				if !known || math.Abs(o["distance_meters"].(float64)-w.Distance) > 1e-4 || math.Abs(o["along_meters"].(float64)-w.Along) > 1e-2 ||
					math.Abs(w.Along-want[i].Along) > 2e-2 {
					t.Errorf("%s, %+v: place %d is %v at %v, %v away; want %+v, there %+v", name, c, i, o["id"], o["along_meters"], o["distance_meters"], w, want[i])
					break
				}
			}
		}
	}
	if cut < 10 {
		t.Errorf("only %d routes had more than was asked for", cut)
	}
}
