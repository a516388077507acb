package journeys_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/identity/identitytest"
)

// The faults of the system this one replaces, as far as journeys and markers
// have them, one test each under the name the notes give it.

const unknownID = "01900000-0000-7000-8000-000000000000"

func TestS03NobodyWritesInAnothersName(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria, mallory := b.rider(), b.rider()
	mallory.call("POST", "/journeys/", object{"name": "x", "user_id": maria.ID}).wantCode(403, "journey_not_yours")
	public := maria.journey(nil)
	private := maria.journey(object{"visibility": "private"})
	for id, want := range map[string]int{public: 403, private: 404} {
		mid := maria.marker(id, past("Dili", "2026-01-01", 125.57, -8.55))
		for _, c := range []struct {
			method, path string
			body         any
		}{
			{"PATCH", "", nil}, {"PATCH", "", object{"name": "x"}}, {"PATCH", "/active", nil}, {"DELETE", "", nil},
			{"POST", "/markers", past("x", "2026-01-01", 1, 1)}, {"POST", "/markers", object{"name": "x", "marker_type": "?", "coordinates": object{"coordinates": []float64{1, 1}}}},
			{"PUT", "/markers/" + mid, past("x", "2026-01-01", 1, 1)},
			{"DELETE", "/markers/" + mid, nil}, {"POST", "/import", trackFile},
		} {
			mallory.call(c.method, "/journeys/"+id+c.path, c.body).want(want)
		}
		if m := maria.call("GET", "/journeys/"+id+"/markers", nil).want(200).list(); len(m) != 1 || m[0]["name"] != "Dili" {
			t.Errorf("the markers became %v", m)
		}
		if j := maria.call("GET", "/journeys/"+id, nil).want(200).object(); j["completed"] != false || j["active"] != false {
			t.Errorf("the journey became %v", j)
		}
	}
}

func TestS06OwnershipAndStateAreNotTheClientsToSet(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria, other := b.rider(), b.rider()
	mine := object{"name": "Tour", "_id": unknownID, "id": unknownID, "created_at": "2001-01-01T00:00:00Z", "completed": true, "version": 9}
	j := maria.call("POST", "/journeys/", mine).want(201).object()
	if j["_id"] == unknownID || j["completed"] != false || strings.HasPrefix(j["created_at"].(string), "2001") {
		t.Errorf("created %v", j)
	}
	id := j["_id"].(string)
	patched := maria.call("PATCH", "/journeys/"+id, object{"user_id": other.ID, "active": true, "created_at": "2001-01-01T00:00:00Z"}).want(200).object()
	if patched["user_id"] != maria.ID.String() || patched["active"] != false || patched["created_at"] != j["created_at"] {
		t.Errorf("patched %v", patched)
	}
	body := past("Dili", "2026-01-01", 125.57, -8.55)
	body["_id"], body["owner_id"], body["created_at"] = unknownID, other.ID, "2001-01-01T00:00:00Z"
	m := maria.call("POST", "/journeys/"+id+"/markers", body).want(201).object()
	if m["_id"] == unknownID || m["owner_id"] != maria.ID.String() || strings.HasPrefix(m["created_at"].(string), "2001") {
		t.Errorf("added %v", m)
	}
	again := maria.call("PUT", "/journeys/"+id+"/markers/"+m["_id"].(string), body).want(200).object()
	if again["owner_id"] != maria.ID.String() || again["_id"] != m["_id"] || again["created_at"] != m["created_at"] {
		t.Errorf("replaced %v", again)
	}
}

func TestS07OnlyAccessTokensOpenTheRoutes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	for _, scope := range []string{"refresh", "email_verification", "password_reset", ""} {
		claims := identitytest.Claims(time.Now(), maria.ID, identity.Citizen, maria.SessionID)
		claims.Scope = scope
		with := &rider{b: b}
		with.Token = b.signer.Sign(claims)
		with.call("GET", "/users/"+maria.ID.String()+"/journeys", nil).wantCode(401, "token_invalid")
	}
}

