package acceptance

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

func TestBehaviour07IdsAndOwners(t *testing.T) {
	t.Parallel()
	b := newSite(t).rider("heidi")
	id := b.journey("Tour", false)
	m := b.marker(id, "past", "2026-01-01", 125.5, -8.5)
	j := b.Get("/journeys/" + id).Want(200).Object().Values
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
		list := reader.Get("/users/" + b.id + "/journeys").Want(200).List()
		if len(list) != 2 {
			t.Fatalf("%d journeys", len(list))
		}
		for _, j := range list {
			for _, name := range []string{"_id", "name", "description", "active", "completed", "created_at"} {
				if j.At(name) == nil {
					t.Errorf("no %s in %v", name, j)
				}
			}
			if j.At("active") == true && j.At("_id") != second {
				t.Errorf("%v is active", j)
			}
		}
	}
	if a := b.Get("/users/" + other.id + "/journeys").Want(200); strings.TrimSpace(string(a.Body)) != "[]" {
		t.Errorf("no journeys are %s", a.Body)
	}
}

func TestBehaviour15TheActiveJourney(t *testing.T) {
	t.Parallel()
	b := newSite(t).rider("heidi")
	b.Get("/users/" + b.id + "/journeys/active").Want(404)
	id := b.journey("Tour", true)
	if j := b.Get("/users/" + b.id + "/journeys/active").Want(200).Object().Values; j["_id"] != id {
		t.Errorf("active is %v", j)
	}
}

func TestBehaviour16CreatingAJourney(t *testing.T) {
	t.Parallel()
	b := newSite(t).rider("heidi")
	body := object{"name": "Abc", "description": strings.Repeat("x", 200), "user_id": b.id, "active": true, "created_at": "2026-11-21T08:00:00.000Z"}
	j := b.Do("POST", "/journeys/", body).Want(201).Object().Values
	if j["_id"] == nil || j["name"] != "Abc" || j["active"] != true {
		t.Errorf("created %v", j)
	}
}

