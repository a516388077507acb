package reports_test

import (
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
)

// created is the id of a new report of c.
func created(c *testenv.Client, changes object) string {
	if changes == nil {
		changes = object{"latitude": -8.5 - float64(uuid.New()[0])/1e4, "client_id": uuid.NewString()}
	}
	return c.Post("/reports", newBody(changes)).Want(http.StatusCreated).Object().Text("id")
}

// Words and addresses that staff send for a report of a deleted account are refused. The rest of their work goes on.
func TestAnErasedReportTakesNoWords(t *testing.T) {
	t.Parallel()
	w := setup(t)
	mod := w.Staff(identity.Moderator)
	path := "/reports/" + created(w.Citizen(), nil)
	w.Exec(`DELETE FROM report_salts`)
	w.Exec(`UPDATE reports SET title = 'Pothole', description = '', address = NULL, street = NULL, suco = NULL, district = NULL, municipality = NULL`)
	for _, words := range []object{{"title": "A hole"}, {"description": "Next to Ana's"}, {"issue_type": "Kuak Ana"}, {"address": "Rua 9"}, {"street": "Rua 9"},
		{"suco": "Becora"}, {"district": "Cristo Rei"}, {"municipality": "Baucau"}} {
		if got := mod.Patch(path, words).Want(http.StatusConflict).Object().Text("code"); got != "words_erased" {
			t.Errorf("%v: %s", words, got)
		}
	}
	mod.Patch(path, object{"severity": "high", "status": "verified", "street": "", "description": ""}).Want(http.StatusOK)
}

func TestAmending(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, mod := w.Citizen(), w.Staff(identity.Moderator)
	id := created(c, nil)
	tag := c.Get("/reports/" + id).Header.Get("ETag")
	got := c.With("If-Match", tag).Patch("/reports/"+id, object{"title": "New", "issue_type": "Drain"}).Want(http.StatusOK).Object()
	if got.Text("title") != "New" || got.Text("issue_type") != "drainage" || got.Text("description") != "Deep." || got.Number("version") != 2 {
		t.Errorf("got %v", got.Values)
	}
	c.With("If-Match", tag).Patch("/reports/"+id, object{"title": "Newer"}).Want(http.StatusPreconditionFailed)
	c.Patch("/reports/"+id, object{"severity": "low"}).Want(http.StatusForbidden)
	c.Patch("/reports/"+id, object{"status": "fixed"}).Want(http.StatusForbidden)
	for _, nothing := range []object{{}, {"status": "Pending"}} { // a client may send back what it knows
		if got := c.Patch("/reports/"+id, nothing).Want(http.StatusOK).Object(); got.Number("version") != 2 {
			t.Errorf("%v made version %v", nothing, got.Number("version"))
		}
	}
	mod.Patch("/reports/"+id, object{"status": "duplicate"}).Want(http.StatusUnprocessableEntity)
	w.Citizen().Patch("/reports/"+id, object{"title": "Mine"}).Want(http.StatusForbidden)
	got = mod.Patch("/reports/"+id, object{"severity": "critical", "municipality": "Díli", "suco": "Comoro", "status": "verified"}).Want(http.StatusOK).Object()
	if got.Text("severity") != "critical" || got.Text("suco") != "Comoro" || got.Text("status") != "verified" {
		t.Errorf("got %v", got.Values)
	}
	if got := c.Patch("/reports/"+id, object{"title": "Late"}).Want(http.StatusConflict).Code(); got != "not_editable" {
		t.Errorf("got %s", got)
	}
	if n := w.Int(`SELECT count(*) FROM ledger_events WHERE event_type = 'CONTENT_AMENDED'`); n != 2 {
		t.Errorf("%d amendments on the ledger", n)
	}
	if n := w.Int(`SELECT count(*) FROM audit_log WHERE action IN ('report.amend', 'report.status')`); n != 2 {
		t.Errorf("%d audit entries", n)
	}
}

