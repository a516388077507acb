package acceptance

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestBehaviour07IdsAndOwners(t *testing.T) {
	t.Parallel()
	b := newSite(t).rider("heidi")
	id := b.journey("Tour", false)
	m := b.marker(id, "past", "2026-01-01", 125.5, -8.5)
	j := b.get("/journeys/" + id).want(200).object()
	if strings.HasPrefix(id, "temp-") || j["_id"] != id || j["user_id"] != b.id || m["journey_id"] != id || m["owner_id"] != b.id || m["_id"] == "" {
		t.Errorf("journey %v, marker %v of %s", j, m, b.id)
	}
}

func TestBehaviour14ARidersJourneys(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b, other := s.rider("heidi"), s.rider("ueli")
	b.journey("First", true)
	second := b.journey("Second", true)
	for _, reader := range []*browser{b, other} {
		list := reader.get("/users/" + b.id + "/journeys").want(200).list()
		if len(list) != 2 {
			t.Fatalf("%d journeys", len(list))
		}
		for _, j := range list {
			for _, name := range []string{"_id", "name", "description", "active", "completed", "created_at"} {
				if j[name] == nil {
					t.Errorf("no %s in %v", name, j)
				}
			}
			if j["active"] == true && j["_id"] != second {
				t.Errorf("%v is active", j)
			}
		}
	}
	if a := b.get("/users/" + other.id + "/journeys").want(200); strings.TrimSpace(string(a.body)) != "[]" {
		t.Errorf("no journeys are %s", a.body)
	}
}

func TestBehaviour15TheActiveJourney(t *testing.T) {
	t.Parallel()
	b := newSite(t).rider("heidi")
	b.get("/users/" + b.id + "/journeys/active").want(404)
	id := b.journey("Tour", true)
	if j := b.get("/users/" + b.id + "/journeys/active").want(200).object(); j["_id"] != id {
		t.Errorf("active is %v", j)
	}
}

func TestBehaviour16CreatingAJourney(t *testing.T) {
	t.Parallel()
	b := newSite(t).rider("heidi")
	body := object{"name": "Abc", "description": strings.Repeat("x", 200), "user_id": b.id, "active": true, "created_at": "2026-11-21T08:00:00.000Z"}
	j := b.json("POST", "/journeys/", body).want(201).object()
	if j["_id"] == nil || j["name"] != "Abc" || j["active"] != true {
		t.Errorf("created %v", j)
	}
}

func TestBehaviour17ToggleSwitchesBetweenJourneys(t *testing.T) {
	t.Parallel()
	b := newSite(t).rider("heidi")
	a, c := b.journey("A", true), b.journey("B", false)
	active := func() any {
		got := b.get("/users/" + b.id + "/journeys/active")
		if got.status == 404 {
			return nil
		}
		return got.want(200).object()["_id"]
	}
	b.call("PATCH", "/journeys/"+a+"/active", "", nil).want(204)
	b.call("PATCH", "/journeys/"+c+"/active", "", nil).want(204)
	if got := active(); got != c {
		t.Errorf("after toggling A and B %v is active, want B", got)
	}
	b.call("PATCH", "/journeys/"+a+"/active", "", nil).want(204)
	if got := active(); got != a {
		t.Errorf("after toggling A alone %v is active", got)
	}
	b.call("PATCH", "/journeys/"+a+"/active", "", nil).want(204)
	if got := active(); got != nil {
		t.Errorf("after toggling A off %v is active", got)
	}
}

func TestBehaviour18CompletingAndDeleting(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.rider("heidi")
	id := b.journey("Tour", true)
	b.marker(id, "past", "2026-01-01", 125.5, -8.5)
	b.call("PATCH", "/journeys/"+id, "", nil).want(204)
	if j := b.get("/journeys/" + id).want(200).object(); j["completed"] != true || j["active"] != false {
		t.Errorf("completed %v", j)
	}
	b.call("DELETE", "/journeys/"+id, "", nil).want(204)
	if n := s.Int(`SELECT count(*) FROM markers`); n != 0 {
		t.Errorf("%d markers are left", n)
	}
}