func TestS09ARevokedSessionReadsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	maria.journey(nil)
	b.exec(`UPDATE sessions SET revoked_at = now() WHERE id = $1`, maria.SessionID)
	maria.call("GET", "/users/"+maria.ID.String()+"/journeys", nil).wantCode(401, "token_invalid")
}

func TestS16FailuresTellNothingOfTheInside(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	id := maria.journey(nil)
	b.exec(`ALTER TABLE markers RENAME TO hidden_markers`)
	got := maria.call("GET", "/journeys/"+id+"/markers", nil).wantCode(500, "internal")
	for _, word := range []string{"markers", "relation", "SQL", "pgx", "42P01"} {
		if strings.Contains(string(got.body), word) {
			t.Errorf("the answer says %q: %s", word, got.body)
		}
	}
}

func TestS17SecurityHeadersAndNoCredentialsAcrossOrigins(t *testing.T) {
	t.Parallel()
	got := setup(t).rider().call("GET", "/journeys/"+unknownID, nil, "Origin", "https://evil.example").want(404)
	if got.header.Get("Access-Control-Allow-Credentials") != "" || got.header.Get("X-Content-Type-Options") != "nosniff" ||
		got.header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("headers are %v", got.header)
	}
}

func TestS18PrivateJourneysDoNotExistForOthers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria, joao, staff := b.rider(), b.rider(), b.staff()
	id := maria.route(plan, "2030-01-01", "2030-01-02", 125.5, -8.5, 125.6, -8.6)
	maria.call("PATCH", "/journeys/"+id+"/active", nil).want(204)
	maria.call("PATCH", "/journeys/"+id, object{"visibility": "private"}).want(200)
	mid := maria.call("GET", "/journeys/"+id+"/markers", nil).want(200).list()[0]["_id"].(string)
	theirs := joao.route(plan, "2030-01-01", "2030-01-02", 125.5, -8.5, 125.6, -8.6)
	for _, other := range []*rider{joao, staff} {
		for _, path := range []string{"", "/markers", "/markers/" + mid, "/route", "/route.gpx", "/nearby", "/journeys/nearby", "/reports"} {
			other.call("GET", "/journeys/"+id+path, nil).wantCode(404, "journey_not_found")
		}
		other.call("GET", "/users/"+maria.ID.String()+"/journeys/active", nil).want(404)
		if list := other.call("GET", "/users/"+maria.ID.String()+"/journeys", nil).want(200).list(); len(list) != 0 {
			t.Errorf("a private journey is listed: %v", list)
		}
	}
	for _, mode := range []string{"markers", "route"} {
		equal(t, mode, joao.nearbyIDs(theirs, "?mode="+mode))
	}
}

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

func TestB02MarkersGoWithTheirJourneyAndJourneysWithTheirRider(t *testing.T) {
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

func TestB04TheBodysJourneyIsThePaths(t *testing.T) {
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

func TestB05AMarkerIsFoundInItsOwnJourneyAlone(t *testing.T) {
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
	maria.call("POST", "/journeys/"+id+"/markers", both).want(422)
	both["estimated_time"] = nil
	maria.call("POST", "/journeys/"+id+"/markers", both).want(201)
	wrong := plan("x", "2026-01-01", 1, 1)
	wrong["timestamp"] = "2026-01-01"
	maria.call("POST", "/journeys/"+id+"/markers", wrong).want(422)
	for _, date := range []string{"2026-02-30", "01/02/2026", "0000-01-01", "9999-12-31"} {
		maria.call("POST", "/journeys/"+id+"/markers", past("x", date, 1, 1)).want(422)
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

func TestB16RequestsShareTheirConnections(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	id := maria.journey(nil)
	// A connection made anew by each request would show in the newest one's start.
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