// After any changes in any order, the newest ledger event has the present state of the report.
func TestNewestEventHasTheStateOfTheReport(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, mod, admin := w.Citizen(), w.Staff(identity.Moderator), w.Staff(identity.Admin)
	r := c.Post("/reports", newBody(object{"client_id": uuid.NewString(), "issue_type": "Lubuk", "images": []object{{"upload_id": ready(w, c, 1)}}})).
		Want(http.StatusCreated).Object()
	id, path := uuid.MustParse(r.Text("id")), "/reports/"+r.Text("report_number")
	step := func(what string, got apiclient.TestResponse) {
		t.Helper()
		if got.Status >= http.StatusBadRequest {
			t.Fatalf("%s: %d %s", what, got.Status, got.Body)
		}
		v, err := ledger.VerifyRecords(t.Context(), w.DB, ledger.Config{}, id)
		if err != nil {
			t.Fatal(err)
		}
		for _, check := range v.Checks {
			if !check.OK && !check.Waiting {
				t.Errorf("%s: %s: %s", what, check.Name, check.Detail)
			}
		}
	}
	step("title", c.Patch(path, object{"title": " Deep  hole "}))
	step("description", c.Patch(path, object{"description": "Ne'ebé boot\nloos"}))
	step("known type", c.Patch(path, object{"issue_type": "drain"}))
	step("own word", c.Patch(path, object{"issue_type": "Buraco"}))
	step("no word", c.Patch(path, object{"title": ""}))
	step("severity and status", mod.Patch(path, object{"severity": "critical", "issue_type": "pothole", "status": "rejected", "reason_code": "other", "note": "No."}))
	step("back", mod.Post(path+"/status", object{"status": "pending"}))
	step("picture", mod.Post(path+"/images", object{"upload_id": ready(w, mod, 2), "kind": "resolution"}))
	step("picture gone", admin.Delete(path+"/images/"+r.Items("images")[0].Text("id")))
	step("all at once", mod.Patch(path, object{"title": "T", "description": "D", "issue_type": "Foun", "severity": "low", "status": "verified"}))
	original := created(c, nil)
	step("duplicate", mod.Post(path+"/status", object{"status": "duplicate", "duplicate_of": original}))
	step("withdrawn", admin.Delete(path+"?reason_code=unsafe"))
}

func TestTheLifeOfAReport(t *testing.T) {
	t.Parallel()
	w := setup(t)
	agency := w.Agency("DILI")
	c, mod, official := w.Citizen(), w.Staff(identity.Moderator), w.Staff(identity.Official, agency)
	id := created(c, nil)
	path := "/reports/" + id
	c.Post(path+"/status", object{"status": "fixed"}).Want(http.StatusForbidden)
	mod.Post(path+"/status", object{"status": "sideways"}).Want(http.StatusUnprocessableEntity)
	bad := mod.Post(path+"/status", object{"status": "fixed", "note": "x"}).Want(http.StatusConflict).Object()
	if allowed, _ := bad.At("allowed").([]any); bad.Text("code") != "transition_not_allowed" || len(allowed) != 3 {
		t.Errorf("got %v", bad.Values)
	}
	mod.Post(path+"/status", object{"status": "Verified"}).Want(http.StatusOK)
	w.Staff(identity.Official).Post(path+"/status", object{"status": "in_progress"}).WantProblem(http.StatusForbidden, "not_your_agency")
	got := mod.Post(path+"/assign", object{"agency_id": agency, "user_id": official.ID, "due_at": "2030-01-01T00:00:00Z", "note": "soon"}).Want(http.StatusOK).Object()
	if got.Text("assigned_agency.code") != "DILI" || got.Text("due_at") == "" {
		t.Errorf("got %v", got.Values)
	}
	w.Exec(`UPDATE agencies SET name = 'Public Works', name_tet = 'Obras Públikas' WHERE id = $1`, agency)
	for language, want := range map[string]string{"tet": "Obras Públikas", "pt": "Public Works", "en": "Public Works"} {
		if name := c.With("Accept-Language", language).Get(path).Want(http.StatusOK).Object().Text("assigned_agency.name"); name != want {
			t.Errorf("%s: agency %q, want %q", language, name, want)
		}
	}
	official.Post(path+"/status", object{"status": "in-progress"}).Want(http.StatusOK)
	official.Post(path+"/status", object{"status": "fixed"}).Want(http.StatusUnprocessableEntity)
	got = official.Post(path+"/status", object{"status": "fixed", "note": "Filled."}).Want(http.StatusOK).Object()
	if got.Text("resolved_at") == "" || len(got.Items("status_history")) != 4 {
		t.Errorf("got %v", got.Values)
	}
	last := got.Items("status_history")[3]
	if last.Text("changed_by") != "government_official" || last.Text("agency") != "DILI" || last.Text("note") != "Filled." {
		t.Errorf("last step %v", last.Values)
	}
	steps := c.With("Accept-Language", "tet").Get(path).Want(http.StatusOK).Object().Items("status_history")
	if name := steps[3].Text("agency_name"); name != "Obras Públikas" || steps[0].At("agency_name") != nil {
		t.Errorf("the agency of the last step is %q, of the first one %v", name, steps[0].At("agency_name"))
	}
	for sql, want := range map[string]int{
		`SELECT count(*) FROM notifications WHERE type = 'report_fixed'`:             1,
		`SELECT count(*) FROM notifications WHERE type = 'report_assigned'`:          1,
		`SELECT count(*) FROM outbox WHERE body -> 'staff' ->> 'event' = 'assigned'`: 1,
		`SELECT count(*) FROM report_notes`:                                          1,
		`SELECT count(*) FROM ledger_events WHERE event_type = 'STATUS_CHANGED'`:     3,
	} {
		if got := w.Int(sql); got != want {
			t.Errorf("%s: %d, want %d", sql, got, want)
		}
	}
}