func TestBehaviour19MarkersOfOthersJourneys(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b, other := s.rider("heidi"), s.rider("ueli")
	id := b.journey("Tour", true)
	b.marker(id, "past", "2026-01-01", 125.5, -8.5)
	b.marker(id, "plan", "2030-01-01", 126.5, -8.6)
	list := other.get("/journeys/" + id + "/markers").want(200).list()
	if len(list) != 2 {
		t.Fatalf("%d markers", len(list))
	}
	for i, want := range [][2]float64{{125.5, -8.5}, {126.5, -8.6}} {
		at, _ := list[i]["coordinates"].(object)["coordinates"].([]any)
		if len(at) != 2 || at[0] != want[0] || at[1] != want[1] {
			t.Errorf("marker %d is at %v, want %v", i, at, want)
		}
	}
}

func TestBehaviour20AddingAMarker(t *testing.T) {
	t.Parallel()
	b := newSite(t).rider("heidi")
	id := b.journey("Tour", true)
	m := b.marker(id, "plan", "2030-01-01", 126.5, -8.6)
	if m["owner_id"] != b.id || m["estimated_time"] != "2030-01-01" || m["timestamp"] != nil || m["notes"] != "" {
		t.Errorf("added %v", m)
	}
}

func TestBehaviour21TurningAPlanIntoThePast(t *testing.T) {
	t.Parallel()
	b := newSite(t).rider("heidi")
	id := b.journey("Tour", true)
	m := b.marker(id, "plan", "2030-01-01", 126.5, -8.6)
	mid, _ := m["_id"].(string)
	edited := b.json("PUT", "/journeys/"+id+"/markers/"+mid, point(id, "past", "2026-11-20", 126.5, -8.6)).want(200).object()
	if edited["marker_type"] != "past" || edited["timestamp"] != "2026-11-20" || edited["estimated_time"] != nil ||
		edited["_id"] != mid || edited["owner_id"] != b.id || edited["created_at"] != m["created_at"] {
		t.Errorf("edited %v from %v", edited, m)
	}
}

func TestBehaviour22DeletingAMarker(t *testing.T) {
	t.Parallel()
	b := newSite(t).rider("heidi")
	id := b.journey("Tour", true)
	mid, _ := b.marker(id, "past", "2026-01-01", 125.5, -8.5)["_id"].(string)
	if a := b.call("DELETE", "/journeys/"+id+"/markers/"+mid, "", nil); a.status/100 != 2 {
		t.Errorf("deleting is %d", a.status)
	}
	if list := b.get("/journeys/" + id + "/markers").want(200).list(); len(list) != 0 {
		t.Errorf("left are %v", list)
	}
}

func TestBehaviour23DatesForInputsAndForJavaScript(t *testing.T) {
	t.Parallel()
	b := newSite(t).rider("heidi")
	id := b.journey("Tour", true)
	b.marker(id, "past", "2026-01-01", 125.5, -8.5)
	m := b.get("/journeys/" + id + "/markers").want(200).list()[0]
	if m["timestamp"] != "2026-01-01" {
		t.Errorf("timestamp is %v", m["timestamp"])
	}
	// ECMA-262's date time string format, which every engine reads the same.
	format := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)
	for _, v := range []any{m["created_at"], b.get("/journeys/" + id).want(200).object()["created_at"]} {
		if s, _ := v.(string); !format.MatchString(s) {
			t.Errorf("created_at is %v", v)
		}
	}
}

func TestBehaviour24NearbyAndABurstOfMarkerReads(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.rider("heidi")
	mine := b.journey("Mine", true)
	b.marker(mine, "plan", "2030-01-01", 125.5, -8.5)
	other := s.rider("ueli")
	for range 5 {
		id := other.journey("Theirs", false)
		other.marker(id, "plan", "2030-01-01", 125.6, -8.5)
	}
	var ids []string
	if err := json.Unmarshal(b.get("/journeys/"+mine+"/journeys/nearby").want(200).body, &ids); err != nil || len(ids) != 5 {
		t.Fatalf("nearby: %v %v", ids, err)
	}
	ids = append(ids, "01900000-0000-7000-8000-000000000000") // gone since: it must not spoil the rest
	answers := make([]*answer, 120)
	var running sync.WaitGroup
	for i := range answers {
		running.Go(func() { answers[i] = b.get("/journeys/" + ids[i%len(ids)] + "/markers") })
	}
	running.Wait()
	for i, a := range answers {
		if want := map[bool]int{true: 404, false: 200}[i%len(ids) == 5]; a.status != want {
			t.Fatalf("read %d of the burst is %d, want %d: %s", i, a.status, want, a.body)
		}
	}
	if answers[0].header.Get("RateLimit-Limit") == "" {
		t.Error("nothing limits the burst: this test shows nothing")
	}
}

