package journeys_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestB01UnknownIs404AndMalformedIs422(t *testing.T) {
	t.Parallel()
	maria := setup(t).rider()
	known := maria.journey(nil)
	marker := past("x", "2026-01-01", 1, 1)
	for _, c := range []struct {
		method, path string
		body         any
	}{
		{"GET", "/journeys/%s", nil}, {"PATCH", "/journeys/%s", nil}, {"PATCH", "/journeys/%s", object{"name": "x"}},
		{"PATCH", "/journeys/%s/active", nil}, {"DELETE", "/journeys/%s", nil}, {"POST", "/journeys/%s/markers", marker},
		{"GET", "/journeys/%s/markers", nil}, {"GET", "/journeys/%s/journeys/nearby", nil}, {"GET", "/journeys/%s/nearby", nil},
		{"GET", "/journeys/%s/route", nil}, {"GET", "/journeys/%s/route.gpx", nil}, {"POST", "/journeys/%s/import", trackFile},
		{"GET", "/journeys/%s/reports", nil}, {"PUT", "/journeys/%s/markers/" + unknownID, marker},
		{"DELETE", "/journeys/%s/markers/" + unknownID, nil}, {"PUT", "/journeys/" + known + "/markers/%s", marker},
		{"DELETE", "/journeys/" + known + "/markers/%s", nil}, {"GET", "/users/%s/journeys/active", nil},
	} {
		for id, want := range map[string]int{unknownID: 404, "0123456789abcdef01234567": 422, "temp-1": 422} {
			if got := maria.call(c.method, fmt.Sprintf(c.path, id), c.body); got.status != want {
				t.Errorf("%s %s with %s is %d, want %d: %s", c.method, c.path, id, got.status, want, got.body)
			}
		}
	}
}

func TestB02DeletionRemovesMarkersAndJourneys(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	first := maria.route(past, "2026-01-01", "2026-01-02", 1, 1, 2, 2)
	maria.call("DELETE", "/journeys/"+first, nil).want(204)
	if n := b.count(`SELECT (SELECT count(*) FROM markers) + (SELECT count(*) FROM journey_legs)`); n != 0 {
		t.Errorf("%d rows stayed behind the journey", n)
	}
	maria.route(past, "2026-01-01", "2026-01-02", 1, 1, 2, 2)
	b.exec(`UPDATE users SET email = NULL, full_name = '', deleted_at = now() WHERE id = $1`, maria.ID)
	if n := b.count(`SELECT (SELECT count(*) FROM journeys) + (SELECT count(*) FROM markers) + (SELECT count(*) FROM journey_legs)`); n != 0 {
		t.Errorf("%d rows stayed behind the rider", n)
	}
}

func TestB03CreatedAtKeepsItsTimeAndItsZone(t *testing.T) {
	t.Parallel()
	maria := setup(t).rider()
	created := maria.call("POST", "/journeys/", object{"name": "Tour"}).want(201).object()
	id := created["_id"].(string)
	at, err := time.Parse(time.RFC3339, created["created_at"].(string))
	if err != nil || time.Since(at).Abs() > time.Minute || !strings.HasSuffix(created["created_at"].(string), "Z") {
		t.Errorf("created_at is %v", created["created_at"])
	}
	if read := maria.call("GET", "/journeys/"+id, nil).want(200).object(); read["created_at"] != created["created_at"] {
		t.Errorf("read %v, created %v", read["created_at"], created["created_at"])
	}
	m := maria.call("POST", "/journeys/"+id+"/markers", past("Dili", "2026-01-01", 1, 1)).want(201).object()
	edited := maria.call("PUT", "/journeys/"+id+"/markers/"+m["_id"].(string), past("Dili!", "2026-01-01", 1, 1)).want(200).object()
	if edited["created_at"] != m["created_at"] {
		t.Errorf("an edit moved created_at from %v to %v", m["created_at"], edited["created_at"])
	}
}

func TestB04TheBodyMustNameTheJourneyOfThePath(t *testing.T) {
	t.Parallel()
	maria := setup(t).rider()
	here, there := maria.journey(nil), maria.journey(nil)
	body := past("Dili", "2026-01-01", 1, 1)
	mid := maria.marker(here, body)
	body["journey_id"] = there
	maria.call("POST", "/journeys/"+here+"/markers", body).want(422)
	maria.call("PUT", "/journeys/"+here+"/markers/"+mid, body).want(422)
	body["journey_id"] = here
	maria.call("PUT", "/journeys/"+here+"/markers/"+mid, body).want(200)
}