func TestAssigningByFieldAndArea(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.Agency("EVERYTHING")
	lights := w.Agency("LIGHTS")
	w.Exec(`UPDATE agencies SET issue_types = '{street_light}', municipality_codes = '{TL-DI}' WHERE id = $1`, lights)
	c, mod := w.Citizen(), w.Staff(identity.Moderator)
	light := created(c, object{"issue_type": "street_light", "municipality": "Dili"})
	hole := created(c, object{"issue_type": "pothole", "municipality": "Dili"})
	if got := mod.Post("/reports/"+light+"/assign", object{}).Want(200).Object().Text("assigned_agency.code"); got != "LIGHTS" {
		t.Errorf("a light went to %s", got)
	}
	if got := mod.Post("/reports/"+hole+"/assign", object{}).Want(200).Object().Text("assigned_agency.code"); got != "EVERYTHING" {
		t.Errorf("a hole went to %s", got)
	}
	mod.Post("/reports/"+hole+"/assign", object{"agency_id": uuid.New()}).Want(http.StatusUnprocessableEntity)
	mod.Post("/reports/"+hole+"/assign", object{"agency_id": lights, "user_id": c.ID}).Want(http.StatusUnprocessableEntity)
}

func TestTwoOfficialsRace(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := created(w.Citizen(), nil)
	staff := []*testenv.Client{w.Staff(identity.Moderator), w.Staff(identity.Admin)}
	tag := staff[0].Get("/reports/" + id).Header.Get("ETag")
	statuses := make([]int, 2)
	var wg sync.WaitGroup
	for i, c := range staff {
		wg.Go(func() {
			statuses[i] = c.With("If-Match", tag).Post("/reports/"+id+"/status", object{"status": "verified"}).Status
		})
	}
	wg.Wait()
	if statuses[0]+statuses[1] != http.StatusOK+http.StatusPreconditionFailed {
		t.Errorf("got %v", statuses)
	}
}

