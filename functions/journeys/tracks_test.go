package journeys_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

// ride is a GPX track eastwards along a parallel: a point each 11 m and second.
func ride(name, from string, lon float64, points int) string {
	start, err := time.Parse(time.RFC3339, from)
	if err != nil {
		panic(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<trk><name>%s</name><trkseg>", name)
	for i := range points {
		fmt.Fprintf(&b, `<trkpt lat="-8.5" lon="%.7f"><ele>%d.25</ele><time>%s</time></trkpt>`, lon+float64(i)*1e-4, i, start.Add(time.Duration(i)*time.Second).Format(time.RFC3339))
	}
	b.WriteString("</trkseg></trk>")
	return b.String()
}

func gpxOf(parts ...string) string {
	return `<gpx version="1.1" creator="test" xmlns="http://www.topografix.com/GPX/1/1">` + strings.Join(parts, "") + "</gpx>"
}

const plannedTrack = `<trk><name>Plan</name><trkseg><trkpt lat="-8.60" lon="126.00"/><trkpt lat="-8.61" lon="126.01"/><trkpt lat="-8.60" lon="126.02"/></trkseg></trk>`

// tracks are the tracks of a journey as this person sees them.
func (r *rider) tracks(journey string) []object {
	r.b.t.Helper()
	return r.call("GET", "/journeys/"+journey+"/tracks", nil).want(200).list()
}

func (r *rider) imports(journey, file string, status int) object {
	r.b.t.Helper()
	return r.call("POST", "/journeys/"+journey+"/import", file, "Content-Type", "application/gpx+xml").want(status).object()
}

func names(list []object) string {
	var out []string
	for _, o := range list {
		out = append(out, fmt.Sprint(o["name"], " ", o["kind"]))
	}
	return strings.Join(out, ", ")
}

// Lines become tracks and waypoints markers. A second file joins the first, in the order of time; the same again adds nothing.
func TestLinesBecomeTracks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	id := maria.journey(nil)
	first := gpxOf(`<wpt lat="-8.55" lon="125.57"><name>Port</name></wpt>`, `<rte><name>Route</name><rtept lat="-8.7" lon="126.1"/><rtept lat="-8.8" lon="126.2"/></rte>`,
		plannedTrack, ride("Second day", "2026-01-02T01:00:00Z", 125.7, 300))
	got := maria.imports(id, first, 201)
	if got["tracks"] != 3.0 || got["markers"] != 1.0 || got["points"] != 305.0 {
		t.Errorf("imported %v", got)
	}
	second := gpxOf(ride("First day", "2026-01-01T01:00:00Z", 125.5, 200))
	if got := maria.imports(id, second, 201); got["tracks"] != 1.0 || got["markers"] != 0.0 {
		t.Errorf("imported %v", got)
	}
	for _, again := range []string{first, second} {
		maria.imports(id, again, 200)
	}
	if got, want := names(maria.tracks(id)), "First day recorded, Second day recorded, Route planned, Plan planned"; got != want {
		t.Errorf("tracks are %s, want %s", got, want)
	}
	if n := len(maria.call("GET", "/journeys/"+id+"/markers", nil).want(200).list()); n != 1 {
		t.Errorf("%d markers", n)
	}
	route := maria.call("GET", "/journeys/"+id+"/route", nil).want(200).object()
	features := route["features"].([]any)
	if len(features) != 5 || features[0].(object)["properties"].(object)["kind"] != "track" || route["error_meters"] != 10.0 {
		t.Errorf("route: %v", route)
	}
	day := maria.tracks(id)[0]
	if day["points"] != 200.0 || day["started_at"] != "2026-01-01T01:00:00.000Z" || day["ended_at"] != "2026-01-01T01:03:19.000Z" || math.Abs(day["length_meters"].(float64)-199*11.01) > 5 {
		t.Errorf("a track is %v", day)
	}
	total := 0.0
	for _, t := range maria.tracks(id) {
		total += t["length_meters"].(float64)
	}
	if math.Abs(total-route["length_meters"].(float64)) > 0.01 || math.Abs(total-got["length_meters"].(float64)-day["length_meters"].(float64)) > 0.01 {
		t.Errorf("the route is %v m, the tracks %v m", route["length_meters"], total)
	}
}

// Elevations and times come out as they went in, and importing the file into the same journey adds nothing.
func TestExportAndImportGiveTheSameTracks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	id := maria.journey(object{"name": "Tour <&> Timor"})
	maria.imports(id, gpxOf(`<wpt lat="-8.5512345" lon="125.5712345"><name>Port</name><time>2026-01-01T03:00:00Z</time></wpt>`,
		ride("A & B", "2026-01-02T01:00:00Z", 125.7, 1500), plannedTrack, `<rte><name>Route</name><rtept lat="-8.7" lon="126.1"/><rtept lat="-8.8" lon="126.2"/></rte>`,
		`<trk><trkseg><trkpt lat="-8.5" lon="125.5"><time>2026-01-03T01:00:00.250Z</time></trkpt><trkpt lat="-8.51" lon="125.5"/></trkseg><trkseg><trkpt lat="-8.6" lon="125.5"/><trkpt lat="-8.61" lon="125.5"><ele>1234.56</ele></trkpt></trkseg></trk>`), 201)
	file := string(maria.call("GET", "/journeys/"+id+"/route.gpx", nil).want(200).body)
	if strings.Count(file, "<wpt ") != 1 || strings.Count(file, "<rte>") != 1 || strings.Count(file, "<trk>") != 3 || strings.Count(file, "<trkpt ") != 1507 {
		t.Errorf("the file has %d waypoints, %d routes, %d tracks, %d track points", strings.Count(file, "<wpt "), strings.Count(file, "<rte>"), strings.Count(file, "<trk>"), strings.Count(file, "<trkpt "))
	}
	if got := maria.imports(id, file, 200); got["warnings"] != nil {
		t.Errorf("the file into its journey: %v", got)
	}
	copied := maria.journey(nil)
	maria.imports(copied, file, 201)
	if n := b.count(`SELECT count(*) FROM tracks a JOIN tracks b USING (content_hash, kind, as_route, name, points) WHERE a.journey_id = $1 AND b.journey_id = $2`, id, copied); n != 4 {
		t.Errorf("%d tracks of 4 are the same", n)
	}
	if n := b.count(`SELECT count(*) FROM markers WHERE journey_id = $1 AND happened_on = '2026-01-01'`, copied); n != 1 {
		t.Errorf("%d markers came back", n)
	}
}

