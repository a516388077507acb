package reports_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/google/uuid"
)

// withID is a body of POST /reports with a new client_id.
func withID(changes object) object {
	body := newBody(changes)
	body["client_id"] = uuid.NewString()
	return body
}

// changed is a copy of a body with other members.
func changed(body, changes object) object {
	out := object{}
	for name, value := range body {
		out[name] = value
	}
	for name, value := range changes {
		out[name] = value
	}
	return out
}

func picturesOf(ids ...string) []object {
	out := []object{}
	for _, id := range ids {
		out = append(out, object{"upload_id": id})
	}
	return out
}

// A retry may bring the picture whose upload failed before.
func TestARepeatBringsThePictureThatWasMissing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	body := withID(nil)
	first := c.Post("/reports", body).Want(http.StatusCreated).Object()
	with := changed(body, object{"images": picturesOf(uploaded(c, w, 1))})
	got := c.Post("/reports", with).Want(http.StatusOK).Object()
	if got.Text("id") != first.Text("id") || len(got.Items("images")) != 1 || warned(got) != "images[0] updated" || got.Text("ai.status") != "queued" {
		t.Errorf("got %v", got.Values)
	}
	again := c.Post("/reports", with).Want(http.StatusOK).Object()
	if warned(again) != "" || len(again.Items("images")) != 1 || again.Number("version") != got.Number("version") {
		t.Errorf("the same again: %v", again.Values)
	}
	sameBytes := changed(body, object{"images": picturesOf(uploaded(c, w, 1))})
	if got := c.Post("/reports", sameBytes).Want(http.StatusOK).Object(); warned(got) != "" || len(got.Items("images")) != 1 {
		t.Errorf("the same bytes in another upload: %v", got.Values)
	}
	conflict := c.Post("/reports", changed(body, object{"images": picturesOf(uploaded(c, w, 2))})).Want(http.StatusConflict).Object()
	if conflict.Text("code") != "client_id_reused" || conflict.Text("report_id") != first.Text("id") {
		t.Errorf("another picture: %v", conflict.Values)
	}
	c.Post("/reports", body).Want(http.StatusOK) // without the picture, as the first time
	if n := w.Int(`SELECT count(*) FROM ledger_events WHERE event_type = 'CONTENT_AMENDED'`); n != 1 {
		t.Errorf("%d amendments in the ledger, want 1", n)
	}
}

// A form whose picture could not be taken the first time is repeated as a whole.
func TestARepeatedFormBringsThePicture(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	fields := map[string]string{"client_id": uuid.NewString(), "issue_type": "pothole", "latitude": "-8.55", "longitude": "125.56"}
	c.Form("/reports", fields, "", "", nil).Want(http.StatusCreated)
	for _, want := range []string{"file[0] updated", ""} {
		got := c.Form("/reports", fields, "image", "a.jpg", w.JPEG(1)).Want(http.StatusOK).Object()
		if len(got.Items("images")) != 1 || warned(got) != want {
			t.Errorf("got %v, want warnings %q", got.Values, want)
		}
	}
}

// The picture of the first request never came. The retry has it in another upload, also with the same announced hash.
func TestARepeatReplacesAPictureThatNeverCame(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	lost := c.Post("/reports/pre-upload-image", object{"content_type": "image/jpeg", "size_bytes": len(w.JPEG(1)), "sha256": sumOf(w.JPEG(1))}).
		Want(http.StatusCreated).Object().Text("upload_id")
	body := withID(object{"images": picturesOf(lost)})
	c.Post("/reports", body).Want(http.StatusCreated)
	came := uploaded(c, w, 1)
	got := c.Post("/reports", changed(body, object{"images": picturesOf(came)})).Want(http.StatusOK).Object()
	if n := w.Int(`SELECT count(*) FROM report_images WHERE deleted_at IS NULL AND upload_id = $1`, came); n != 1 || len(got.Items("images")) != 1 {
		t.Errorf("got %v", got.Values)
	}
	if got := c.Post("/reports", body).Want(http.StatusOK).Object(); warned(got) != "" {
		t.Errorf("the first request again: %v", got.Values)
	}
}

func TestARepeatCorrectsWords(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	body := withID(nil)
	id := c.Post("/reports", body).Want(http.StatusCreated).Object().Text("id")
	corrected := changed(body, object{"title": "Hole, very deep", "captured_at": "2026-11-20T08:00:00Z", "location_accuracy": 3})
	got := c.Post("/reports", corrected).Want(http.StatusOK).Object()
	if got.Text("id") != id || got.Text("title") != "Hole, very deep" || warned(got) != "title updated" {
		t.Errorf("got %v", got.Values)
	}
	// What was sent before, first or later, is the same content. It changes nothing.
	for _, known := range []object{body, corrected} {
		if got := c.Post("/reports", known).Want(http.StatusOK).Object(); got.Text("title") != "Hole, very deep" || warned(got) != "" {
			t.Errorf("known content: %v", got.Values)
		}
	}
	if n := w.Int(`SELECT count(*) FROM ledger_events WHERE report_id = $1 AND event_type = 'CONTENT_AMENDED'`, id); n != 1 {
		t.Errorf("%d amendments in the ledger, want 1", n)
	}
	w.Exec(`UPDATE reports SET ai_status = 'completed' WHERE id = $1`, id)
	if got := c.Post("/reports", changed(body, object{"title": "Third"})).Want(http.StatusConflict).Code(); got != "client_id_reused" {
		t.Errorf("words after the verdict: %s", got)
	}
	w.Exec(`UPDATE reports SET status = 'verified' WHERE id = $1`, id)
	for _, known := range []object{body, corrected} {
		c.Post("/reports", known).Want(http.StatusOK)
	}
}