func TestWithdrawing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, admin := w.Citizen(), w.Staff(identity.Admin)
	id, other := created(c, nil), created(c, nil)
	w.Citizen().Delete("/reports/" + id).Want(http.StatusForbidden)
	c.Delete("/reports/" + id).Want(http.StatusOK)
	c.Delete("/reports/" + id).Want(http.StatusGone)
	if got := c.Get("/reports/" + id).Want(http.StatusOK).Object(); got.Text("removed.status") != "withdrawn" {
		t.Errorf("its reporter reads %v", got.At("removed"))
	}
	admin.Post("/reports/"+other+"/status", object{"status": "verified"}).Want(http.StatusOK)
	c.Delete("/reports/" + other).Want(http.StatusConflict)
	admin.Delete("/reports/" + other).Want(http.StatusUnprocessableEntity)
	admin.Delete("/reports/" + other + "?reason_code=offensive").Want(http.StatusOK)
	own := created(admin, nil) // removed after its verdict, with a reason: by an administrator, as the event says
	admin.Post("/reports/"+own+"/status", object{"status": "verified"}).Want(http.StatusOK)
	admin.Delete("/reports/" + own + "?reason_code=unsafe").Want(http.StatusOK)
	if got := w.Text(`SELECT removed_by || ' ' || (convert_from(e.payload, 'UTF8')::jsonb #>> '{changed_by,kind}') FROM reports r JOIN ledger_events e ON e.report_id = r.id
		WHERE r.id = $1 AND e.event_type = 'REPORT_WITHDRAWN'`, own); got != "admin admin" {
		t.Errorf("the row and the event say %s", got)
	}
	if n := w.Int(`SELECT count(*) FROM ledger_events WHERE event_type = 'REPORT_WITHDRAWN'`); n != 3 {
		t.Errorf("%d withdrawals on the ledger", n)
	}
	if got := c.Get("/reports/my-reports").Object().Number("total"); got != 0 {
		t.Errorf("%v reports left", got)
	}
	if n := w.Int(`SELECT reports_count FROM users WHERE id = $1`, c.ID); n != 0 {
		t.Errorf("%d reports counted", n)
	}
}

func TestRejectedReportsAreTheirAuthorsAndStaffs(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, other, mod := w.Citizen(), w.Citizen(), w.Staff(identity.Moderator)
	id := created(c, object{"is_anonymous": true})
	if got := other.Get("/reports/" + id).Want(200).Object(); got.At("reporter") != nil || got.At("client_id") != nil {
		t.Errorf("an anonymous reporter shows: %v", got.Values)
	}
	if c.Get("/reports/"+id).Object().At("reporter") == nil || mod.Get("/reports/"+id).Object().At("reporter") == nil {
		t.Error("author or staff do not see the reporter")
	}
	mod.Post("/reports/"+id+"/status", object{"status": "rejected", "reason_code": "irrelevant", "note": "No road."}).Want(http.StatusOK)
	other.Get("/reports/" + id).Want(http.StatusGone)
	other.Patch("/reports/"+id, object{"title": "x"}).Want(http.StatusGone)
	for who, want := range map[*testenv.Client]float64{c: 1, mod: 1, other: 0} {
		for _, statuses := range []string{"rejected", "pending,rejected", ""} {
			if got := who.Get("/reports?status=" + statuses).Want(200).Object().Number("total"); got != want {
				t.Errorf("%s sees %v rejected reports, status=%s", who.Role, got, statuses)
			}
		}
		if got := who.Get("/reports?status=pending,verified").Want(200).Object().Number("total"); got != 0 {
			t.Errorf("%s sees %v reports that are not rejected", who.Role, got)
		}
	}
	if got := c.Get("/reports/" + id).Object().Text("rejection_reason"); got != "No road." {
		t.Errorf("reason %q", got)
	}
}

func TestPicturesOfAReport(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, mod, admin := w.Citizen(), w.Staff(identity.Moderator), w.Staff(identity.Admin)
	id := created(c, nil)
	path := "/reports/" + id + "/images"
	image := c.Form(path, nil, "file", "a.jpg", w.JPEG(1)).Want(http.StatusCreated).Object()
	if image.Text("kind") != "evidence" || image.Text("status") != "pending" {
		t.Errorf("got %v", image.Values)
	}
	delete(image.Values, "receipt") // of the change; a picture that is read has none
	if shown := c.Get("/reports/" + id).Object().Items("images"); len(shown) != 1 || !reflect.DeepEqual(shown[0].Values, image.Values) {
		t.Errorf("answered %v, read %v", image.Values, shown)
	}
	if got := c.Get("/reports/" + id).Object().Text("ai.status"); got != "queued" {
		t.Errorf("with a picture the AI is %s", got)
	}
	if got := c.Post(path, object{"upload_id": uploaded(c, w, 2)}).Want(http.StatusConflict).Code(); got != "image_limit" {
		t.Errorf("got %s", got)
	}
	c.Form(path, map[string]string{"kind": "resolution"}, "file", "a.jpg", w.JPEG(3)).Want(http.StatusForbidden)
	mod.Post(path, object{"upload_id": uploaded(mod, w, 4), "kind": "resolution"}).Want(http.StatusCreated)
	if n := w.Int(`SELECT count(*) FROM audit_log WHERE action = 'report.add_image' AND actor_id = $1 AND entity_id = $2`, mod.ID, id); n != 1 ||
		w.Int(`SELECT count(*) FROM audit_log`) != 1 {
		t.Errorf("staff's picture is audited %d times", n)
	}
	show := path + "/" + image.Text("id") + "/thumbnail"
	if got := c.Get(show).Want(http.StatusNotFound).Code(); got != "image_not_ready" {
		t.Errorf("got %s", got)
	}
	w.Exec(`UPDATE uploads SET state = 'processed'`)
	if got := w.Citizen().Get(show).Want(http.StatusNotFound).Code(); got != "image_not_found" {
		t.Errorf("before the verdict: %s", got)
	}
	if got := c.Get(show).Want(http.StatusFound); got.Header.Get("Location") == "" {
		t.Error("no address")
	}
	c.Get(path + "/" + image.Text("id") + "/poster").Want(http.StatusUnprocessableEntity)
	mod.Delete(path + "/" + image.Text("id")).Want(http.StatusForbidden)
	admin.Delete(path + "/" + image.Text("id")).Want(http.StatusOK)
	c.Get(show).Want(http.StatusNotFound)
	if got := c.Get("/reports/" + id).Object(); got.Text("ai.status") != "needs_review" || len(got.Items("images")) != 1 {
		t.Errorf("got %v", got.Values)
	}
}

