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
		if i%3 == 1 {
			b.scatterTrack(must, r, id, newID(), at.lon, at.lat, at.wide)
		}
		ids = append(ids, id.String())
	}
	must(`ANALYZE journeys, markers, journey_legs, track_stretches`)
	if err := conn.Commit(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	return ids
}

// scatterTrack gives a journey a track of two stretches instead of legs. Half of the stretches have no days. Others see some of
// them elsewhere and some not at all.
func (b *bundle) scatterTrack(must func(string, ...any), r *rand.Rand, journey, track uuid.UUID, west, south, wide float64) {
	must(`DELETE FROM journey_legs WHERE journey_id = $1`, journey)
	must(`INSERT INTO tracks (id, journey_id, kind, as_route, content_hash, points, length_m) VALUES ($1, $2, 'recorded', false, sha256('x'), 9, 0)`, track, journey)
	for seq := range 2 {
		line := "LINESTRING("
		x, y := r.IntN(13), r.IntN(13)
		for k := range 5 {
			lon := west + wide/12*float64(x)
			if lon > 180 {
				lon -= 360
			}
			line += fmt.Sprintf("%s%g %g", []string{"", ","}[min(k, 1)], lon, south+wide/12*float64(y))
			x, y = x+r.IntN(3)-1, y+r.IntN(3)-1
		}
		line += ")"
		day := fmt.Sprintf("2026-01-%02d", 1+r.IntN(28))
		must(`INSERT INTO track_stretches (track_id, seq, journey_id, dates, line, shown_line)
			VALUES ($1, $2, $3, CASE WHEN $4 THEN daterange($5::date, $5::date + 2) END, $6::geography,
			        CASE $7::integer WHEN 0 THEN NULL WHEN 1 THEN ST_Translate($6::geography::geometry, 0, 0.001)::geography ELSE $6::geography END)`,
			track, seq, journey, r.IntN(2) == 0, day, line, r.IntN(5))
	}
}

// nearbyByDefinition measures every pair of places.
const nearbyByDefinition = `
	WITH shapes AS (
		SELECT journey_id, true AS by_markers, true AS by_route, line AS exact, shown_line AS shown, dates FROM track_stretches
		UNION ALL SELECT journey_id, false, true, line, shown_line, dates FROM journey_legs
		UNION ALL SELECT journey_id, true, false, position, shown, daterange(coalesce(happened_on, planned_on), coalesce(happened_on, planned_on), '[]') FROM markers
	), mine AS (
		SELECT by_markers, by_route, dates, CASE WHEN user_id = $2 THEN exact ELSE shown END AS shape FROM shapes JOIN journeys j ON j.id = journey_id WHERE j.id = $1
	)
	SELECT j.id, round(min(ST_Distance(mine.shape, theirs.shown, false))::numeric, 3)::float8 AS distance,
	       EXISTS (SELECT FROM shapes s JOIN mine m ON m.dates && s.dates WHERE s.journey_id = j.id AND ST_DWithin(m.shape, s.shown, $3, false))
	  FROM journeys j JOIN shapes theirs ON theirs.journey_id = j.id CROSS JOIN mine
	 WHERE j.id <> $1 AND j.user_id <> $2 AND j.visibility = 'public'
	   AND CASE $7 WHEN 'route' THEN mine.by_route AND theirs.by_route ELSE mine.by_markers AND theirs.by_markers END
	   AND ($4::date IS NULL OR theirs.dates && daterange($4, $5, '[]'))
	 GROUP BY j.id
	HAVING min(ST_Distance(mine.shape, theirs.shown, false)) <= $3
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
				math.Abs(o["distance_meters"].(float64)-want[k].Distance) > 1e-3 {
				t.Errorf("%s%s: place %d is %v, want %v", id, query, k, o, want[min(k, len(want)-1)])
			}
		}
	}
	if crossing < 300 || apart < 250 {
		t.Errorf("%d crossed and %d did not: too few to tell", crossing, apart)
	}
}
