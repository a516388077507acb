package security

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// unjudged is a report without a verdict, and what nobody but its reporter and staff may find in any answer.
type unjudged struct {
	author     *testenv.Client
	id, number string
	image      string
	secrets    []string
}

// hidden makes a report with a processed picture, a comment and a note of a move, back in pending.
func hidden(w *testenv.System) unjudged {
	author, mod := w.Citizen(), w.Staff(identity.Moderator)
	w.Exec(`UPDATE users SET full_name = 'Secret Reporter' WHERE id = $1`, author.ID)
	picture := uploaded(author, w, 1)
	w.ProcessUpload(picture)
	r := author.Post("/reports", draft(object{"title": "Gruesome title", "description": "Gruesome words", "address": "Gruesome lane 4",
		"street": "Gruesome street", "municipality": "Dili", "severity": "critical", "issue_type": "zebra crossing gone", "location_accuracy": 4.5,
		"latitude": -8.556941, "longitude": 125.560337, "images": []object{{"upload_id": picture}}})).Want(http.StatusCreated).Object()
	u := unjudged{author: author, id: r.Text("id"), number: r.Text("report_number"), image: r.Items("images")[0].Text("id")}
	author.Post("/reports/"+u.id+"/comments", object{"content": "Gruesome comment"}).Want(http.StatusCreated)
	mod.Post("/reports/"+u.id+"/status", object{"status": "rejected", "reason_code": "other", "note": "Gruesome rejection"}).Want(http.StatusOK)
	mod.Post("/reports/"+u.id+"/status", object{"status": "pending", "note": "Gruesome return"}).Want(http.StatusOK)
	w.Exec(`INSERT INTO ai_analyses (id, report_id, image_id, run_id, stage, model, prompt_version, input_hash, status, title)
		VALUES (gen_random_uuid(), $1, $2, gen_random_uuid(), 'verdict', 'm', '1', '', 'needs_review', 'Gruesome analysis')`, u.id, u.image)
	u.secrets = []string{"Gruesome", "zebra", "Secret Reporter", author.ID.String(), picture, "-8.55694", "125.56034", "8.556941", "125.560337", `"location_accuracy":4.5`, "LEHV6nWB2yk8"}
	return u
}

// shownTo requests every route that tells something about the report, for somebody signed in or the public.
func (u unjudged) shownTo(c *testenv.Client, signedIn bool) map[string]string {
	paths := []string{"/public/reports", "/public/reports/" + u.id, "/public/reports/" + u.number, "/public/map?bbox=125.5,-8.6,125.6,-8.5&zoom=16",
		"/public/map?bbox=125.5,-8.6,125.6,-8.5&zoom=12", "/public/tiles/16/55625/34331.mvt", "/public/export.csv", "/public/export.geojson?status=pending",
		"/public/export.csv?status=pending", "//r/" + u.number, "/public/stats/summary", "/public/stats/by-type"}
	if signedIn {
		paths = append(paths, "/reports", "/reports/"+u.id, "/reports/nearby?latitude=-8.5569&longitude=125.5603", "/reports/nearby?latitude=-8.5569&longitude=125.5603&status=pending",
			"/reports/similar?report_id="+u.id, "/reports/similar?latitude=-8.5569&longitude=125.5603", "/reports/"+u.id+"/comments",
			"/reports/"+u.id+"/ai-analysis", "/reports/"+u.id+"/ai-analysis/latest", "/reports/"+u.id+"/images/"+u.image+"/display", "/reports/stats/summary")
	}
	out := make(map[string]string)
	for _, path := range paths {
		out[path] = string(c.With("Accept-Language", "pt").Get(path).Body)
	}
	return out
}