// The line through markers is in the file, for programs that show it. It does not come back as a track.
func TestExportHasALineThroughMarkers(t *testing.T) {
	t.Parallel()
	maria := setup(t).rider()
	id := maria.journey(nil)
	maria.marker(id, past("a", "2026-01-01", 125.5, -8.5))
	maria.marker(id, past("b", "2026-01-02", 125.6, -8.5))
	maria.marker(id, plan("c", "", 125.7, -8.5))
	maria.marker(id, plan("d", "", 125.8, -8.5))
	file := string(maria.call("GET", "/journeys/"+id+"/route.gpx", nil).want(200).body)
	if strings.Count(file, "<trkpt ") != 2 || strings.Count(file, "<rtept ") != 2 || strings.Count(file, "<wpt ") != 4 {
		t.Errorf("%s", file)
	}
	copied := maria.journey(nil)
	if got := maria.imports(copied, file, 201); got["tracks"] != 0.0 || got["markers"] != 4.0 {
		t.Errorf("imported %v", got)
	}
}

// Without tracks the markers are the route; with tracks they are not; without again they are.
func TestTracksReplaceTheLineOfMarkers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	id := maria.journey(nil)
	maria.marker(id, past("a", "2026-01-01", 125.5, -8.5))
	maria.marker(id, past("b", "2026-01-02", 126.5, -8.5))
	legs := func() int { return b.count(`SELECT count(*) FROM journey_legs WHERE journey_id = $1`, id) }
	maria.imports(id, gpxOf(ride("Ride", "2026-01-01T01:00:00Z", 125.5, 200)), 201)
	maria.marker(id, past("c", "2026-01-03", 127.5, -8.5))
	if n := legs(); n != 0 {
		t.Errorf("%d legs of markers beside a track", n)
	}
	ride := maria.tracks(id)[0]["id"].(string)
	b.rider().call("DELETE", "/journeys/"+id+"/tracks/"+ride, nil).wantCode(403, "journey_not_yours")
	maria.call("DELETE", "/journeys/"+id+"/tracks/"+ride, nil).want(204)
	maria.call("DELETE", "/journeys/"+id+"/tracks/"+ride, nil).wantCode(404, "track_not_found")
	if n := legs(); n != 2 {
		t.Errorf("%d legs of markers without a track", n)
	}
	if n := b.count(`SELECT (SELECT count(*) FROM track_points) + (SELECT count(*) FROM track_legs) + (SELECT count(*) FROM track_stretches)`); n != 0 {
		t.Errorf("%d rows of a deleted track", n)
	}
	maria.imports(id, gpxOf(`<trk><trkseg><trkpt lat="1" lon="1"/><trkpt lat="2" lon="2"/></trkseg></trk>`), 201)
	maria.call("DELETE", "/journeys/"+id, nil).want(204)
}