func TestB05AMarkerIsFoundOnlyInItsJourney(t *testing.T) {
	t.Parallel()
	maria := setup(t).rider()
	here, there := maria.journey(nil), maria.journey(nil)
	mid := maria.marker(here, past("Dili", "2026-01-01", 1, 1))
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		var body any
		if method == "PUT" {
			body = past("x", "2026-01-01", 1, 1)
		}
		maria.call(method, "/journeys/"+there+"/markers/"+mid, body).wantCode(404, "marker_not_found")
	}
}

func TestB06AtMostOneJourneyIsActive(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	first := maria.journey(object{"active": true})
	second := maria.journey(object{"active": true})
	if j := maria.call("GET", "/users/"+maria.ID.String()+"/journeys/active", nil).want(200).object(); j["_id"] != second {
		t.Errorf("active is %v, want the newest", j)
	}
	var all []string
	for range 4 {
		all = append(all, maria.journey(nil))
	}
	var running sync.WaitGroup
	answers := make([]*answer, 12)
	for i := range answers {
		running.Go(func() {
			if i%4 == 3 {
				answers[i] = maria.call("POST", "/journeys/", object{"name": "x", "active": true})
			} else {
				answers[i] = maria.call("PATCH", "/journeys/"+all[i%4]+"/active", nil)
			}
		})
	}
	running.Wait()
	for _, a := range answers {
		if a.status != http.StatusNoContent && a.status != http.StatusCreated {
			t.Errorf("a concurrent toggle is %d: %s", a.status, a.body)
		}
	}
	if n := b.count(`SELECT count(*) FROM journeys WHERE active`); n > 1 {
		t.Errorf("%d are active", n)
	}
	maria.call("PATCH", "/journeys/"+first+"/active", nil).want(204)
	maria.call("PATCH", "/journeys/"+first+"/active", nil).want(204)
	maria.call("GET", "/users/"+maria.ID.String()+"/journeys/active", nil).wantCode(404, "no_active_journey")
}

func TestB07ACompletedJourneyIsNotActive(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	id := maria.journey(object{"active": true})
	maria.call("PATCH", "/journeys/"+id, nil).want(204)
	if j := maria.call("GET", "/journeys/"+id, nil).want(200).object(); j["completed"] != true || j["active"] != false {
		t.Errorf("completed journey is %v", j)
	}
	maria.call("PATCH", "/journeys/"+id, nil).want(204)
	maria.call("PATCH", "/journeys/"+id+"/active", nil).wantCode(409, "journey_completed")
	maria.call("PATCH", "/journeys/"+id, object{"completed": false}).want(200)
	maria.call("PATCH", "/journeys/"+id+"/active", nil).want(204)
	if _, err := b.db.Exec(t.Context(), `UPDATE journeys SET completed = true WHERE id = $1`, id); err == nil {
		t.Error("the table takes a journey that is active and completed")
	}
}

func TestB08AFailedToggleLeavesTheActiveJourney(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	active := maria.journey(object{"active": true})
	done := maria.journey(nil)
	maria.call("PATCH", "/journeys/"+done, nil).want(204)
	maria.call("PATCH", "/journeys/"+done+"/active", nil).want(409)
	maria.call("PATCH", "/journeys/"+unknownID+"/active", nil).want(404)
	maria.call("PATCH", "/journeys/"+b.rider().journey(nil)+"/active", nil).want(403)
	if j := maria.call("GET", "/users/"+maria.ID.String()+"/journeys/active", nil).want(200).object(); j["_id"] != active {
		t.Errorf("active is %v", j)
	}
}

func TestB10NoUpdateIsLost(t *testing.T) {
	t.Parallel()
	maria := setup(t).rider()
	id := maria.journey(nil)
	tag := maria.call("GET", "/journeys/"+id, nil).want(200).header.Get("ETag")
	var running sync.WaitGroup
	running.Go(func() { maria.call("PATCH", "/journeys/"+id, object{"name": "New name"}).want(200) })
	running.Go(func() { maria.call("PATCH", "/journeys/"+id, object{"description": "New text"}).want(200) })
	running.Wait()
	if j := maria.call("GET", "/journeys/"+id, nil).want(200).object(); j["name"] != "New name" || j["description"] != "New text" {
		t.Errorf("of two changes there is %v", j)
	}
	for method, path := range map[string]string{"PATCH": "", "DELETE": ""} {
		maria.call(method, "/journeys/"+id+path, nil, "If-Match", tag).wantCode(412, "stale")
	}
	maria.call("PATCH", "/journeys/"+id+"/active", nil, "If-Match", tag).wantCode(412, "stale")
}

