package journeys_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/infra/local/identitytest"
	"github.com/lafaekstreet/backend/shared/identity"
)

// The security faults of the former system that concern journeys and markers,
// one test for each; S03 and so on are the numbers they have in the requirements.

const unknownID = "01900000-0000-7000-8000-000000000000"

func TestS03NobodyWritesForAnotherPerson(t *testing.T) {
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

func TestS06ClientsCannotSetOwnerOrState(t *testing.T) {
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

func TestS16ErrorsHideInternals(t *testing.T) {
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

func TestS18PrivateJourneysAreNotFoundByOthers(t *testing.T) {
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