// Others see a recorded track without its ends, in every answer; the owner sees it whole and may change how much is hidden.
func TestOthersSeeNoEnds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria, joao := b.rider(), b.rider()
	id := maria.journey(nil)
	maria.imports(id, gpxOf(ride("Ride", "2026-01-01T01:00:00Z", 125.5, 400), ride("Round the house", "2026-01-02T01:00:00Z", 125.5, 60)), 201) // 4,393 and 650 m
	seen := func(r *rider) ([]object, float64, float64, int) {                                                                                  // tracks; the west and east ends of the last one; points in the file
		t.Helper()
		var west, east float64
		for _, f := range r.call("GET", "/journeys/"+id+"/route", nil).want(200).object()["features"].([]any) {
			line := f.(object)["geometry"].(object)["coordinates"].([]any)
			west, east = line[0].([]any)[0].(float64), line[len(line)-1].([]any)[0].(float64)
		}
		file := string(r.call("GET", "/journeys/"+id+"/route.gpx", nil).want(200).body)
		return r.tracks(id), west, east, strings.Count(file, "<trkpt ")
	}
	// check says that others see this many tracks, and that the first one begins and ends at the hidden distance from its ends, or up
	// to 400 m farther.
	check := func(hide float64, want int) {
		t.Helper()
		tracks, west, east, points := seen(joao)
		if len(tracks) != want {
			t.Fatalf("at %.0f m others see %d tracks", hide, len(tracks))
		}
		const degree = 110107.5 // metres of longitude at 8.5 degrees south
		begin, end := (west-125.5)*degree, (125.5399-east)*degree
		if want == 1 && (min(begin, end) < hide || max(begin, end) > hide+min(hide, 400)+12 || tracks[0]["points"] != float64(points)) {
			t.Errorf("at %.0f m others see %v, %.0f m from the start to %.0f m from the end", hide, tracks, begin, end)
		}
	}
	check(500, 1)
	if got, want := joao.call("GET", "/journeys/"+id+"/route", nil).want(200).object()["length_meters"], joao.tracks(id)[0]["length_meters"]; got != want {
		t.Errorf("others see a route of %v m, and a track of %v m", got, want)
	}
	if tracks, _, _, points := seen(maria); len(tracks) != 2 || points != 460 {
		t.Errorf("the owner sees %d tracks, %d points", len(tracks), points)
	}
	if got := joao.tracks(id)[0]["started_at"]; got.(string) < "2026-01-01T01:00:46" {
		t.Errorf("others see that it starts at %v", got)
	}
	if got := joao.call("GET", "/journeys/"+id, nil).want(200).object(); got["hide_ends_m"] != nil {
		t.Errorf("others see %v", got)
	}
	if got := maria.call("GET", "/journeys/"+id, nil).want(200).object()["hide_ends_m"]; got != 500.0 {
		t.Errorf("the owner sees %v", got)
	}
	for sent, kept := range map[float64]int{0: 0, 9000: 2000, -4: 0, 1e308: 2000, 99.6: 100} {
		got := maria.call("PATCH", "/journeys/"+id, object{"hide_ends_m": sent}).want(200).object()
		if got["hide_ends_m"] != float64(kept) || (got["warnings"] != nil) != (sent != float64(kept)) {
			t.Errorf("%v m: %v", sent, got)
		}
	}
	maria.call("PATCH", "/journeys/"+id, object{"hide_ends_m": 0}).want(200)
	check(0, 2)
	maria.call("PATCH", "/journeys/"+id, object{"hide_ends_m": 1000}).want(200)
	check(1000, 1)
	if got := maria.call("PATCH", "/journeys/"+id, object{"hide_ends_m": nil}).want(200).object(); got["hide_ends_m"] != 1000.0 {
		t.Errorf("null changes it: %v", got)
	}
	if got := maria.call("PATCH", "/journeys/"+id, object{"hide_ends_m": "much"}).want(200).object(); got["hide_ends_m"] != 2000.0 {
		t.Errorf("a distance that cannot be read shows least: %v", got)
	}
	other := maria.journey(object{"hide_ends_m": 100})
	maria.imports(other, gpxOf(ride("Ride", "2026-01-01T01:00:00Z", 125.5, 400)), 201)
	if got := joao.tracks(other)[0]["points"].(float64); got > 400-2*9 || got < 400-2*46 {
		t.Errorf("of a journey that hides 100 m others see %v points", got)
	}
	if n := b.count(`SELECT count(DISTINCT ends_seed) FROM journeys WHERE user_id = $1`, maria.ID); n != 1 {
		t.Errorf("the journeys of a person have %d seeds", n)
	}
}

