package journeys_test

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/journeys"
)

// alongLine is what a search along a route answers, as "id at metres" per report, in riding order.
func (r *rider) alongLine(journey, query string) []string {
	r.b.t.Helper()
	var out []string
	for _, i := range r.call("GET", "/journeys/"+journey+"/reports"+query, nil).want(200).object()["items"].([]any) {
		o := i.(object)
		out = append(out, fmt.Sprintf("%v at %.0f", o["id"], o["along_meters"].(float64)/100))
	}
	return out
}

// A degree of longitude is 110,107 m long there, so a ride of 400 points is 4,393 m.
func TestReportsAlongTracksInRidingOrder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria, joao := b.rider(), b.rider()
	id := maria.journey(nil)
	second := ride("Second day", "2026-01-02T01:00:00Z", 125.6, 400)
	gap := strings.Replace(ride("First day", "2026-01-01T01:00:00Z", 125.5, 400), `<trkpt lat="-8.5" lon="125.5200000">`, `</trkseg><trkseg><trkpt lat="-8.5" lon="125.5200000">`, 1)
	maria.imports(id, gpxOf(plannedTrack, second, gap), 201)
	start, middle := b.report("verified", 125.501, -8.501), b.report("verified", 125.525, -8.501)
	next, plan := b.report("pending", 125.62, -8.499), b.report("in_progress", 126.01, -8.611)
	b.report("verified", 125.57, -8.5)

	own := []string{start + " at 1", middle + " at 27", next + " at 66", plan + " at 103"}
	equal(t, "what the rider finds", maria.alongLine(id, ""), own...)
	// Others see no ends: the report at the start is not beside what they see, and the metres begin later.
	var found []string
	for _, hit := range joao.alongLine(id, "?within_m=300") {
		report, metres, _ := strings.Cut(hit, " at ")
		found = append(found, report)
		if n, err := strconv.Atoi(metres); err != nil || n > 103-4*5 {
			t.Errorf("others find %s", hit)
		}
	}
	equal(t, "what others find", found, middle, next, plan)

	maria.call("PATCH", "/journeys/"+id, object{"visibility": "private"}).want(200)
	joao.call("GET", "/journeys/"+id+"/reports", nil).wantCode(404, "journey_not_found")
}

// A plan of others is searched where it is shown: in the cells of its grid.
func TestReportsAlongABlurredPlan(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria, joao := b.rider(), b.rider()
	id := maria.journey(object{"plan_precision_m": 20000})
	maria.imports(id, gpxOf(plannedTrack), 201)
	report := b.report("verified", 126.01, -8.61)
	equal(t, "what the rider finds", maria.alongLine(id, "?within_m=50"), report+" at 16")
	equal(t, "what others find", joao.alongLine(id, "?within_m=50"))
}

// routeThrough gives a rider a journey with a leg through the places.
func (b *bundle) routeThrough(r *rider, places int, lon, lat string) string {
	b.t.Helper()
	id := uuid.New()
	b.exec(`INSERT INTO journeys (id, user_id, name) VALUES ($1, $2, 'Ride')`, id, r.ID)
	b.exec(`INSERT INTO markers (id, journey_id, owner_id, name, marker_type, lon, lat, happened_on)
		SELECT gen_random_uuid(), $1, $2, 'Stop', 'past', `+lon+`, `+lat+`, date '2000-01-01' + k FROM generate_series(1, $3::int) k`, id, r.ID, places)
	b.exec(journeys.UpdateLegsSQL, id)
	return id.String()
}

func TestASearchAlongARouteIsBounded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	b.exec(`INSERT INTO reports (id, report_number, content_hash, issue_type, status, longitude, latitude)
		SELECT gen_random_uuid(), 'LS-2026-' || n, '\x00', 'pothole', 'verified', 125.55 + (n * 7919 % 10007) / 2e5, -8.57 + (n * 104729 % 10009) / 4e5
		  FROM generate_series(1::bigint, 25000) n`)
	b.exec(`ANALYZE reports`)
	for name, c := range map[string]struct {
		places   int
		lon, lat string
	}{
		"200 markers across the world":    {200, "85 - 170 * (k % 2)", "-60 + k * 0.5"},
		"1,500 markers across the world":  {1500, "85 - 170 * (k % 2)", "-60 + k * 0.08"},
		"10,000 markers across the world": {10_000, "85 - 170 * (k % 2)", "-60 + k * 0.01"},
		"10,000 markers in the country":   {10_000, "124.2 + k * 7919 % 10007 * 3e-4", "-9.4 + k * 104729 % 10009 * 1e-4"},
	} {
		id := b.routeThrough(maria, c.places, c.lon, c.lat)
		for _, within := range []string{"500", "10000"} {
			if got := maria.call("GET", "/journeys/"+id+"/reports?within_m="+within, nil); got.status != 422 || got.object()["code"] != "route_too_complex" {
				t.Errorf("%s, %s m: %d %.200s", name, within, got.status, got.body)
			}
		}
	}
	town := b.routeThrough(maria, 2, "125.57 + k * 0.002", "-8.56")
	maria.call("GET", "/journeys/"+town+"/reports?within_m=10000", nil).wantCode(422, "route_too_complex")
	got := maria.call("GET", "/journeys/"+town+"/reports?within_m=100", nil).want(200).object()
	if n := got["total"].(float64); math.Abs(n-120) > 30 {
		t.Errorf("%v reports within 100 m", n)
	}
}
