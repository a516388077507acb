package journeys_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/functions/journeys"
)

// scatter makes journeys of several riders: most in one town, where routes cross and markers share
// places, some across the antimeridian, some far away; some private, some blurred. It returns their ids.
func (b *bundle) scatter(seed *rand.ChaCha8, n int, riders ...*rider) []string {
	b.t.Helper()
	conn, err := b.db.Begin(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = conn.Rollback(b.t.Context()) }()
	must := func(sql string, args ...any) {
		if _, err := conn.Exec(b.t.Context(), sql, args...); err != nil {
			b.t.Fatal(err)
		}
	}
	r := rand.New(seed)
	newID := func() uuid.UUID {
		id, err := uuid.NewRandomFromReader(seed)
		if err != nil {
			b.t.Fatal(err)
		}
		return id
	}
	regions := []struct{ lon, lat, wide float64 }{{125.5, -8.6, 0.3}, {125.5, -8.6, 0.3}, {125.5, -8.6, 0.3}, {179.9, 0, 0.5}, {126.9, -8.5, 0.05}, {20, 70, 5}}
	var ids []string
	for i := range n {
		at := regions[i%len(regions)]
		id, owner, blur, visibility := newID(), riders[i%len(riders)].ID, r.IntN(3)/2*2000, "public"
		if r.IntN(8) == 0 {
			visibility = "private"
		}
		must(`INSERT INTO journeys (id, user_id, name, visibility, plan_precision_m) VALUES ($1, $2, 'Ride', $3, $4)`, id, owner, visibility, blur)
		for k := range 2 + r.IntN(7) {
			step := at.wide / 12 // a grid, so that some places are the same
			lon := at.lon + step*float64(r.IntN(13))
			if lon > 180 {
				lon -= 360
			}
			day := fmt.Sprintf("2026-01-%02d", 1+r.IntN(28))
			past, plan, coarse := &day, (*string)(nil), 0
			if k > 3 {
				past, plan, coarse = nil, &day, blur
			}
			must(`INSERT INTO markers (id, journey_id, owner_id, name, marker_type, lon, lat, blur_m, happened_on, planned_on)
				VALUES ($1, $2, $3, 'Stop', CASE WHEN $7::date IS NULL THEN 'plan' ELSE 'past' END, $4, $5, $6, $7, $8)`,
				newID(), id, owner, lon, at.lat+step*float64(r.IntN(13)), coarse, past, plan)
		}
		must(journeys.UpdateLegsSQL, id)
		ids = append(ids, id.String())
	}
	must(`ANALYZE journeys, markers, journey_legs`)
	if err := conn.Commit(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	return ids
}

// nearbyByDefinition measures every pair of places.
const nearbyByDefinition = `
	SELECT j.id, min(ST_Distance(CASE WHEN o.user_id = $2 THEN mine.exact ELSE mine.shown END, theirs.shown, false)) AS distance,
	       EXISTS (SELECT FROM journey_legs a JOIN journey_legs b ON a.dates && b.dates
	                WHERE a.journey_id = $1 AND b.journey_id = j.id AND ST_DWithin(CASE WHEN o.user_id = $2 THEN a.line ELSE a.shown_line END, b.shown_line, $3, false))
	       OR EXISTS (SELECT FROM markers a JOIN markers b ON coalesce(a.happened_on, a.planned_on) = coalesce(b.happened_on, b.planned_on)
	                WHERE a.journey_id = $1 AND b.journey_id = j.id AND ST_DWithin(CASE WHEN o.user_id = $2 THEN a.position ELSE a.shown END, b.shown, $3, false))
	  FROM journeys o
	  JOIN (SELECT journey_id, 'route' AS mode, line AS exact, shown_line AS shown, dates FROM journey_legs
	        UNION ALL SELECT journey_id, 'markers', position, shown, daterange(coalesce(happened_on, planned_on), coalesce(happened_on, planned_on), '[]') FROM markers) mine
	    ON mine.journey_id = o.id AND mine.mode = $7
	 CROSS JOIN journeys j
	  JOIN (SELECT journey_id, 'route' AS mode, shown_line AS shown, dates FROM journey_legs
	        UNION ALL SELECT journey_id, 'markers', shown, daterange(coalesce(happened_on, planned_on), coalesce(happened_on, planned_on), '[]') FROM markers) theirs
	    ON theirs.journey_id = j.id AND theirs.mode = $7
	 WHERE o.id = $1 AND j.id <> $1 AND j.user_id <> $2 AND j.visibility = 'public'
	   AND ($4::date IS NULL OR theirs.dates && daterange($4, $5, '[]'))
	 GROUP BY j.id, o.user_id
	HAVING min(ST_Distance(CASE WHEN o.user_id = $2 THEN mine.exact ELSE mine.shown END, theirs.shown, false)) <= $3
	 ORDER BY distance, j.id LIMIT $6`

// The search finds the same journeys as one that measures every pair of places.
func TestNearbyEqualsTheMeasureOfEveryPair(t *testing.T) {
	t.Parallel()
	b := setup(t)
	riders := []*rider{b.rider(), b.rider(), b.rider(), b.rider(), b.rider()}
	seed := rand.NewChaCha8([32]byte{1})
	r := rand.New(seed)
	ids := b.scatter(seed, 240, riders...)
	crossing, apart := 0, 0
	for i := range 60 {
		n := i * 7 % len(ids)
		id, caller := ids[n], riders[n%len(riders)]
		if other := riders[i%len(riders)]; b.count(`SELECT count(*) FROM journeys WHERE id = $1 AND visibility = 'public'`, id) == 1 {
			caller = other
		}
		mode, radius, limit := []string{"route", "markers"}[i%2], []float64{1, 700, 30_000, 500_000}[r.IntN(4)], []int{1, 7, 50, 200}[r.IntN(4)]
		query := fmt.Sprintf("?mode=%s&radius_m=%g&limit=%d", mode, radius, limit)
		args := []any{id, caller.ID, radius, nil, nil, limit, mode}
		if r.IntN(3) == 0 {
			query, args[3], args[4] = query+"&from=2026-01-05&to=2026-01-12", "2026-01-05", "2026-01-12"
		}
		rows, err := b.db.Query(t.Context(), nearbyByDefinition, args...)
		if err != nil {
			t.Fatal(err)
		}
		type found struct {
			ID       string
			Distance float64
			Overlaps bool
		}
		want, err := pgx.CollectRows(rows, pgx.RowToStructByPos[found])
		if err != nil {
			t.Fatal(err)
		}
		wanted := []string{}
		for _, w := range want {
			wanted = append(wanted, w.ID)
			if w.Distance == 0 {
				crossing++
			} else {
				apart++
			}
		}
		if got := caller.nearbyIDs(id, query); !slices.Equal(got, wanted) {
			t.Errorf("%s%s: found %v, want %v", id, query, got, wanted)
		}
		for k, o := range caller.call("GET", "/journeys/"+id+"/nearby"+query, nil).want(200).list() {
			if k >= len(want) || o["journey"].(object)["id"] != want[k].ID || o["overlaps_in_time"] != want[k].Overlaps ||
				math.Abs(o["distance_meters"].(float64)-want[k].Distance) > 1e-6 {
				t.Errorf("%s%s: place %d is %v, want %v", id, query, k, o, want[min(k, len(want)-1)])
			}
		}
	}
	if crossing < 300 || apart < 300 {
		t.Errorf("%d crossed and %d did not: too few to tell", crossing, apart)
	}
}
