package journeys_test

import (
	"math"
	"strings"
	"testing"
)

// lon gives points a known distance apart on the equator: 0.01 degrees are 1112 m.
func along(km float64) float64 { return 100 + km/111.195 }

func (r *rider) route(journeyType func(string, string, float64, float64) object, date1, date2 string, lon1, lat1, lon2, lat2 float64) string {
	r.b.t.Helper()
	id := r.journey(nil)
	r.marker(id, journeyType("from", date1, lon1, lat1))
	r.marker(id, journeyType("to", date2, lon2, lat2))
	return id
}

func (r *rider) nearbyIDs(id, query string) []string {
	r.b.t.Helper()
	var out []string
	r.call("GET", "/journeys/"+id+"/journeys/nearby"+query, nil).want(200).into(&out)
	return out
}

func equal(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %d ids %v, want %v", what, len(got), got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%s: place %d is %s, want %s", what, i, got[i], want[i])
		}
	}
}

func TestNearbyReturnsVisibleJourneysOfOthersNearestFirst(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria, joao, ana := b.rider(), b.rider(), b.rider()
	mine := maria.route(plan, "2026-12-01", "2026-12-02", along(0), 0, along(10), 0)
	maria.route(plan, "2026-12-01", "2026-12-02", along(1), 0, along(2), 0) // my other one
	far := joao.route(plan, "2026-12-01", "2026-12-02", along(90), 0, along(95), 0)
	near := ana.route(past, "2025-12-01", "2025-12-02", along(20), 0, along(30), 0)
	tooFar := ana.route(past, "2025-12-01", "2025-12-02", along(200), 0, along(210), 0)
	hidden := joao.route(past, "2025-12-01", "2025-12-02", along(5), 0, along(6), 0)
	joao.call("PATCH", "/journeys/"+hidden, object{"visibility": "private"}).want(200)
	deleted := joao.route(past, "2025-12-01", "2025-12-02", along(5), 0, along(6), 0)
	joao.call("DELETE", "/journeys/"+deleted, nil).want(204)

	equal(t, "default", maria.nearbyIDs(mine, ""), near, far)
	equal(t, "radius", maria.nearbyIDs(mine, "?radius_m=15000"), near)
	equal(t, "wide", maria.nearbyIDs(mine, "?radius_m=500000"), near, far, tooFar)
	equal(t, "limit", maria.nearbyIDs(mine, "?limit=1"), near)
	equal(t, "window", maria.nearbyIDs(mine, "?from=2026-12-01&to=2026-12-31"), far)
	equal(t, "open window", maria.nearbyIDs(mine, "?to=2026-01-01"), near)
	equal(t, "route", maria.nearbyIDs(mine, "?mode=Route&radius_m=85000"), near, far)
	equal(t, "nothing mine", maria.nearbyIDs(maria.journey(nil), ""))
	equal(t, "a stranger's route", joao.nearbyIDs(near, "?radius_m=15000"), mine)
}

func TestNearbyInRouteModeFindsCrossingsBetweenMarkers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria, joao := b.rider(), b.rider()
	mine := maria.route(plan, "2026-12-01", "2026-12-04", 100, 0, 102, 0)
	theirs := joao.route(plan, "2026-12-03", "2026-12-05", 101, -1, 101, 1)
	equal(t, "markers", maria.nearbyIDs(mine, "?radius_m=50000"))
	equal(t, "route", maria.nearbyIDs(mine, "?radius_m=50000&mode=route"), theirs)

	found := maria.call("GET", "/journeys/"+mine+"/nearby?mode=route&radius_m=50000", nil).want(200).list()
	if len(found) != 1 || found[0]["overlaps_in_time"] != true || found[0]["distance_meters"].(float64) > 1 {
		t.Fatalf("found %v", found)
	}
	closest := found[0]["closest"].(object)
	for _, side := range []string{"mine", "theirs"} {
		at := closest[side].(object)["coordinates"].([]any)
		if math.Abs(at[0].(float64)-101) > 1e-3 || math.Abs(at[1].(float64)) > 1e-3 {
			t.Errorf("closest %s is %v, want 101, 0", side, at)
		}
	}
}

