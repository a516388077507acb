package journeys_test

import (
	"encoding/json"
	"testing"
)

func TestJourneyFromCreationToDeletion(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()

	created := maria.call("POST", "/journeys/", object{"name": "Tour", "description": "slowly", "unknown": 1,
		"_id": "temp-1", "created_at": "2020-01-01T00:00:00Z", "completed": true}).want(201)
	j := created.object()
	id := j["_id"].(string)
	if j["id"] != id || j["user_id"] != maria.ID.String() || j["completed"] != false || j["active"] != false ||
		j["visibility"] != "public" || j["description"] != "slowly" || j["created_at"] == "2020-01-01T00:00:00.000Z" {
		t.Errorf("created journey is %v", j)
	}
	if got := maria.call("GET", "/journeys/"+id, nil).want(200); string(got.body) != string(created.body) {
		t.Errorf("a read differs from the creation: %s and %s", got.body, created.body)
	}
	changed := maria.call("PATCH", "/journeys/"+id, object{"name": "Tour de Timor", "visibility": "Private"}).want(200).object()
	if changed["name"] != "Tour de Timor" || changed["visibility"] != "private" || changed["description"] != "slowly" {
		t.Errorf("changed journey is %v", changed)
	}
	// The body null is no body, and completes the journey. Another body that is no object changes nothing.
	maria.call("PATCH", "/journeys/"+id, []string{}).want(422)
	if maria.call("GET", "/journeys/"+id, nil).want(200).object()["completed"] != false {
		t.Error("a list completed the journey")
	}
	maria.call("PATCH", "/journeys/"+id, json.RawMessage("null")).want(204)
	if maria.call("GET", "/journeys/"+id, nil).want(200).object()["completed"] != true {
		t.Error("null did not complete the journey")
	}
	maria.call("DELETE", "/journeys/"+id, nil).want(204)
	maria.call("GET", "/journeys/"+id, nil).wantCode(404, "journey_not_found")
}

func TestJourneysAreCreatedWithoutTheSlashToo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	maria.call("POST", "/journeys", object{"name": "Tour"}).want(201)
	maria.call("POST", "/journeys", object{"name": "Tour", "user_id": b.rider().ID}).wantCode(403, "journey_not_yours")
	maria.call("POST", "/journeys/unknown/below", object{"name": "Tour"}).want(404)
}

func TestMarkerFromCreationToDeletion(t *testing.T) {
	t.Parallel()
	b := setup(t)
	maria := b.rider()
	id := maria.journey(nil)
	body := past("Dili", "2026-11-01", 125.57, -8.55)
	body["journey_id"], body["owner_id"] = id, "ignored"
	m := maria.call("POST", "/journeys/"+id+"/markers", body).want(201).object()
	if m["owner_id"] != maria.ID.String() || m["journey_id"] != id || m["timestamp"] != "2026-11-01" || m["estimated_time"] != nil || m["notes"] != "" {
		t.Errorf("marker is %v", m)
	}
	mid := m["_id"].(string)
	got := maria.call("GET", "/journeys/"+id+"/markers/"+mid, nil).want(200)
	tag := got.header.Get("ETag")
	maria.call("PUT", "/journeys/"+id+"/markers/"+mid, plan("Baucau", "2026-12-01", 126.45, -8.47), "If-Match", tag).want(200)
	maria.call("PUT", "/journeys/"+id+"/markers/"+mid, body, "If-Match", tag).wantCode(412, "stale")
	maria.call("PUT", "/journeys/"+id+"/markers/"+mid, plan("Baucau", "2026-12-01", 126.45, -8.47)).want(200)
	if n := b.count(`SELECT max(version) FROM markers`); n != 2 {
		t.Errorf("the same marker again made version %d", n)
	}
	maria.call("DELETE", "/journeys/"+id+"/markers/"+mid, nil).want(204)
	maria.call("DELETE", "/journeys/"+id+"/markers/"+mid, nil).wantCode(404, "marker_not_found")
}