// If one difference cannot be added, nothing is.
func TestARepeatWithOtherContentIsAConflict(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	body := withID(nil)
	first := c.Post("/reports", body).Want(http.StatusCreated).Object()
	for name, changes := range map[string]object{
		"type": {"issue_type": "bridge"}, "unknown type": {"issue_type": "ravine"}, "place": {"latitude": -8.55692},
		"type and words": {"issue_type": "bridge", "title": "Gone"}, "place and picture": {"longitude": 125.6, "images": picturesOf(uploaded(c, w, 1))},
	} {
		got := c.Post("/reports", changed(body, changes)).Want(http.StatusConflict).Object()
		if got.Text("code") != "client_id_reused" || got.Text("report_id") != first.Text("id") {
			t.Errorf("%s: %v", name, got.Values)
		}
		item := c.Post("/reports/batch", object{"reports": []object{changed(body, changes)}}).Want(http.StatusOK).Object().Items("results")[0]
		if item.Text("status") != "conflict" || item.Text("code") != "client_id_reused" || item.Text("report.id") != first.Text("id") {
			t.Errorf("%s in a batch: %v", name, item.Values)
		}
	}
	after := c.Get("/reports/" + first.Text("id")).Want(http.StatusOK).Object()
	if after.Number("version") != 1 || after.Text("title") != "Hole" || len(after.Items("images")) != 0 {
		t.Errorf("a conflict changed the report: %v", after.Values)
	}
}

func TestMembersThatARepeatDoesNotTake(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	body := withID(object{"severity": "low"})
	c.Post("/reports", body).Want(http.StatusCreated)
	got := c.Post("/reports", changed(body, object{"severity": "high", "suco": "Caicoli", "device_info": object{"battery": 3}})).Want(http.StatusOK).Object()
	if warned(got) != "severity not_taken, suco not_taken" || got.Text("severity") != "low" {
		t.Errorf("got %v", got.Values)
	}
	hidden := changed(body, object{"is_anonymous": true})
	if got := c.Post("/reports", hidden).Want(http.StatusOK).Object(); got.At("is_anonymous") != true || warned(got) != "is_anonymous updated" {
		t.Errorf("is_anonymous: %v", got.Values)
	}
	if got := w.Citizen().Get("/reports/" + got.Text("id")).Object(); got.At("reporter") != nil {
		t.Errorf("the name is shown: %v", got.At("reporter"))
	}
	if got := c.Post("/reports", changed(body, object{"is_anonymous": false})).Want(http.StatusOK).Object(); got.At("is_anonymous") != true || warned(got) != "is_anonymous not_taken" {
		t.Errorf("is_anonymous false: %v", got.Values)
	}
	if got := c.Post("/reports", body).Want(http.StatusOK).Object(); warned(got) != "" {
		t.Errorf("the first request: %v", got.Values)
	}
}

// A report of the version before has its first content hash alone.
func TestARepeatOfAReportOfTheVersionBefore(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	body := withID(object{"suco": "Caicoli"})
	id := c.Post("/reports", body).Want(http.StatusCreated).Object().Text("id")
	w.Exec(`UPDATE reports SET accepted_hashes = NULL`)
	c.Patch("/reports/"+id, object{"title": "Amended"}).Want(http.StatusOK)
	if got := c.Post("/reports", body).Want(http.StatusOK).Object(); got.Text("title") != "Amended" || warned(got) != "" {
		t.Errorf("the first content: %v", got.Values)
	}
	if got := c.Post("/reports", changed(body, object{"title": "Third"})).Want(http.StatusOK).Object(); got.Text("title") != "Third" {
		t.Errorf("a correction: %v", got.Values)
	}
	c.Post("/reports", changed(body, object{"title": "Third"})).Want(http.StatusOK)
}

func TestARepeatInABatch(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	one := withID(nil)
	two := withID(object{"latitude": -8.6})
	results := c.Post("/reports/batch", object{"reports": []object{
		one, one, changed(one, object{"title": "Deeper"}), changed(one, object{"issue_type": "bridge"}), two,
		changed(two, object{"images": picturesOf(uploaded(c, w, 1))}),
	}}).Want(http.StatusOK).Object().Items("results")
	for i, want := range []string{"created", "duplicate", "updated", "conflict", "created", "updated"} {
		if got := results[i].Text("status"); got != want {
			t.Errorf("item %d: %v, want %s", i, results[i].Values, want)
		}
	}
	if got := results[2]; warned(got) != "title updated" || got.Text("report.title") != "Deeper" {
		t.Errorf("updated: %v", got.Values)
	}
}