func TestNearbyReturnsDistancePlaceAndTime(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria, joao := b.rider(), b.rider()
	mine := maria.route(plan, "2026-12-01", "2026-12-03", along(0), 0, along(10), 0)
	theirs := joao.route(plan, "2026-12-05", "2026-12-06", along(20), 0, along(30), 0)
	found := maria.call("GET", "/journeys/"+mine+"/nearby", nil).want(200).list()
	if len(found) != 1 || found[0]["journey"].(object)["_id"] != theirs || found[0]["overlaps_in_time"] != false {
		t.Fatalf("found %v", found)
	}
	if d := found[0]["distance_meters"].(float64); math.Abs(d-10000) > 20 {
		t.Errorf("distance is %f m, want 10 km", d)
	}
	closest := found[0]["closest"].(object)
	if lon := closest["mine"].(object)["coordinates"].([]any)[0].(float64); lon != along(10) {
		t.Errorf("mine is at %f, want %f", lon, along(10))
	}
	if lon := closest["theirs"].(object)["coordinates"].([]any)[0].(float64); lon != along(20) {
		t.Errorf("theirs is at %f, want %f", lon, along(20))
	}
}

// A marker without a date is near, but on no day: it overlaps with nothing, and a search for days does not find it.
func TestMarkersWithoutDatesAreOnNoDay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria, joao := b.rider(), b.rider()
	mine := maria.route(plan, "2026-12-01", "2026-12-02", along(0), 0, along(10), 0)
	theirs := joao.journey(nil)
	joao.marker(theirs, object{"name": "Stop", "marker_type": "plan", "coordinates": object{"type": "Point", "coordinates": []float64{along(5), 0}}})
	found := maria.call("GET", "/journeys/"+mine+"/nearby", nil).want(200).list()
	if len(found) != 1 || found[0]["journey"].(object)["_id"] != theirs || found[0]["overlaps_in_time"] != false {
		t.Fatalf("found %v", found)
	}
	equal(t, "from a day", maria.nearbyIDs(mine, "?from=2026-12-01"))
	equal(t, "to a day", maria.nearbyIDs(mine, "?to=2026-12-02"))
}

func TestNearbyAcrossTheAntimeridian(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria, joao := b.rider(), b.rider()
	mine := maria.route(past, "2026-01-01", "2026-01-02", 179.9, 0, -179.9, 0)
	theirs := joao.route(past, "2026-01-01", "2026-01-02", -179.95, 0, -179.0, 0)
	equal(t, "markers", maria.nearbyIDs(mine, "?radius_m=10000"), theirs)
	equal(t, "route", maria.nearbyIDs(mine, "?radius_m=10000&mode=route"), theirs)
	features := maria.call("GET", "/journeys/"+mine+"/route", nil).want(200).object()["features"].([]any)
	line := features[0].(object)["geometry"].(object)
	if line["type"] != "MultiLineString" || len(line["coordinates"].([]any)) != 2 {
		t.Errorf("the line is %v, want it cut in two", line)
	}
}

// The closest places of two routes are as far apart as the routes are, whichever plane they are looked for on.
func TestClosestPlacesAreAsFarApartAsTheRoutes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria, joao := b.rider(), b.rider()
	for name, c := range map[string][2][4]float64{ // from longitude and latitude to longitude and latitude
		"in Dili":                 {{125.5, -8.5, 125.6, -8.5}, {125.55, -8.52, 125.7, -8.6}},
		"on the edge of a zone":   {{125.9, -8.7, 126.1, -8.7}, {126.02, -8.72, 126.3, -8.8}},
		"over the equator":        {{10.1, -0.1, 10.1, 0.1}, {10.12, 0, 10.3, 0}},
		"over the antimeridian":   {{179.9, -17, -179.9, -17}, {-179.95, -17.05, -179, -17.2}},
		"in the north":            {{24, 75, 25, 75}, {24.5, 75.05, 24.6, 75.2}},
		"around the pole":         {{10, 89.9, 100, 89.9}, {-60, 89.9, -150, 89.95}},
		"beside legs of 1,500 km": {{100, 10, 113, 10}, {106, 10.5, 106, 14}},
		"beside one of 19,000 km": {{5, -2, 175, 2}, {90, 0.3, 90, 0.4}},
	} {
		mine := maria.route(past, "2026-01-01", "2026-01-02", c[0][0], c[0][1], c[0][2], c[0][3])
		theirs := joao.route(past, "2026-01-01", "2026-01-02", c[1][0], c[1][1], c[1][2], c[1][3])
		found := maria.call("GET", "/journeys/"+mine+"/nearby?mode=route&radius_m=100000", nil).want(200).list()
		if len(found) != 1 || found[0]["journey"].(object)["_id"] != theirs {
			t.Fatalf("%s: found %v", name, found)
		}
		var at [2][2]float64 // radians
		for i, side := range []string{"mine", "theirs"} {
			for k, degrees := range found[0]["closest"].(object)[side].(object)["coordinates"].([]any) {
				at[i][k] = degrees.(float64) * math.Pi / 180
			}
		}
		half := func(x float64) float64 { return math.Pow(math.Sin(x/2), 2) }
		apart := 2 * 6_371_009 * math.Asin(math.Sqrt(half(at[1][1]-at[0][1])+math.Cos(at[0][1])*math.Cos(at[1][1])*half(at[1][0]-at[0][0])))
		if want := found[0]["distance_meters"].(float64); math.Abs(apart-want) > want/100 {
			t.Errorf("%s: %v are %.1f m apart, want %.1f", name, found[0]["closest"], apart, want)
		}
		b.exec(`DELETE FROM journeys`)
	}
}