func TestB11BadCoordinatesAre422(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	id := maria.journey(nil)
	for _, at := range []string{"[181,0]", "[-180.001,0]", "[0,90.5]", "[0,-91]", "[120]", "[]", "[1,2,3]", "[1e999,0]", "[null,1]", `["1","2"]`, "NaN", "[NaN,1]", "null"} {
		body := `{"name":"x","marker_type":"past","coordinates":{"type":"Point","coordinates":` + at + `}}`
		maria.call("POST", "/journeys/"+id+"/markers", body).want(422)
	}
	maria.call("POST", "/journeys/"+id+"/markers", `{"name":"x","marker_type":"past","coordinates":{"type":"Polygon","coordinates":[1,2]}}`).want(422)
	for _, at := range [][2]string{{"200", "0"}, {"0", "120"}, {"'NaN'", "0"}, {"0", "'NaN'"}} {
		insert := `INSERT INTO markers (id, journey_id, owner_id, name, marker_type, lon, lat) VALUES ($1, $2, $3, 'x', 'past', ` + at[0] + `, ` + at[1] + `)`
		if _, err := b.db.Exec(t.Context(), insert, uuid.New(), id, maria.ID); err == nil {
			t.Errorf("the table takes %v", at)
		}
	}
}

func TestB12TheDateFitsTheKindOfMarker(t *testing.T) {
	t.Parallel()
	maria := setup(t).rider()
	id := maria.journey(nil)
	both := past("x", "2026-01-01", 1, 1)
	both["estimated_time"] = "2026-01-01"
	if got := maria.call("POST", "/journeys/"+id+"/markers", both).want(201).object(); got["estimated_time"] != nil || warned(got) != "estimated_time not_taken" {
		t.Errorf("a past marker has %v, warned of %q", got, warned(got))
	}
	wrong := plan("x", "2026-01-01", 1, 1)
	wrong["timestamp"] = "2026-01-01"
	if got := maria.call("POST", "/journeys/"+id+"/markers", wrong).want(201).object(); got["timestamp"] != nil || warned(got) != "timestamp not_taken" {
		t.Errorf("a planned marker has %v, warned of %q", got, warned(got))
	}
	for _, date := range []string{"2026-02-30", "01/02/2026", "0000-01-01", "9999-12-31"} {
		if got := maria.call("POST", "/journeys/"+id+"/markers", past("x", date, 1, 1)).want(201).object(); got["timestamp"] != nil || warned(got) == "" {
			t.Errorf("%s: %v, warned of %q", date, got["timestamp"], warned(got))
		}
	}
	maria.call("POST", "/journeys/"+id+"/markers", object{"name": "x", "marker_type": "future", "coordinates": both["coordinates"]}).want(422)
}

func TestB15ErrorsCarryCORSHeaders(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	id := maria.journey(nil)
	b.exec(`ALTER TABLE markers RENAME TO hidden_markers`)
	for path, want := range map[string]int{"/journeys/" + id + "/markers": 500, "/journeys/" + unknownID: 404, "/journeys/x": 422, "/nowhere": 404} {
		got := maria.call("GET", path, nil, "Origin", "https://www.findkairos.com").want(want)
		if got.header.Get("Access-Control-Allow-Origin") == "" {
			t.Errorf("%s: %d without CORS headers", path, want)
		}
	}
}

func TestB16RequestsReuseConnections(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	id := maria.journey(nil)
	// If each request opened a connection, the newest one would have started after the first request.
	const newest = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lafaekstreet' AND backend_start > $1`
	var start time.Time
	if err := b.db.QueryRow(t.Context(), `SELECT clock_timestamp()`).Scan(&start); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		maria.call("GET", "/journeys/"+id+"/markers", nil).want(200)
	}
	if n := b.count(newest, start); n != 0 {
		t.Errorf("20 requests one after another opened %d connections", n)
	}
}

func TestB17NearbyIsOneQueryInOrderWithDistances(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria, joao := b.rider(), b.rider()
	mine := maria.journey(nil)
	for i := range 8 {
		maria.marker(mine, past("x", fmt.Sprintf("2026-01-%02d", i+1), along(float64(i)), 0))
	}
	var want []string
	for i := range 60 { // more than the 50 the old search kept, in an order of its own
		id := joao.journey(nil)
		joao.marker(id, past("x", "2020-01-01", along(7), float64(60-i)/111.195))
		want = append([]string{id}, want...)
	}
	equal(t, "all", maria.nearbyIDs(mine, "?limit=200"), want...)
	equal(t, "first", maria.nearbyIDs(mine, ""), want[:50]...)
	last := 0.0
	for _, n := range maria.call("GET", "/journeys/"+mine+"/nearby?limit=200", nil).want(200).list() {
		d := n["distance_meters"].(float64)
		if d < last {
			t.Fatalf("%f m after %f m", d, last)
		}
		last = d
	}
}