func TestBehaviour17ToggleSwitchesBetweenJourneys(t *testing.T) {
	t.Parallel()
	b := newSite(t).rider("heidi")
	a, c := b.journey("A", true), b.journey("B", false)
	active := func() any {
		got := b.Get("/users/" + b.id + "/journeys/active")
		if got.Status == 404 {
			return nil
		}
		return got.Want(200).Object().Values["_id"]
	}
	b.Do("PATCH", "/journeys/"+a+"/active", nil).Want(204)
	b.Do("PATCH", "/journeys/"+c+"/active", nil).Want(204)
	if got := active(); got != c {
		t.Errorf("after toggling A and B %v is active, want B", got)
	}
	b.Do("PATCH", "/journeys/"+a+"/active", nil).Want(204)
	if got := active(); got != a {
		t.Errorf("after toggling A alone %v is active", got)
	}
	b.Do("PATCH", "/journeys/"+a+"/active", nil).Want(204)
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
	b.Do("PATCH", "/journeys/"+id, nil).Want(204)
	if j := b.Get("/journeys/" + id).Want(200).Object().Values; j["completed"] != true || j["active"] != false {
		t.Errorf("completed %v", j)
	}
	b.Do("DELETE", "/journeys/"+id, nil).Want(204)
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
	list := other.Get("/journeys/" + id + "/markers").Want(200).List()
	if len(list) != 2 {
		t.Fatalf("%d markers", len(list))
	}
	for i, want := range [][2]float64{{125.5, -8.5}, {126.5, -8.6}} {
		at, _ := list[i].At("coordinates.coordinates").([]any)
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
	edited := b.Do("PUT", "/journeys/"+id+"/markers/"+mid, point(id, "past", "2026-11-20", 126.5, -8.6)).Want(200).Object().Values
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
	if a := b.Do("DELETE", "/journeys/"+id+"/markers/"+mid, nil); a.Status/100 != 2 {
		t.Errorf("deleting is %d", a.Status)
	}
	if list := b.Get("/journeys/" + id + "/markers").Want(200).List(); len(list) != 0 {
		t.Errorf("left are %v", list)
	}
}

func TestBehaviour23DatesForInputsAndForJavaScript(t *testing.T) {
	t.Parallel()
	b := newSite(t).rider("heidi")
	id := b.journey("Tour", true)
	b.marker(id, "past", "2026-01-01", 125.5, -8.5)
	m := b.Get("/journeys/" + id + "/markers").Want(200).List()[0].Values
	if m["timestamp"] != "2026-01-01" {
		t.Errorf("timestamp is %v", m["timestamp"])
	}
	// ECMA-262's date time string format, which every engine reads the same.
	format := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)
	for _, v := range []any{m["created_at"], b.Get("/journeys/" + id).Want(200).Object().Values["created_at"]} {
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
	if err := json.Unmarshal(b.Get("/journeys/"+mine+"/journeys/nearby").Want(200).Body, &ids); err != nil || len(ids) != 5 {
		t.Fatalf("nearby: %v %v", ids, err)
	}
	ids = append(ids, "01900000-0000-7000-8000-000000000000") // deleted meanwhile: the other reads must still succeed
	answers := make([]apiclient.TestResponse, 120)
	var running sync.WaitGroup
	for i := range answers {
		running.Go(func() { answers[i] = b.Get("/journeys/" + ids[i%len(ids)] + "/markers") })
	}
	running.Wait()
	for i, a := range answers {
		if want := map[bool]int{true: 404, false: 200}[i%len(ids) == 5]; a.Status != want {
			t.Fatalf("read %d of the burst is %d, want %d: %s", i, a.Status, want, a.Body)
		}
	}
	if answers[0].Header.Get("RateLimit-Limit") == "" {
		t.Error("the answer has no rate limit: this test proves nothing")
	}
}

func TestBehaviour25IdsStayTheSame(t *testing.T) {
	t.Parallel()
	b := newSite(t).rider("heidi")
	id := b.journey("Tour", true)
	m := b.marker(id, "past", "2026-01-01", 125.5, -8.5)
	b.Do("PATCH", "/journeys/"+id, object{"name": "Other"}).Want(200)
	list := b.Get("/journeys/" + id + "/markers").Want(200).List()
	if len(list) != 1 || list[0].Values["_id"] != m["_id"] || list[0].Values["journey_id"] != id || list[0].Values["id"] != m["_id"] {
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
	b.Get("/users/me").Want(200)
	b.Do("PUT", "/users/"+b.id, b.Get("/users/me").Object().Values).Want(200)
	b.Get("/users/" + b.id).Want(200)
	b.Get("/users/" + b.id + "/journeys").Want(200)
	b.Do("PUT", "/journeys/"+id+"/markers/"+mid, point(id, "past", "2026-01-01", 1, 1)).Want(200)
	b.Get("/journeys/" + id + "/journeys/nearby").Want(200)
	b.Do("DELETE", "/journeys/"+id+"/markers/"+mid, nil).Want(204)
	b.Do("PATCH", "/journeys/"+id+"/active", nil).Want(204)
	b.Do("PATCH", "/journeys/"+id, nil).Want(204)
	b.Do("DELETE", "/journeys/"+id, nil).Want(204)
	b.Do("POST", "/users/reset-password?email="+b.email, nil).Want(202)
	b.Do("DELETE", "/users/"+b.id, nil).Want(200)
}

// publishedIDs become the method names of the generated client.
var publishedIDs = []string{
	"login_api_v1_auth_token_post", "refresh_api_v1_auth_refresh_post",
	"register_user_api_v1_users_register_post", "verify_email_api_v1_users_verify_email_get",
	"reset_password_api_v1_users_reset_password_post", "update_password_api_v1_users_update_password_post",
	"get_current_user_api_v1_users_me_get", "get_user_by_id_api_v1_users__user_id__get",
	"get_user_journeys_api_v1_users__user_id__journeys_get", "get_active_journey_api_v1_users__user_id__journeys_active_get",
	"update_user_api_v1_users__user_id__put", "delete_user_api_v1_users__user_id__delete", "ping_api_v1__get", "ping_mongodb_api_v1_mongodb_get",
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
	if err := json.Unmarshal(b.Get("/openapi.json").Want(200).Body, &doc); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, item := range doc.Paths {
		for _, op := range item {
			ids = append(ids, op.OperationID)
		}
	}
	slices.Sort(ids)
	if want := slices.Sorted(slices.Values(publishedIDs)); !slices.Equal(ids, want) {
		t.Errorf("the operations are %q, want %q", ids, want)
	}
	if a := b.Get("/"); a.Status != 200 || strings.TrimSpace(string(a.Body)) != `"pong"` {
		t.Errorf("ping answers %d %s", a.Status, a.Body)
	}
}