func TestPointsOnOppositeSidesOfTheEarthAreNoFault(t *testing.T) {
	t.Parallel()
	maria := setup(t).rider()
	id := maria.route(past, "2026-01-01", "2026-01-02", 0, 0, 180, 0)
	maria.call("GET", "/journeys/"+id+"/route", nil).want(200)
	maria.nearbyIDs(id, "?mode=route")
	maria.nearbyIDs(id, "")
}

func TestNearbyRefusesInvalidParameters(t *testing.T) {
	t.Parallel()
	maria := setup(t).rider()
	id := maria.journey(nil)
	for _, query := range []string{"radius_m=0", "radius_m=500001", "radius_m=NaN", "limit=0", "limit=201", "mode=air", "from=soon",
		"from=2026-02-01&to=2026-01-01", "to=2026-02-30"} {
		maria.call("GET", "/journeys/"+id+"/journeys/nearby?"+query, nil).want(422)
	}
	maria.call("GET", "/journeys/not-an-id/journeys/nearby", nil).want(422)
	maria.call("GET", "/journeys/01900000-0000-7000-8000-000000000000/journeys/nearby", nil).want(404)
}

func TestOthersSeePlansBlurredToTheChosenPrecision(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria, joao := b.rider(), b.rider()
	id := maria.journey(object{"plan_precision_m": 5000})
	maria.marker(id, past("Dili", "2026-11-01", 125.57, -8.55))
	mid := maria.marker(id, plan("Hera", "2026-12-01", 125.685, -8.535))
	at := func(r *rider, i int) []any {
		return r.call("GET", "/journeys/"+id+"/markers", nil).want(200).list()[i]["coordinates"].(object)["coordinates"].([]any)
	}
	if own := at(maria, 1); own[0] != 125.685 || own[1] != -8.535 {
		t.Errorf("the rider sees %v", own)
	}
	if was := at(joao, 0); was[0] != 125.57 {
		t.Errorf("a past marker is shown at %v", was)
	}
	blurred := at(joao, 1)
	if blurred[0] == 125.685 || math.Abs(blurred[0].(float64)-125.685) > 0.05 || math.Abs(blurred[1].(float64)+8.535) > 0.05 {
		t.Errorf("others see the plan at %v", blurred)
	}
	for _, path := range []string{"/journeys/" + id + "/markers/" + mid, "/journeys/" + id + "/route", "/journeys/" + id + "/route.gpx"} {
		if body := joao.call("GET", path, nil).want(200).body; contains(body, "125.685") {
			t.Errorf("%s gives the exact plan away: %s", path, body)
		}
	}
	// The search does not reveal the exact place either: it works with the shown one.
	theirs := joao.route(past, "2026-01-01", "2026-01-02", 125.685, -8.535, 125.7, -8.6)
	found := joao.call("GET", "/journeys/"+theirs+"/nearby?radius_m=20000", nil).want(200).list()
	if len(found) != 1 || found[0]["distance_meters"].(float64) < 10 {
		t.Errorf("found %v", found)
	}
	maria.call("PATCH", "/journeys/"+id, object{"plan_precision_m": 0}).want(200)
	if now := at(joao, 1); now[0] != 125.685 {
		t.Errorf("without blur others see %v", now)
	}
	if body := joao.call("GET", "/journeys/"+id+"/route", nil).want(200).body; !contains(body, "125.685") {
		t.Error("the route is still blurred")
	}
}

func contains(body []byte, s string) bool { return strings.Contains(string(body), s) }
