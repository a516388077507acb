package reports_test

import (
	"maps"
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

type object = map[string]any

// newBody is a body of POST /reports with some members changed.
func newBody(changes object) object {
	body := object{"issue_type": "pothole", "title": "Hole", "description": "Deep.", "latitude": -8.5569, "longitude": 125.5603}
	maps.Copy(body, changes)
	return body
}

func setup(t *testing.T) *testenv.System {
	t.Helper()
	return testenv.New(t, reports.Open)
}

// uploaded is the id of a stored picture of c.
func uploaded(c *testenv.Client, w *testenv.System, shade uint8) string {
	return c.Form("/reports/pre-upload-image", nil, "file", "a.jpg", w.JPEG(shade)).Want(http.StatusCreated).Object().Text("upload_id")
}

func TestCreateReport(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	picture := uploaded(c, w, 1)
	r := c.Post("/reports", newBody(object{"images": []object{{"upload_id": picture}}, "severity": "HIGH"})).Want(http.StatusCreated).Object()
	if r.Text("status") != "pending" || r.Text("ai.status") != "queued" || r.Text("blockchain.status") != "queued" || r.Text("severity") != "high" {
		t.Errorf("got %v", r.Values)
	}
	if n := r.Text("report_number"); len(n) != len("LS-2026-000001") || n[:3] != "LS-" || n[7:] != "-000001" {
		t.Errorf("number %s", n)
	}
	images := r.Items("images")
	if len(images) != 1 || images[0].Text("status") != "pending" || images[0].At("image_url") != nil {
		t.Errorf("images %v", r.At("images"))
	}
	if steps := r.Items("status_history"); len(steps) != 1 || steps[0].Text("new_status") != "pending" {
		t.Errorf("history %v", r.At("status_history"))
	}
	if r.Text("reporter.id") != c.ID.String() {
		t.Errorf("reporter %v", r.At("reporter"))
	}
	for sql, want := range map[string]int{
		`SELECT count(*) FROM ledger_events WHERE event_type = 'REPORT_SUBMITTED'`: 1,
		`SELECT count(*) FROM notifications WHERE type = 'report_received'`:        1,
		`SELECT count(*) FROM outbox WHERE queue = 'geocode'`:                      1,
		`SELECT count(*) FROM outbox WHERE queue = 'validate'`:                     0,
		`SELECT reports_count FROM users LIMIT 1`:                                  1,
	} {
		if got := w.Int(sql); got != want {
			t.Errorf("%s: %d, want %d", sql, got, want)
		}
	}

	w.ProcessUpload(picture)
	again := c.Get("/reports/" + r.Text("report_number")).Want(http.StatusOK)
	o := again.Object()
	if images := o.Items("images"); images[0].Text("status") != "processed" || images[0].Text("thumbnail_url") == "" {
		t.Errorf("images %v", o.At("images"))
	}
	res, err := http.Get(o.Text("image_url"))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("picture: %d %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
	if got := c.With("If-None-Match", again.Header.Get("ETag")).Get("/reports/" + r.Text("id")); got.Status != http.StatusNotModified {
		t.Errorf("unchanged report: %d", got.Status)
	}
}

func TestAPictureProcessedBeforeItsReportWakesValidate(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	picture := uploaded(c, w, 1)
	w.ProcessUpload(picture)
	c.Post("/reports", newBody(object{"s3_keys": []string{"originals/" + picture}})).Want(http.StatusCreated)
	if n := w.Int(`SELECT count(*) FROM outbox WHERE queue = 'validate'`); n != 1 {
		t.Errorf("%d messages", n)
	}
}

func TestAReportWithoutPictureWaitsForAPerson(t *testing.T) {
	t.Parallel()
	w := setup(t)
	r := w.Citizen().Post("/reports", newBody(nil)).Want(http.StatusCreated).Object()
	if r.Text("ai.status") != "needs_review" {
		t.Errorf("ai %v", r.At("ai"))
	}
}

func TestTolerantReading(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	r := c.Post("/reports", object{"type": "Broken Street-Light", "lat": -8.55, "lng": 125.6, "title": nil, "severity": "terrible",
		"address": "x", "whatever": object{"a": 1}, "device_info": object{"os": "android"}, "captured_at": nil, "is_anonymous": nil}).Want(http.StatusCreated).Object()
	if r.Text("issue_type") != "street_light" || r.At("issue_type_raw") != nil || r.Text("severity") != "medium" {
		t.Errorf("got %v", r.Values)
	}
	r = c.Post("/reports", newBody(object{"issue_type": "Lubuk besar"})).Want(http.StatusCreated).Object()
	if r.Text("issue_type") != "other" || r.Text("issue_type_raw") != "Lubuk besar" {
		t.Errorf("got %v", r.Values)
	}
	r = c.Form("/reports", map[string]string{"report_type": "flood", "latitude": "-8.5", "longitude": "125.5", "title": "123",
		"is_anonymous": "true"}, "image", "x.png", w.PNG(3)).Want(http.StatusCreated).Object()
	if r.Text("issue_type") != "flooding" || r.Text("title") != "123" || len(r.Items("images")) != 1 || r.At("is_anonymous") != true {
		t.Errorf("got %v", r.Values)
	}
}

func TestInputThatNoToleranceMends(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	for name, body := range map[string]object{
		"latitude": newBody(object{"latitude": 90.1}), "longitude": newBody(object{"longitude": -181}),
	} {
		got := c.Post("/reports", body).Want(http.StatusUnprocessableEntity).Object()
		if faults := got.Items("errors"); len(faults) != 1 || faults[0].Text("field") != name {
			t.Errorf("%s: %v", name, got.Values)
		}
	}
	if n := w.Int(`SELECT count(*) FROM reports`); n != 0 {
		t.Errorf("%d reports", n)
	}
	w.Anonymous().Post("/reports", newBody(nil)).Want(http.StatusUnauthorized)
}

func TestRepeats(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	client := uuid.NewString()
	first := c.Post("/reports", newBody(object{"client_id": client})).Want(http.StatusCreated).Object()
	again := c.Post("/reports", newBody(object{"local_id": client})).Want(http.StatusOK).Object()
	if first.Text("id") != again.Text("id") {
		t.Error("a repeated client_id made another report")
	}
	other := w.Citizen().Post("/reports", newBody(object{"client_id": client})).Want(http.StatusCreated).Object()
	if other.Text("id") == first.Text("id") {
		t.Error("a client_id reached another person's report")
	}
	plain := c.Post("/reports", newBody(object{"latitude": -8.111111})).Want(http.StatusCreated).Object()
	near := c.Post("/reports", newBody(object{"latitude": -8.111112})).Want(http.StatusOK).Object()
	if plain.Text("id") != near.Text("id") {
		t.Error("the same thing again made another report")
	}
	c.Post("/reports", newBody(object{"latitude": -8.1112})).Want(http.StatusCreated)
	// The same picture sent twice is the same picture.
	a := c.Post("/reports", newBody(object{"latitude": -8.2, "images": []object{{"upload_id": uploaded(c, w, 9)}}})).Want(http.StatusCreated).Object()
	b := c.Post("/reports", newBody(object{"latitude": -8.2, "images": []object{{"upload_id": uploaded(c, w, 9)}}})).Want(http.StatusOK).Object()
	if a.Text("id") != b.Text("id") {
		t.Error("the same picture again made another report")
	}
	c.Post("/reports", newBody(object{"latitude": -8.2, "images": []object{{"upload_id": uploaded(c, w, 10)}}})).Want(http.StatusCreated)
	// An upload serves one report.
	used := uploaded(c, w, 11)
	c.Post("/reports", newBody(object{"latitude": -8.3, "images": []object{{"upload_id": used}}})).Want(http.StatusCreated)
	second := c.Post("/reports", newBody(object{"latitude": -8.4, "images": []object{{"upload_id": used}}})).Want(http.StatusCreated).Object()
	if got := warned(second); got != "images[0] upload_in_use" || len(second.Items("images")) != 0 {
		t.Errorf("warned of %q, images %v", got, second.At("images"))
	}
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen().With("Idempotency-Key", "k-1")
	first := c.Post("/reports", newBody(nil)).Want(http.StatusCreated)
	again := c.Post("/reports", newBody(nil)).Want(http.StatusCreated)
	if string(first.Body) != string(again.Body) || again.Header.Get("Idempotent-Replay") != "true" {
		t.Errorf("replay:\n%s\n%s", first.Body, again.Body)
	}
	if got := c.Post("/reports", newBody(object{"title": "Other"})).Want(422).Code(); got != "idempotency_key_reused" {
		t.Errorf("got %s", got)
	}
}

func TestTheSameReportSentManyTimesAtOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	client := uuid.NewString()
	ids := make(chan string, 8)
	for range cap(ids) {
		go func() { ids <- c.Post("/reports", newBody(object{"client_id": client})).Object().Text("id") }()
	}
	seen := map[string]bool{}
	for range cap(ids) {
		seen[<-ids] = true
	}
	if len(seen) != 1 || w.Int(`SELECT count(*) FROM reports`) != 1 {
		t.Errorf("reports %v", seen)
	}
}
