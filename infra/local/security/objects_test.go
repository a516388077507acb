package security

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/admin"
	"github.com/lafaekstreet/backend/functions/auth"
	"github.com/lafaekstreet/backend/functions/community"
	"github.com/lafaekstreet/backend/functions/journeys"
	"github.com/lafaekstreet/backend/functions/locations"
	"github.com/lafaekstreet/backend/functions/meta"
	"github.com/lafaekstreet/backend/functions/monitoring"
	"github.com/lafaekstreet/backend/functions/notifications"
	"github.com/lafaekstreet/backend/functions/ogc"
	"github.com/lafaekstreet/backend/functions/open311"
	"github.com/lafaekstreet/backend/functions/public"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/functions/staff"
	"github.com/lafaekstreet/backend/functions/users"
	"github.com/lafaekstreet/backend/functions/web"
	"github.com/lafaekstreet/backend/infra/local/openapi"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

type object = map[string]any

func setup(t *testing.T) *testenv.System {
	t.Helper()
	w := testenv.New(t)
	w.Env["TOKEN_SIGNING_KEY"], w.Env["SEAL_KEYS"] = w.Signer.SigningKey(), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	w.Env["ADMIN_SETUP_TOKEN"], w.Env["WEB_BASE_URL"] = "setup", "https://lafaek.example"
	for _, limit := range []string{"USER_PER_MINUTE", "USER_BURST", "ADDRESS_PER_MINUTE", "VIEW_PER_MINUTE", "AUTH_PER_MINUTE", "CREATE_PER_HOUR", "SYNC_PER_HOUR", "UPLOAD_PER_HOUR", "COMMENT_PER_HOUR", "FLAG_PER_HOUR", "IMPORT_PER_HOUR", "CONTACT_PER_HOUR", "VERIFY_PER_MINUTE"} {
		w.Env["RATE_LIMIT_"+limit] = "100000"
	}
	w.Serve(reports.Open, users.Open, community.Open, monitoring.Open, notifications.Open, journeys.Open, staff.Open, admin.Open, public.Open, auth.Open,
		locations.Open, meta.Open, web.Open, open311.Open, ogc.Open)
	return w
}

func draft(more object) object {
	out := object{"issue_type": "pothole", "latitude": -8.5569, "longitude": 125.5603, "client_id": uuid.NewString()}
	for name, value := range more {
		out[name] = value
	}
	return out
}

func uploaded(c *testenv.Client, w *testenv.System, shade uint8) string {
	return c.Form("/reports/pre-upload-image", nil, "file", "a.jpg", w.JPEG(shade)).Want(http.StatusCreated).Object().Text("upload_id")
}

// attempt is a request that names an object of another person.
type attempt struct {
	method, path string
	body         any
}

// openOperations are the operations whose path names nothing private.
var openOperations = []string{
	"GET /api/v1/users/{user_id}", "GET /api/v1/users/{user_id}/avatar", "GET /api/v1/users/{user_id}/journeys", "GET /api/v1/users/{user_id}/journeys/active",
	"PUT /api/v1/users/me/devices/{device_id}", // of the caller, whatever the id
	"DELETE /api/v1/reports/{id}/follow",       // of the caller, whatever the id
	"GET /api/v1/public/tiles/{z}/{x}/{y}", "GET /assets/{hash}/{name}", "GET /docs/{file}", "GET /docs/guides/{name}", "GET /ogc/collections/{collection}", "GET /open311/v2/services/{service_code}", "GET /ogc/collections/{collection}/items", "GET /docs/problems/{code}", "GET /redoc/{file}",
	"GET /unsubscribe/{token}", "POST /unsubscribe/{token}", // a token is for one person: TestUnsubscribeTokens of functions/notifications
	"GET /api/v1/public/reports/{id}/qr.svg",             // of any number: it looks nothing up
	"GET /log/tile/{path}", "GET /log/proof/{log_index}", // of everybody
}

// everyObject fails the test for every operation that names an object and has no attempt.
func everyObject(t *testing.T, attempts []attempt) {
	t.Helper()
	raw, err := openapi.Whole()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for path, item := range doc.Paths {
		if !strings.Contains(path, "{") {
			continue
		}
		form := regexp.MustCompile(`^` + regexp.MustCompile(`\{[a-z_]+\}`).ReplaceAllString(path, `[^/]+`) + `$`)
		for method := range item {
			operation := strings.ToUpper(method) + " " + path
			if slices.Contains(openOperations, operation) {
				continue
			}
			seen++
			if !slices.ContainsFunc(attempts, func(a attempt) bool {
				whole, outside := strings.CutPrefix(a.path, "//")
				if whole = "/" + whole; !outside {
					whole = "/api/v1" + a.path
				}
				return strings.EqualFold(a.method, method) && form.MatchString(whole)
			}) {
				t.Errorf("add an attempt for %s to this test", operation)
			}
		}
	}
	if seen < 40 {
		t.Errorf("only %d operations name an object", seen)
	}
}