// Others see a plan in the cells of the journey's precision, without elevations.
func TestOthersSeePlansOnTheirGrid(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria, joao := b.rider(), b.rider()
	id := maria.journey(object{"plan_precision_m": 1000})
	maria.imports(id, gpxOf(`<rte><rtept lat="-8.6012345" lon="126.0012345"><ele>17</ele></rtept><rtept lat="-8.6112345" lon="126.0112345"/></rte>`), 201)
	exact := func(r *rider) bool {
		file := string(r.call("GET", "/journeys/"+id+"/route.gpx", nil).want(200).body)
		route := string(r.call("GET", "/journeys/"+id+"/route", nil).want(200).body)
		if in := strings.Contains(file, "8.6012345"); in != strings.Contains(route, "8.6012345") || in != strings.Contains(file, "<ele>") {
			t.Errorf("file and route differ: %s %s", file, route)
		}
		return strings.Contains(file, "8.6012345")
	}
	if exact(joao) || !exact(maria) {
		t.Error("others see the plan, or the owner does not")
	}
	maria.call("PATCH", "/journeys/"+id, object{"plan_precision_m": 0}).want(200)
	if !exact(joao) {
		t.Error("others do not see an exact plan")
	}
}

func TestAJourneyHoldsAMillionTrackPoints(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	id := maria.journey(nil)
	b.exec(`INSERT INTO tracks (id, journey_id, kind, as_route, content_hash, points, length_m)
		SELECT gen_random_uuid(), $1, 'recorded', false, sha256(n::text::bytea), 199999, 1 FROM generate_series(1, 5) n`, id)
	maria.imports(id, gpxOf(plannedTrack), 201)
	maria.call("POST", "/journeys/"+id+"/import", gpxOf(ride("More", "2026-01-01T01:00:00Z", 125, 3), `<wpt lat="1" lon="2"/>`)).wantCode(409, "journey_full")
	if n := b.count(`SELECT (SELECT count(*) FROM markers) + (SELECT count(*) FROM track_points)`); n != 1 {
		t.Errorf("%d rows, want those of the first file", n)
	}
}