// While a report has no verdict, others learn that it is there, and nothing of its words, pictures and exact place.
func TestNothingOfAnUnjudgedReportIsShown(t *testing.T) {
	t.Parallel()
	w := setup(t)
	u, other := hidden(w), w.Citizen()
	w.Exec(`UPDATE report_images SET verdict = 'relevant'`) // it was verified before
	for who, c := range map[string]*testenv.Client{"another citizen": other, "the public": w.Anonymous()} {
		for path, body := range u.shownTo(c, c == other) {
			for _, secret := range u.secrets {
				if strings.Contains(body, secret) {
					t.Errorf("%s reads %s in %s: %.600s", who, secret, path, body)
				}
			}
		}
	}
	r := other.With("Accept-Language", "pt").Get("/reports/" + u.id).Want(http.StatusOK).Object()
	for path, want := range map[string]any{"content_pending": true, "title": "Outro", "description": "", "status": "pending", "municipality": "Dili",
		"latitude": -8.557, "longitude": 125.56, "severity": nil, "severity_score": nil, "priority": nil, "ai": nil, "ai_status": nil, "address": nil, "street": nil,
		"reporter": nil, "report_number": u.number, "comments_count": 0.0} {
		if got := r.At(path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	if len(r.Items("images")) != 0 {
		t.Errorf("images %v", r.At("images"))
	}
	for path, code := range map[string]string{"/images/" + u.image + "/thumbnail": "image_not_found", "/ai-analysis": "analysis_pending", "/ai-analysis/latest": "analysis_pending"} {
		if got := other.Get("/reports/" + u.id + path).Want(http.StatusNotFound).Code(); got != code {
			t.Errorf("%s: %s", path, got)
		}
	}
	if got := other.Post("/reports/"+u.id+"/comments", object{"content": "What is it?"}).Want(http.StatusConflict).Code(); got != "awaiting_verdict" {
		t.Errorf("a comment of somebody else: %s", got)
	}
	if page := string(w.Anonymous().Get("//r/" + u.number + "?lang=en").Want(http.StatusOK).Body); !strings.Contains(page, "This report is being checked") {
		t.Error("the page does not say that the report is being checked")
	}
	for who, c := range map[string]*testenv.Client{"the reporter": u.author, "staff": w.Staff(identity.Official)} {
		r := c.Get("/reports/" + u.id).Want(http.StatusOK).Object()
		if r.Text("title") != "Gruesome title" || r.At("content_pending") != nil || len(r.Items("images")) != 1 || r.Number("latitude") != -8.556941 || r.Text("severity") != "critical" {
			t.Errorf("%s reads %v", who, r.Values)
		}
		if n := c.Get("/reports/" + u.id + "/comments").Want(http.StatusOK).Object().Number("total"); n != 1 {
			t.Errorf("%s reads %v comments", who, n)
		}
		c.Get("/reports/" + u.id + "/images/" + u.image + "/display").Want(http.StatusFound)
	}

	// No answer depends on what is hidden.
	far := other.Post("/reports", draft(object{"latitude": -8.1, "longitude": 125.9})).Want(http.StatusCreated).Object().Text("id")
	w.Verify(far)
	before := u.shownTo(other, true)
	for _, path := range []string{"/reports", "/public/map?bbox=125.5,-8.6,125.6,-8.5&zoom=16", "/public/tiles/16/55625/34331.mvt", "/public/export.csv?status=pending"} {
		if !strings.Contains(before[path], u.number) {
			t.Errorf("%s does not have the report", path)
		}
	}
	w.Exec(`UPDATE reports SET title = 'Calm', description = '', address = NULL, street = NULL, issue_type_raw = NULL, severity = 'low', severity_score = 2,
		priority = 'low', location_accuracy = 80, latitude = -8.55741, longitude = 125.5596, captured_at = now(), ai_status = 'failed', comments_count = 9
		WHERE id = $1`, u.id)
	w.Exec(`INSERT INTO duplicate_candidates (report_id, candidate_id, distance_meters) VALUES ($1, $2, 12), ($2, $1, 12)`, u.id, far)
	for path, body := range u.shownTo(other, true) {
		if body != before[path] && !strings.Contains(body, `"request_id"`) { // errors have an id of their own
			t.Errorf("%s tells of a change of what is hidden: %.600q, before %.600q", path, body, before[path])
		}
	}
	if n := len(other.Get("/reports/" + far).Want(http.StatusOK).Object().Items("possible_duplicates")); n != 0 {
		t.Errorf("%d possible duplicates that have no verdict", n)
	}
}

// What others are not shown finds nothing for them, and orders nothing.
func TestSearchesGoByWhatIsShown(t *testing.T) {
	t.Parallel()
	w := setup(t)
	u, other, mod := hidden(w), w.Citizen(), w.Staff(identity.Moderator)
	w.Exec(`UPDATE report_images SET verdict = 'relevant'`) // it was verified before
	low := other.Post("/reports", draft(object{"severity": "low", "latitude": -8.1, "longitude": 125.9, "title": "Small"})).Want(http.StatusCreated).Object().Text("id")
	w.Verify(low)
	for query, want := range map[string][2]int{ // for another citizen, for the reporter
		"q=Gruesome": {0, 1}, "severity=critical": {0, 1}, "q=" + u.number: {1, 1}, "status=pending": {1, 1}, "municipality=Dili": {1, 1},
		"bbox=125.5603,-8.5570,125.5604,-8.5569": {0, 0}, "bbox=125.5599,-8.55696,125.5601,-8.5569": {0, 0}, "bbox=125.5599,-8.5571,125.5601,-8.5569": {1, 1}} {
		for i, c := range []*testenv.Client{other, u.author} {
			if got := len(c.Get("/reports?" + query).Want(http.StatusOK).Object().Items("items")); got != want[i] {
				t.Errorf("%s: %d reports, want %d", query, got, want[i])
			}
		}
		if i := len(w.Anonymous().Get("/public/reports?" + query).Want(http.StatusOK).Object().Items("items")); i != want[0] {
			t.Errorf("%s: %d reports for the public, want %d", query, i, want[0])
		}
	}
	for _, path := range []string{"/public/map?zoom=16&bbox=", "/public/export.csv?bbox="} {
		for box, want := range map[string]bool{"125.5603,-8.5570,125.5604,-8.5569": false, "125.5599,-8.5571,125.5601,-8.5569": true} {
			if got := strings.Contains(string(w.Anonymous().Get(path+box).Want(http.StatusOK).Body), u.number); got != want {
				t.Errorf("%s%s has the report: %v", path, box, got)
			}
		}
	}
	if got := len(mod.Get("/reports?bbox=125.5603,-8.5570,125.5604,-8.5569").Object().Items("items")); got != 1 {
		t.Errorf("staff find %d reports at the exact place", got)
	}
	if got := len(u.author.Get("/reports/my-reports?bbox=125.5603,-8.5570,125.5604,-8.5569").Object().Items("items")); got != 1 {
		t.Errorf("the reporter finds %d own reports at the exact place", got)
	}
	newer := other.Post("/reports", draft(object{"severity": "critical", "latitude": -8.2, "longitude": 125.9})).Want(http.StatusCreated).Object().Text("id")
	ordered := func(c *testenv.Client) string {
		var ids []string
		for cursor := ""; len(ids) < 5; {
			page := c.Get("/reports?sort=severity&page_size=1&cursor=" + cursor).Want(http.StatusOK).Object()
			ids = append(ids, page.Items("items")[0].Text("id"))
			if page.At("next_cursor") == nil {
				break
			}
			cursor = page.Text("next_cursor")
		}
		return strings.Join(ids, " ")
	}
	if got := [2]string{ordered(w.Citizen()), ordered(mod)}; got != [2]string{low + " " + newer + " " + u.id, newer + " " + u.id + " " + low} {
		t.Errorf("worst first: %q for another citizen, %q for staff", got[0], got[1])
	}
	// From the corner of the shown place, distances are those to it.
	for _, path := range []string{"/reports/nearby?radius_meters=300&", "/reports/nearby?radius_meters=300&status=pending&", "/reports/similar?"} {
		items := other.Get(path + "latitude=-8.557&longitude=125.56").Want(http.StatusOK).Object().Items("items")
		if len(items) != 1 || items[0].Number("distance_meters") > 0.01 || items[0].At("similarity") != nil {
			t.Errorf("%s: %v", path, items)
		}
		items = mod.Get(path + "latitude=-8.557&longitude=125.56").Want(http.StatusOK).Object().Items("items")
		if d := items[0].Number("distance_meters"); math.Abs(d-37.7) > 1 {
			t.Errorf("%s: %v metres for staff", path, d)
		}
	}
	if n := len(other.Get("/reports/nearby?radius_meters=20&latitude=-8.557&longitude=125.56").Want(http.StatusOK).Object().Items("items")); n != 1 {
		t.Errorf("%d reports at the place that is shown", n)
	}
	upload := uploaded(other, w, 1) // the same picture
	w.ProcessUpload(upload)
	w.Exec(`UPDATE uploads SET perceptual_hash = 255`)
	if items := other.Get("/reports/similar?image_upload_id=" + upload).Want(http.StatusOK).Object().Items("items"); len(items) != 0 {
		t.Errorf("the hidden picture is found: %v", items)
	}
	here := "/reports/similar?latitude=-8.557&longitude=125.56&image_upload_id=" + upload
	if items := other.Get(here).Want(http.StatusOK).Object().Items("items"); len(items) != 1 || items[0].At("similarity") != nil {
		t.Errorf("the hidden picture is compared: %v", items)
	}
	own := uploaded(other, w, 1)
	w.ProcessUpload(own)
	w.Exec(`UPDATE uploads SET perceptual_hash = 255`)
	w.Verify(other.Post("/reports", draft(object{"latitude": -8.557, "longitude": 125.56, "images": []object{{"upload_id": own}}})).Want(http.StatusCreated).Object().Text("id"))
	if items := other.Get("/reports/similar?report_id=" + u.id).Want(http.StatusOK).Object().Items("items"); len(items) != 1 ||
		items[0].Number("distance_meters") > 0.01 || items[0].At("similarity") != nil {
		t.Errorf("like the hidden report: %v", items)
	}
	w.Verify(u.id)
	if items := other.Get("/reports/similar?image_upload_id=" + upload).Want(http.StatusOK).Object().Items("items"); len(items) != 2 {
		t.Errorf("after the verdict: %v", items)
	}
	compared := func() int {
		return strings.Count(string(other.Get(here).Want(http.StatusOK).Body), `"similarity_by":"look"`)
	}
	if n := compared(); n != 2 {
		t.Errorf("after the verdict %d pictures are compared", n)
	}
	w.Exec(`UPDATE report_images SET verdict = 'irrelevant' WHERE id = $1`, u.image)
	if n := compared(); n != 1 {
		t.Errorf("with one that others do not see, %d pictures are compared", n)
	}
}

// A ride past the report gives no other distance than to the place that everybody is shown.
func TestRoutesGoByThePlaceThatIsShown(t *testing.T) {
	t.Parallel()
	w := setup(t)
	u, rider := hidden(w), w.Citizen()
	journey := rider.Post("/journeys/", object{"name": "Ride", "description": ""}).Want(http.StatusCreated).Object().Text("id")
	for i, lon := range []float64{125.55, 125.57} {
		rider.Post("/journeys/"+journey+"/markers", object{"name": "Stop", "marker_type": "past", "timestamp": fmt.Sprintf("2026-01-0%d", i+1),
			"coordinates": object{"type": "Point", "coordinates": []float64{lon, -8.557}}}).Want(http.StatusCreated)
	}
	items := rider.Get("/journeys/" + journey + "/reports").Want(http.StatusOK).Object().Items("items")
	if len(items) != 1 || items[0].Number("distance_meters") > 0.1 || items[0].Number("latitude") != -8.557 || math.Abs(items[0].Number("along_meters")-1101) > 2 {
		t.Errorf("along the route: %v", items)
	}
	_ = u
}

// A verdict opens the report, and the setting does so before it.
func TestTheVerdictOpensTheReport(t *testing.T) {
	t.Parallel()
	w := setup(t)
	u, other := hidden(w), w.Citizen()
	path := "/reports/" + u.id
	before := other.Get(path).Header.Get("ETag")
	w.Staff(identity.Moderator).Post(path+"/status", object{"status": "verified", "note": "Seen on site", "expected_version": 3}).Want(http.StatusOK)
	got := other.With("If-None-Match", before).Get(path).Want(http.StatusOK)
	r := got.Object()
	if r.Text("title") != "Gruesome title" || r.At("content_pending") != nil || len(r.Items("images")) != 1 || r.Text("thumbnail_url") == "" || r.Number("latitude") != -8.556941 {
		t.Errorf("after the verdict: %v", r.Values)
	}
	other.Post(path+"/comments", object{"content": "I saw it"}).Want(http.StatusCreated)
	other.Get(path + "/ai-analysis").Want(http.StatusOK)

	// A picture that comes later is hidden until it is judged.
	picture := uploaded(w.Staff(identity.Moderator), w, 2)
	w.Exec(`UPDATE app_settings SET value = value || '{"evidence_images_max": 2}'`)
	w.Exec(`INSERT INTO report_images (id, report_id, upload_id) VALUES (gen_random_uuid(), $1, $2)`, u.id, picture)
	w.ProcessUpload(picture)
	if n, mine := len(other.Get(path).Object().Items("images")), u.author.Get(path).Object().Items("images"); n != 1 || len(mine) != 2 || mine[1].At("is_public") != false {
		t.Errorf("a later picture: others see %d, the reporter %v", n, mine)
	}
	w.Exec(`UPDATE report_images SET verdict = 'irrelevant' WHERE upload_id = $1`, picture)
	if n := len(w.Anonymous().Get("/public/reports/" + u.id).Object().Items("images")); n != 1 {
		t.Errorf("the public sees %d pictures, one of them irrelevant", n)
	}
	w.Exec(`UPDATE report_images SET verdict = 'irrelevant'`)
	if r := other.Get(path).Object(); r.At("thumbnail_url") != nil || r.At("blurhash") != nil || u.author.Get(path).Object().At("thumbnail_url") == nil {
		t.Errorf("with irrelevant pictures alone: %v", r.Values)
	}
	w.Staff(identity.Moderator).Post(path+"/ai-analysis/override", object{"is_relevant": true, "note": "Seen"}).Want(http.StatusOK)
	if n := len(other.Get(path).Object().Items("images")); n != 2 {
		t.Errorf("after the override others see %d pictures", n)
	}

	second := hidden(w)
	w.PublishBeforeVerdict()
	r = other.Get("/reports/" + second.id).Want(http.StatusOK).Object()
	if r.Text("title") != "Gruesome title" || r.Text("status") != "pending" || len(r.Items("images")) != 1 || r.Number("latitude") != -8.556941 || r.At("content_pending") != nil {
		t.Errorf("with publish_before_verdict: %v", r.Values)
	}
	other.Post("/reports/"+second.id+"/comments", object{"content": "I saw it"}).Want(http.StatusCreated)
	w.Exec(`UPDATE report_images SET verdict = 'irrelevant'`)
	if n := len(other.Get("/reports/" + second.id).Object().Items("images")); n != 0 {
		t.Errorf("with publish_before_verdict others see %d irrelevant pictures", n)
	}
}

// The note of a move is public, that of a rejection for the reporter and staff, that of an override for staff: also after
// the report is open again.
func TestNotesAreForTheirReaders(t *testing.T) {
	t.Parallel()
	w := setup(t)
	author, other, mod := w.Citizen(), w.Citizen(), w.Staff(identity.Moderator)
	id := author.Post("/reports", draft(nil)).Want(http.StatusCreated).Object().Text("id")
	for _, move := range []object{{"status": "rejected", "reason_code": "other", "note": "Call Maria 7770001"}, {"status": "pending", "note": "Restored"}} {
		mod.Post("/reports/"+id+"/status", move).Want(http.StatusOK)
	}
	over := func(relevant bool, note string) {
		mod.Post("/reports/"+id+"/ai-analysis/override", object{"is_relevant": relevant, "note": note}).Want(http.StatusOK)
	}
	over(false, "Rejected by override")
	over(true, "Between us")
	w.Exec(`UPDATE reports SET status = 'verified' WHERE id = $1`, id)
	notes := func(c *testenv.Client, path string) string {
		var out []string
		for _, step := range c.Get(path).Want(http.StatusOK).Object().Items("status_history") {
			if note, ok := step.At("note").(string); ok {
				out = append(out, note)
			}
		}
		return strings.Join(out, "; ")
	}
	const public, reporter = "Restored", "Call Maria 7770001; Restored; Rejected by override"
	for who, got := range map[string][2]string{
		"another citizen": {notes(other, "/reports/"+id), public}, "the public": {notes(w.Anonymous(), "/public/reports/"+id), public},
		"the reporter": {notes(author, "/reports/"+id), reporter}, "staff": {notes(mod, "/reports/"+id), reporter + "; Between us; Between us"}} {
		if got[0] != got[1] {
			t.Errorf("%s reads %q, want %q", who, got[0], got[1])
		}
	}
	if told := string(author.Get("/notifications").Want(http.StatusOK).Body); strings.Contains(told, "Between us") || !strings.Contains(told, "Rejected by override") {
		t.Errorf("the reporter is told: %s", told)
	}
	for who, c := range map[string]*testenv.Client{"another citizen": other, "the reporter": author} {
		if body := string(c.Get("/reports/" + id + "/ai-analysis").Want(http.StatusOK).Body); strings.Contains(body, "Between us") {
			t.Errorf("%s reads the note of an override: %s", who, body)
		}
	}
}