// A retry of a withdrawn report creates nothing, and does not bring the report back.
func TestARepeatOfAWithdrawnReport(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	body := withID(nil)
	id := c.Post("/reports", body).Want(http.StatusCreated).Object().Text("id")
	c.Delete("/reports/" + id).Want(http.StatusOK)
	if got := c.Post("/reports", body).Want(http.StatusGone).Code(); got != "report_removed" {
		t.Errorf("the same content: %s", got)
	}
	if got := c.Post("/reports", changed(body, object{"title": "Other"})).Want(http.StatusConflict).Code(); got != "client_id_reused" {
		t.Errorf("other content: %s", got)
	}
	results := c.Post("/reports/batch", object{"reports": []object{body, changed(body, object{"title": "Other"})}}).Want(http.StatusOK).Object().Items("results")
	if results[0].Text("status") != "duplicate" || results[0].Text("code") != "report_removed" || results[0].Text("report_id") != id ||
		results[1].Text("status") != "conflict" {
		t.Errorf("in a batch: %v %v", results[0].Values, results[1].Values)
	}
	if n := w.Int(`SELECT count(*) FROM reports`); n != 1 {
		t.Errorf("%d reports", n)
	}
}

// Without client_id, other words are another report.
func TestWithoutAClientIDTheWordsAreCompared(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	first := c.Post("/reports", newBody(nil)).Want(http.StatusCreated).Object().Text("id")
	c.Post("/reports", newBody(object{"title": "Bridge gone", "severity": "critical"})).Want(http.StatusCreated)
	c.Post("/reports", newBody(object{"description": "Deeper."})).Want(http.StatusCreated)
	c.Post("/reports", newBody(object{"images": picturesOf(uploaded(c, w, 1))})).Want(http.StatusCreated) // another picture is another report
	if got := c.Post("/reports", newBody(nil)).Want(http.StatusOK).Object().Text("id"); got != first {
		t.Errorf("the same words are report %s, want %s", got, first)
	}
	c.Patch("/reports/"+first, object{"title": "Amended"}).Want(http.StatusOK)
	if got := c.Post("/reports", newBody(nil)).Want(http.StatusOK).Object().Text("id"); got != first {
		t.Errorf("the first request after an amendment is report %s, want %s", got, first)
	}
	if got := c.Post("/reports", newBody(object{"is_anonymous": true, "title": "Bridge gone"})).Want(http.StatusOK).Object(); got.At("is_anonymous") != true {
		t.Errorf("is_anonymous in a repeat: %v", got.Values)
	}
}

// A nil UUID, and what is no UUID, tell no reports apart.
func TestAClientIDThatIsNone(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	for i, id := range []any{uuid.Nil.String(), uuid.Nil.String(), 17, "local-1"} {
		got := c.Post("/reports", newBody(object{"client_id": id, "latitude": -8.5 - float64(i)/100})).Want(http.StatusCreated).Object()
		if warned(got) != "client_id unreadable" || got.At("client_id") != nil {
			t.Errorf("%v: %v", id, got.Values)
		}
	}
}

// Retries with different corrections, and retries of the first request, at once: one report, and no correction is lost
// under a 200.
func TestRepeatsAtOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	body := withID(nil)
	titles := []string{"One", "Two", "Three"}
	var all sync.WaitGroup
	for _, title := range titles {
		for _, sent := range []object{body, changed(body, object{"title": title})} {
			all.Go(func() {
				if got := c.Post("/reports", sent); got.Status != http.StatusOK && got.Status != http.StatusCreated {
					t.Errorf("%d %s", got.Status, got.Body)
				}
			})
		}
	}
	picture := uploaded(c, w, 1)
	for range 2 {
		all.Go(func() { c.Post("/reports", changed(body, object{"images": picturesOf(picture)})) })
	}
	all.Wait()
	if n := w.Int(`SELECT count(*) FROM reports`); n != 1 {
		t.Errorf("%d reports", n)
	}
	if n := w.Int(`SELECT count(*) FROM report_images WHERE deleted_at IS NULL`); n != 1 {
		t.Errorf("%d pictures, want 1", n)
	}
	// Whatever came first, each version is known: the report has one of them, and each of them is answered 200.
	for _, title := range titles {
		c.Post("/reports", changed(body, object{"title": title})).Want(http.StatusOK)
	}
}

// The first request named two pictures, of which the report could take one. Its retry is no conflict.
func TestARepeatNamesAPictureThatFoundNoPlace(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	body := withID(object{"images": picturesOf(uploaded(c, w, 1), uploaded(c, w, 2))})
	for _, want := range []int{http.StatusCreated, http.StatusOK, http.StatusOK} {
		if got := c.Post("/reports", body).Want(want).Object(); warned(got) != "images[1] image_limit" || len(got.Items("images")) != 1 {
			t.Errorf("got %v", got.Values)
		}
	}
}