// Nobody can read, change or use an object of another person, even with its id.
func TestNobodyReachesObjectsOfOthers(t *testing.T) {
	t.Parallel()
	w := setup(t)
	maria, joao := w.Citizen(), w.Citizen()
	moderator := w.Staff(identity.Moderator)

	loose, used := uploaded(maria, w, 1), uploaded(maria, w, 2)
	w.ProcessUpload(used)
	mine := maria.Post("/reports", draft(object{"images": []object{{"upload_id": used}}})).Want(http.StatusCreated).Object()
	unseen := uploaded(maria, w, 3)
	w.ProcessUpload(unseen)
	hidden := maria.Post("/reports", draft(object{"latitude": -8.6, "description": "Hers alone", "images": []object{{"upload_id": unseen}}})).Want(http.StatusCreated).Object()
	moderator.Post("/reports/"+hidden.Text("id")+"/status", object{"status": "rejected", "reason_code": "irrelevant", "note": "Not a road."}).Want(http.StatusOK)
	comment := maria.Post("/reports/"+mine.Text("id")+"/comments", object{"content": "Mine."}).Want(http.StatusCreated).Object()
	note := maria.Get("/notifications").Want(http.StatusOK).Object().Items("items")[0].Text("id")
	alert := maria.Post("/alerts", object{"municipality": "Dili"}).Want(http.StatusCreated).Object().Text("id")
	tour := maria.Post("/journeys", object{"name": "Secret", "visibility": "private"}).Want(http.StatusCreated).Object().Text("_id")
	marker := maria.Post("/journeys/"+tour+"/markers", object{"name": "Camp", "marker_type": "plan", "estimated_time": "2027-05-01",
		"coordinates": object{"type": "Point", "coordinates": []float64{125.5, -8.5}}}).Want(http.StatusCreated).Object().Text("_id")
	maria.Do(http.MethodPut, "/users/me/devices/phone", object{"platform": "android", "fcm_token": "hers"}).Want(http.StatusOK)

	maria.Post("/journeys/"+tour+"/import", object{"type": "LineString", "coordinates": [][]float64{{125.5, -8.5}, {125.6, -8.6}}}).Want(http.StatusCreated)
	track := maria.Do(http.MethodGet, "/journeys/"+tour+"/tracks", nil).Want(http.StatusOK).List()[0].Text("id")
	report, secret, journey := "/reports/"+mine.Text("id"), "/reports/"+hidden.Text("id"), "/journeys/"+tour
	picture := report + "/images/" + mine.Items("images")[0].Text("id")
	person, said := "/users/"+maria.ID.String(), report+"/comments/"+comment.Text("id")
	markerBody := object{"name": "x", "marker_type": "plan", "coordinates": object{"type": "Point", "coordinates": []float64{1, 1}}}
	attempts := []attempt{
		{"GET", "/reports/similar?image_upload_id=" + loose, nil},
		{"PATCH", "/users/me", object{"avatar_upload_id": loose}},
		{"PATCH", report, object{"title": "Joao's"}}, {"DELETE", report, nil}, {"POST", report + "/status", object{"status": "fixed", "note": "x"}},
		{"POST", report + "/images", object{"upload_id": loose}}, {"DELETE", picture, nil}, {"POST", report + "/assign", object{}},
		{"POST", picture + "/hide", object{"reason_code": "unsafe"}}, {"POST", picture + "/unhide", nil}, {"GET", "/public" + picture + "/display", nil},
		{"POST", picture + "/redact", object{"reason_code": "unsafe", "boxes": []object{{"x": 0, "y": 0, "width": 1, "height": 1}}}},
		{"POST", report + "/hand-back", object{"note": "x"}}, {"GET", "/staff/agencies", nil},
		{"POST", "/staff/reports/bulk-assign", object{"items": []object{{"report_id": mine.Text("id")}}}}, {"GET", "/admin/agencies/" + mine.Text("id"), nil},
		{"POST", report + "/notes", object{"content": "x"}}, {"GET", report + "/notes", nil}, {"GET", report + "/log", nil}, {"GET", report + "/reporter", nil}, {"GET", "/admin" + person + "/reports", nil}, {"POST", report + "/ai-analysis/override", object{"is_relevant": true, "note": "x"}},
		{"DELETE", report + "/comments/" + comment.Text("id"), nil}, {"GET", report + "/riders-affected", nil},
		{"POST", secret + "/follow", nil}, {"POST", secret + "/confirm", object{"note": "x"}}, {"POST", report + "/dispute", object{"note": "x"}},
		{"POST", report + "/hide", object{"reason_code": "offensive"}}, {"POST", report + "/unhide", nil}, {"POST", report + "/flags/dismiss", nil},
		{"POST", said + "/hide", object{"reason_code": "offensive"}}, {"POST", said + "/unhide", nil}, {"POST", said + "/flags/dismiss", nil},
		{"POST", secret + "/flag", object{"reason": "offensive"}}, {"POST", secret + "/comments/" + comment.Text("id") + "/flag", object{"reason": "offensive"}},
		{"DELETE", "/alerts/" + alert, nil}, {"GET", "/public" + secret + "/comments", nil},
		{"GET", secret, nil}, {"PATCH", secret, object{"title": "x"}}, {"POST", secret + "/appeal", object{"reason": "I want it."}}, {"DELETE", secret, nil},
		{"POST", secret + "/comments", object{"content": "x"}}, {"GET", secret + "/comments", nil}, {"GET", secret + "/ai-analysis", nil},
		{"GET", "/public" + secret, nil}, {"GET", "//ogc/collections/reports/items/" + hidden.Text("id"), nil},
		{"GET", "//open311/v2/requests/" + hidden.Text("report_number") + ".json", nil}, {"GET", "//open311/v2/tokens/" + hidden.Text("id") + ".xml", nil}, {"GET", "/reports/" + hidden.Text("report_number"), nil},
		{"POST", "/notifications/" + note + "/read", nil}, {"DELETE", "/notifications/" + note, nil},
		{"GET", journey, nil}, {"PATCH", journey, object{"name": "x"}}, {"PATCH", journey + "/active", nil}, {"DELETE", journey, nil},
		{"GET", journey + "/markers", nil}, {"POST", journey + "/markers", markerBody}, {"PUT", journey + "/markers/" + marker, markerBody},
		{"DELETE", journey + "/markers/" + marker, nil}, {"GET", journey + "/route", nil}, {"GET", journey + "/route.gpx", nil},
		{"GET", journey + "/tracks", nil}, {"DELETE", journey + "/tracks/" + track, nil},
		{"GET", journey + "/nearby", nil}, {"GET", journey + "/journeys/nearby", nil}, {"GET", journey + "/reports", nil},
		{"POST", journey + "/import", object{"type": "Point", "coordinates": []float64{1, 1}}},
		{"PUT", person, object{"name": "x", "email": "x@example.org"}}, {"DELETE", person, nil}, {"DELETE", "/users/me/sessions/" + maria.SessionID.String(), nil},
		{"GET", "/admin/users", nil}, {"PATCH", "/admin/users/" + joao.ID.String(), object{"role": "admin"}},
		{"DELETE", "/admin/users/" + joao.ID.String() + "/totp", object{"reason": "x"}}, {"POST", "/admin/users/invite", invitation("admin", nil)},
		{"POST", "/admin/announcements", object{"title": object{"en": "x"}, "body": object{"en": "x"}}}, {"GET", "/admin/audit", nil}, {"GET", "/admin/settings", nil},
		{"GET", "/staff/queue?kind=new", nil}, {"POST", "/staff/reports/bulk-status", object{"items": []object{{"report_id": mine.Text("id"), "status": "rejected", "note": "x"}}}},
		{"GET", secret + "/ai-analysis/latest", nil}, {"GET", secret + "/images/" + hidden.Items("images")[0].Text("id") + "/display", nil},
		{"GET", "/blockchain/report/" + hidden.Text("id") + "/history", nil}, {"GET", "/blockchain/report/" + hidden.Text("id") + "/verify", nil},
		{"GET", "/public/blockchain/report/" + hidden.Text("id") + "/proof", nil},
		{"GET", "/public/blockchain/report/" + hidden.Text("id") + "/history", nil}, {"GET", "/public/blockchain/report/" + hidden.Text("id") + "/verify", nil},
		{"GET", "//r/" + hidden.Text("report_number"), nil}, {"GET", journey + "/markers/" + marker, nil}, {"DELETE", "/users/me/devices/phone", nil},
		{"PATCH", "/admin/agencies/" + mine.Text("id"), object{"name": "x"}}, {"DELETE", "/admin/agencies/" + mine.Text("id"), nil}, {"DELETE", "/admin/api-keys/" + mine.Text("id"), nil},
		{"PATCH", "/admin/webhooks/" + mine.Text("id"), object{"enabled": false}}, {"DELETE", "/admin/webhooks/" + mine.Text("id"), nil}, {"POST", "/admin/webhooks/" + mine.Text("id") + "/rotate", nil},
		{"GET", "/admin/webhooks/" + mine.Text("id") + "/deliveries", nil}, {"POST", "/admin/webhooks/" + mine.Text("id") + "/deliveries/" + mine.Text("id") + "/redrive", nil},
		{"PATCH", "/staff/templates/" + mine.Text("id"), object{"title": "x"}}, {"DELETE", "/staff/templates/" + mine.Text("id"), nil},
	}
	everyObject(t, attempts)
	// A report that names a picture of somebody else is created without it. The warning is that of an upload that does not exist.
	for _, body := range []object{{"images": []object{{"upload_id": loose}}}, {"s3_keys": []string{"originals/" + loose}}, {"image_url": "https://x.example/originals/" + loose}} {
		if got := joao.Post("/reports", draft(body)).Want(http.StatusCreated).Object(); len(got.Items("images")) != 0 || got.Items("warnings")[0].Text("code") != "upload_unknown" {
			t.Errorf("%v: %v", body, got.Values)
		}
	}
	for _, a := range attempts {
		got := joao.Do(a.method, a.path, a.body)
		if strings.Contains(a.path, "/blockchain/") && got.Status == http.StatusOK { // the record is public, without words and person
			for _, private := range []string{maria.ID.String(), "Hers alone", "Not a road."} {
				if strings.Contains(string(got.Body), private) {
					t.Errorf("%s tells %q", a.path, private)
				}
			}
			continue
		}
		if strings.Contains(string(got.Body), "Hers alone") { // what was taken down is a tombstone for everybody
			t.Errorf("%s %s tells her words: %s", a.method, a.path, got.Body)
		}
		if got.Status != http.StatusGone && got.Status != http.StatusNotFound && got.Status != http.StatusForbidden && got.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s %s: %d %s", a.method, a.path, got.Status, got.Body)
		}
	}
	for sql, want := range map[string]int{
		`SELECT count(*) FROM reports WHERE deleted_at IS NULL AND title = ''`:                       5,
		`SELECT count(*) FROM report_images WHERE deleted_at IS NULL`:                                2,
		`SELECT count(*) FROM uploads WHERE attached_at IS NULL`:                                     1,
		`SELECT count(*) FROM report_comments WHERE deleted_at IS NULL`:                              1,
		`SELECT count(*) FROM report_flags`:                                                          0,
		`SELECT count(*) FROM reports WHERE words_hidden IS NOT NULL OR moderated_at IS NOT NULL`:    0,
		`SELECT count(*) FROM notifications WHERE read_at IS NOT NULL`:                               0,
		`SELECT count(*) FROM markers WHERE name = 'Camp'`:                                           1,
		`SELECT count(*) FROM journeys WHERE name = 'Secret' AND NOT active AND NOT completed`:       1,
		`SELECT count(*) FROM tracks`:                                                                1,
		`SELECT count(*) FROM users WHERE role = 'admin' OR email = 'x@example.org'`:                 0,
		`SELECT count(*) FROM devices WHERE fcm_token = 'hers'`:                                      1,
		`SELECT count(*) FROM sessions WHERE revoked_at IS NOT NULL`:                                 0,
		`SELECT count(*) FROM report_status_history WHERE new_status NOT IN ('pending', 'rejected')`: 0,
	} {
		if got := w.Int(sql); got != want {
			t.Errorf("%s: %d, want %d", sql, got, want)
		}
	}
	// A list shows nobody more than a single resource does.
	for _, path := range []string{"/reports", "/reports/nearby?latitude=-8.6&longitude=125.56", "/reports/my-reports", "/users/" + maria.ID.String() + "/journeys", "//public/reports", "/notifications"} {
		for _, private := range []string{hidden.Text("id"), tour, note} {
			if got := joao.Get(path); contains(got.Body, private) {
				t.Errorf("%s shows %s", path, private)
			}
		}
	}
}