func TestBehaviour25IdsStayTheSame(t *testing.T) {
	t.Parallel()
	b := newSite(t).rider("heidi")
	id := b.journey("Tour", true)
	m := b.marker(id, "past", "2026-01-01", 125.5, -8.5)
	b.json("PATCH", "/journeys/"+id, object{"name": "Other"}).want(200)
	list := b.get("/journeys/" + id + "/markers").want(200).list()
	if len(list) != 1 || list[0]["_id"] != m["_id"] || list[0]["journey_id"] != id || list[0]["id"] != m["_id"] {
		t.Errorf("the marker became %v", list)
	}
}

func TestBehaviour26ExactSuccessCodes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.rider("heidi")          // 201 register, 200 verify, 200 login
	id := b.journey("Tour", false) // 201
	m := b.marker(id, "past", "2026-01-01", 125.5, -8.5)
	mid, _ := m["_id"].(string)
	b.get("/users/me").want(200)
	b.json("PUT", "/users/"+b.id, b.get("/users/me").object()).want(200)
	b.get("/users/" + b.id).want(200)
	b.get("/users/" + b.id + "/journeys").want(200)
	b.json("PUT", "/journeys/"+id+"/markers/"+mid, point(id, "past", "2026-01-01", 1, 1)).want(200)
	b.get("/journeys/" + id + "/journeys/nearby").want(200)
	b.call("DELETE", "/journeys/"+id+"/markers/"+mid, "", nil).want(204)
	b.call("PATCH", "/journeys/"+id+"/active", "", nil).want(204)
	b.call("PATCH", "/journeys/"+id, "", nil).want(204)
	b.call("DELETE", "/journeys/"+id, "", nil).want(204)
	b.call("POST", "/users/reset-password?email="+b.email, "", nil).want(202)
	b.call("DELETE", "/users/"+b.id, "", nil).want(200)
}

// publishedIDs become the method names of the generated client.
var publishedIDs = []string{
	"login_api_v1_auth_token_post", "refresh_api_v1_auth_refresh_post",
	"register_user_api_v1_users_register_post", "verify_email_api_v1_users_verify_email_get",
	"reset_password_api_v1_users_reset_password_post", "update_password_api_v1_users_update_password_post",
	"get_current_user_api_v1_users_me_get", "get_user_by_id_api_v1_users__user_id__get",
	"get_user_journeys_api_v1_users__user_id__journeys_get", "get_active_journey_api_v1_users__user_id__journeys_active_get",
	"update_user_api_v1_users__user_id__put", "delete_user_api_v1_users__user_id__delete", "ping_api_v1__get",
	"create_journey_api_v1_journeys__post", "get_journey_api_v1_journeys__journey_id__get",
	"delete_journey_api_v1_journeys__journey_id__delete", "set_completed_journey_api_v1_journeys__journey_id__patch",
	"toggle_active_journey_api_v1_journeys__journey_id__active_patch",
	"add_marker_to_journey_api_v1_journeys__journey_id__markers_post",
	"get_journey_markers_api_v1_journeys__journey_id__markers_get",
	"update_journey_marker_api_v1_journeys__journey_id__markers__marker_id__put",
	"delete_journey_marker_api_v1_journeys__journey_id__markers__marker_id__delete",
	"get_nearby_journeys_api_v1_journeys__journey_id__journeys_nearby_get",
}

func TestBehaviour27ThePublishedInterface(t *testing.T) {
	t.Parallel()
	b := newSite(t).browser()
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string   `json:"operationId"`
			Tags        []string `json:"tags"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(b.get("/openapi.json").want(200).body, &doc); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for path, item := range doc.Paths {
		for _, op := range item {
			ids = append(ids, op.OperationID)
			if strings.Contains(path, "/journeys") && !slices.Contains(op.Tags, "journeys") {
				t.Errorf("%s is not tagged journeys", op.OperationID)
			}
		}
	}
	for _, id := range publishedIDs {
		if !slices.Contains(ids, id) {
			t.Errorf("no operation %s", id)
		}
	}
	if a := b.get("/"); a.status != 200 || strings.TrimSpace(string(a.body)) != `"pong"` {
		t.Errorf("ping answers %d %s", a.status, a.body)
	}
}