// Phones write the days of a tour as segments of one track. Each day is a track of its own, whose ends others do not see.
func TestEachDayOfATourIsATrack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	id := maria.journey(nil)
	tour := strings.Replace(ride("Tour", "2026-01-01T01:00:00Z", 125.5, 300)+ride("", "2026-01-02T01:00:00Z", 125.53, 300), "</trkseg></trk><trk><name></name>", "</trkseg>", 1)
	if got := maria.imports(id, gpxOf(tour), 201); got["tracks"] != 2.0 || got["points"] != 600.0 {
		t.Errorf("imported %v", got)
	}
	maria.imports(id, gpxOf(tour), 200)
	if got, want := names(maria.tracks(id)), "Tour recorded, Tour recorded"; got != want {
		t.Errorf("tracks are %s, want %s", got, want)
	}
	if n := b.count(`SELECT count(*) FROM tracks WHERE shown_to - shown_from BETWEEN 100 AND 210`); n != 2 {
		t.Errorf("the ends of %d days are hidden", n)
	}
	noon := strings.Replace(ride("Lunch", "2026-01-03T01:00:00Z", 125.5, 300)+ride("", "2026-01-03T04:00:00Z", 125.53, 300), "</trkseg></trk><trk><name></name>", "</trkseg>", 1)
	if got := maria.imports(id, gpxOf(noon), 201); got["tracks"] != 1.0 {
		t.Errorf("imported %v", got)
	}
}

// A scribble is no ride: it would cost everybody who searches nearby.
func TestAScribbleIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	id := maria.journey(nil)
	scribble := func(points int, lat float64) string {
		var file strings.Builder
		file.WriteString("<gpx><trk><trkseg>")
		for i := range points {
			fmt.Fprintf(&file, `<trkpt lat="%.4f" lon="%.4f"/>`, lat+float64(i%2)*0.1, 125+float64(i)*1e-4)
		}
		return file.String() + "</trkseg></trk></gpx>"
	}
	maria.call("POST", "/journeys/"+id+"/import", scribble(20_100, -8)).wantCode(422, "import_too_long")
	maria.imports(id, scribble(9000, -8), 201)
	maria.imports(id, scribble(8000, -8.3), 201)
	maria.call("POST", "/journeys/"+id+"/import", scribble(4000, -8.6)).wantCode(409, "journey_full")
	if n := b.count(`SELECT count(*) FROM track_legs l JOIN tracks t ON t.id = l.track_id WHERE t.legs + t.stretches > 0`); n != 8999+7999 {
		t.Errorf("%d legs", n)
	}
}

// Markers without a date end the route of their kind, in the order they were added.
func TestUndatedMarkersArePartOfTheRoute(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	id := maria.journey(nil)
	maria.marker(id, plan("plan 2", "", along(40), 0))
	maria.marker(id, past("past 2", "", along(10), 0))
	maria.marker(id, plan("plan 1", "2030-01-01", along(30), 0))
	maria.marker(id, past("past 3", "", along(20), 0))
	maria.marker(id, past("past 1", "2026-01-01", along(0), 0))
	route := maria.call("GET", "/journeys/"+id+"/route", nil).want(200).object()
	if m := route["length_meters"].(float64); math.Abs(m-40000) > 200 {
		t.Errorf("the route is %.0f m long, want 40 km", m)
	}
	line := route["features"].([]any)[0].(object)["geometry"].(object)["coordinates"].([]any)
	for i, at := range line {
		if at.([]any)[0] != along(float64(i)*10) {
			t.Errorf("point %d is %v", i, at)
		}
	}
}

// A track in very many pieces has too many vertices for an answer, however much it is simplified. The file has all of them.
func TestARouteInTooManyPiecesIsRefused(t *testing.T) {
	t.Parallel()
	maria := setup(t).rider()
	piece := `<trkseg><trkpt lat="-8.6" lon="126.0"/><trkpt lat="-8.7" lon="126.1"/></trkseg>`
	id := maria.imported(nil, gpxOf("<trk>", strings.Repeat(piece, 2501), "</trk>"))
	maria.call("GET", "/journeys/"+id+"/route", nil).wantCode(422, "route_too_complex")
	maria.call("GET", "/journeys/"+id+"/route.gpx", nil).want(200)
}