func TestADuplicateOutlivesItsOriginal(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, mod := w.Citizen(), w.Staff(identity.Moderator)
	original, duplicate := created(c, nil), created(w.Citizen(), nil)
	mod.Post("/reports/"+duplicate+"/status", object{"status": "duplicate", "duplicate_of": original}).Want(http.StatusOK)
	c.Delete("/reports/" + original).Want(http.StatusOK)
	if got := mod.Get("/reports/" + duplicate).Want(http.StatusOK).Object(); got.Text("ai.status") != "needs_review" {
		t.Errorf("its original is withdrawn, and nobody is asked to look: %v", got.Values)
	}
	for who, named := range map[*testenv.Client]bool{mod: true, c: false} { // staff decide about what is left of it
		if got := who.Get("/reports/" + duplicate).Want(http.StatusOK).Object(); (got.Text("duplicate_of.id") == original) != named {
			t.Errorf("to a %s the withdrawn original is %v", who.Role, got.At("duplicate_of"))
		}
	}
}

// Moderators reject from any state, by POST and by PATCH; it is told with the reason, and the answer has the tombstone.
func TestRejectingWhatWasVerified(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, mod, nobody := w.Citizen(), w.Staff(identity.Moderator), w.Citizen()
	for _, method := range []string{http.MethodPatch, http.MethodPost} {
		id := created(c, nil)
		mod.Post("/reports/"+id+"/status", object{"status": "verified"}).Want(http.StatusOK)
		path := map[string]string{http.MethodPatch: "", http.MethodPost: "/status"}[method]
		mod.Do(method, "/reports/"+id+path, object{"status": "rejected"}).Want(http.StatusUnprocessableEntity)
		mod.Do(method, "/reports/"+id+path, object{"status": "rejected", "reason_code": "other"}).Want(http.StatusUnprocessableEntity)
		got := mod.Do(method, "/reports/"+id+path, object{"status": "rejected", "reason_code": "personal_data", "note": "A face."}).Want(http.StatusOK).Object()
		if got.Text("removed.reason_code") != "personal_data" || got.Text("removed.removed_by") != "moderator" || got.At("receipt") == nil {
			t.Errorf("%s: %v", method, got.Values)
		}
		if body := string(nobody.Get("/reports/" + id).Want(http.StatusGone).Body); strings.Contains(body, "A face.") {
			t.Errorf("%s: the tombstone has the note: %s", method, body)
		}
		if n := w.Int(`SELECT count(*) FROM notifications WHERE user_id = $1 AND report_id = $2 AND type = 'report_rejected' AND params ->> 'reason' = 'personal_data'`, c.ID, uuid.MustParse(id)); n != 1 {
			t.Errorf("%s: told %d times", method, n)
		}
		mod.Do(method, "/reports/"+id+path, object{"status": "fixed", "note": "x"}).Want(http.StatusConflict)
	}
}
