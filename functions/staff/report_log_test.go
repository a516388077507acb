package staff_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/community"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/functions/staff"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
)

// The log names everything that was done to a report, in order, with who did it, also of people who left.
func TestTheLogOfAReport(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, staff.Open, reports.Open, community.Open)
	agency := w.Agency("ROADS")
	c, mod, official := w.Citizen(), w.Staff(identity.Moderator), w.Staff(identity.Official, agency)
	id := c.Post("/reports", object{"issue_type": "pothole", "latitude": -8.5, "longitude": 125.5, "client_id": uuid.NewString()}).Want(http.StatusCreated).Object().Text("id")
	path := "/reports/" + id
	c.Patch(path, object{"title": "Deep hole"}).Want(http.StatusOK)
	mod.Post(path+"/status", object{"status": "rejected", "reason_code": "unsafe", "note": "No."}).Want(http.StatusOK)
	c.Post(path+"/appeal", object{"reason": "It is a road."}).Want(http.StatusOK)
	mod.Post(path+"/ai-analysis/override", object{"is_relevant": true, "note": "I was there."}).Want(http.StatusOK)
	mod.Post(path+"/assign", object{"agency_id": agency}).Want(http.StatusOK)
	official.Post(path+"/notes", object{"content": "Ask for asphalt."}).Want(http.StatusCreated)
	comment := w.Citizen().Post(path+"/comments", object{"content": "Bad words."}).Want(http.StatusCreated).Object().Text("id")
	mod.Delete(path + "/comments/" + comment).Want(http.StatusOK)
	w.Exec(`INSERT INTO report_flags (id, report_id, user_id, reason_code, counted) VALUES ($1, $2, $3, 'unsafe', true)`, database.NewID(), uuid.MustParse(id), c.ID)
	line := func(who *testenv.Client) []string {
		var out []string
		for _, e := range who.Get(path + "/log").Want(http.StatusOK).List() {
			out = append(out, strings.Join([]string{e.Text("action"), e.Text("actor.role"), fmt.Sprint(e.At("actor.full_name") != nil), fmt.Sprint(e.At("actor.agency")), fmt.Sprint(e.At("note"))}, " "))
		}
		return out
	}
	want := []string{
		"report.create citizen true <nil> <nil>", "report.amend citizen true <nil> <nil>", "report.status moderator true <nil> No.", "report.appeal citizen true <nil> It is a road.",
		"report.status moderator true <nil> I was there.", "report.status moderator true <nil> I was there.", "report.ai_override moderator true <nil> I was there.",
		"report.assign moderator true <nil> <nil>", "report.note government_official true ROADS Ask for asphalt.", "comment.add citizen true <nil> <nil>",
		"comment.remove moderator true <nil> <nil>", "report.flag citizen true <nil> <nil>",
	}
	if got := line(mod); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the log is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := line(official); got[len(got)-1] != "report.flag citizen false <nil> <nil>" {
		t.Errorf("an official reads who flagged it: %s", got[len(got)-1])
	}
	w.Exec(`UPDATE users SET deleted_at = now(), full_name = '', email = NULL WHERE id = $1`, c.ID)
	if got := line(mod)[0]; got != "report.create citizen false <nil> <nil>" {
		t.Errorf("of a person who left: %s", got)
	}
	w.Citizen().Get(path + "/log").Want(http.StatusForbidden)
	mod.Get("/reports/" + uuid.NewString() + "/log").Want(http.StatusNotFound)
	mod.Get("/reports/x/log").Want(http.StatusUnprocessableEntity)
}

// The contact of a reporter is for those who work on the report; each reading is recorded.
func TestTheContactOfAReporter(t *testing.T) {
	t.Parallel()
	w := testenv.New(t)
	w.Env["RATE_LIMIT_CONTACT_PER_HOUR"] = "5"
	w.Serve(staff.Open)
	ours, theirs := w.Agency("OURS"), w.Agency("THEIRS")
	c, mod := w.Citizen(), w.Staff(identity.Moderator)
	w.Exec(`UPDATE users SET phone_number = '+67077700001', email = 'maria@example.org', preferred_language = 'pt' WHERE id = $1`, c.ID)
	id := place(w, c, "status = 'verified'")
	w.Exec(`UPDATE reports SET assigned_agency_id = $2 WHERE id = $1`, uuid.MustParse(id), ours)
	path := "/reports/" + id + "/reporter"
	got := mod.Get(path).Want(http.StatusOK)
	if o := got.Object(); o.Text("email") != "maria@example.org" || o.Text("phone_number") != "+67077700001" || o.Text("preferred_language") != "pt" || o.Text("full_name") == "" ||
		!strings.Contains(got.Header.Get("Cache-Control"), "no-store") {
		t.Errorf("%v %v", o.Values, got.Header)
	}
	w.Staff(identity.Official, ours).Get(path).Want(http.StatusOK)
	if code := w.Staff(identity.Official, theirs).Get(path).Want(http.StatusForbidden).Code(); code != "not_your_agency" {
		t.Errorf("another agency: %s", code)
	}
	c.Get(path).Want(http.StatusForbidden)
	if n := w.Int(`SELECT count(*) FROM audit_log WHERE action = 'report.read_reporter' AND entity_id = $1 AND request_id IS NOT NULL`, id); n != 2 {
		t.Errorf("%d readings are recorded", n)
	}
	anonymous := place(w, c, "is_anonymous = true")
	assisted := place(w, c, "")
	w.Tamper(`ALTER TABLE reports DISABLE TRIGGER USER`)
	w.Exec(`UPDATE reports SET user_id = NULL WHERE id = $1`, uuid.MustParse(assisted))
	if code := mod.Get("/reports/" + assisted + "/reporter").Want(http.StatusNotFound).Code(); code != "reporter_unknown" {
		t.Errorf("an account that was deleted: %s", code)
	}
	w.Exec(`INSERT INTO report_contacts (report_id, full_name, phone_number) VALUES ($1, 'Avo Rosa', '+67077700002')`, uuid.MustParse(assisted))
	if o := mod.Get("/reports/" + assisted + "/reporter").Want(http.StatusOK).Object(); o.Text("phone_number") != "+67077700002" || o.At("email") != nil {
		t.Errorf("a report that staff filed: %v", o.Values)
	}
	w.Exec(`UPDATE report_contacts SET claimed_at = now() WHERE report_id = $1`, uuid.MustParse(assisted))
	if code := mod.Get("/reports/" + assisted + "/reporter").Want(http.StatusNotFound).Code(); code != "reporter_unknown" {
		t.Errorf("taken over by an account that was deleted: %s", code)
	}
	if code := mod.Get("/reports/" + anonymous + "/reporter").Want(http.StatusNotFound).Code(); code != "reporter_unknown" {
		t.Errorf("an anonymous one: %s", code)
	}
	withdrawn := place(w, c, "deleted_at = now()")
	mod.Get("/reports/" + withdrawn + "/reporter").Want(http.StatusGone)
	mod.Get("/reports/" + uuid.NewString() + "/reporter").Want(http.StatusNotFound)
	for range 5 {
		mod.Get(path)
	}
	mod.Get(path).Want(http.StatusTooManyRequests)
}

func TestTheReportsOfAPerson(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, staff.Open)
	c, admin := w.Citizen(), w.Staff(identity.Admin)
	place(w, w.Citizen(), "")
	place(w, c, "status = 'verified'")
	place(w, c, "status = 'rejected', reason_code = 'unsafe'")
	place(w, c, "deleted_at = now()")
	place(w, c, "deleted_at = now(), reason_code = 'offensive'")
	path := "/admin/users/" + c.ID.String() + "/reports"
	got := admin.Get(path).Want(http.StatusOK).Object()
	var removed []string
	for _, r := range got.Items("items") {
		word := "-"
		if r.At("removed") != nil {
			word = r.Text("removed.status")
		}
		removed = append(removed, word)
	}
	if strings.Join(removed, " ") != "removed withdrawn rejected -" || got.Number("total") != 4 {
		t.Errorf("%v of %v", removed, got.At("total"))
	}
	if n := admin.Get(path + "?status=rejected").Want(http.StatusOK).Object().Number("total"); n != 1 {
		t.Errorf("%v are rejected", n)
	}
	if got := admin.Get(path + "?kind=x").Want(http.StatusUnprocessableEntity).Code(); got != "unknown_parameter" {
		t.Errorf("an unknown parameter: %s", got)
	}
	if got := admin.Get("/admin/users/" + uuid.NewString() + "/reports").Want(http.StatusNotFound).Code(); got != "user_not_found" {
		t.Errorf("nobody's: %s", got)
	}
	w.Staff(identity.Moderator).Get(path).Want(http.StatusForbidden)
	c.Get(path).Want(http.StatusForbidden)
}

// An override that saw another version of the report changes nothing.
func TestAnOverrideOfAnotherVersion(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, staff.Open)
	id, mod := place(w, w.Citizen(), "status = 'fixed', resolved_at = now()"), w.Staff(identity.Moderator)
	path := "/reports/" + id + "/ai-analysis/override"
	if got := mod.Post(path, object{"is_relevant": false, "note": "A cat.", "expected_version": 7}).Want(http.StatusConflict).Code(); got != "stale" {
		t.Errorf("got %s", got)
	}
	if got := w.Text(`SELECT status FROM reports WHERE id = $1`, uuid.MustParse(id)); got != "fixed" {
		t.Errorf("it is %s", got)
	}
	got := mod.Post(path, object{"is_relevant": false, "note": "A cat.", "expected_version": 1}).Want(http.StatusOK).Object()
	if got.Text("status") != "rejected" || got.Text("removed.reason_code") != "irrelevant" || got.Text("removed.removed_by") != "moderator" {
		t.Errorf("a fixed report: %v", got.Values)
	}
}

// The log has each thing once, and of a change the members that changed. An official reads nowhere who flagged or who reported
// without a name.
func TestTheLogNamesEachThingOnce(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, staff.Open, reports.Open, community.Open)
	agency := w.Agency("ROADS")
	c, mod, official := w.Citizen(), w.Staff(identity.Moderator), w.Staff(identity.Official, agency)
	hole := func(more object) object {
		maps.Copy(more, object{"issue_type": "pothole", "severity": "medium", "latitude": -8.5, "longitude": 125.5, "client_id": uuid.NewString()})
		return more
	}
	id := c.Post("/reports", hole(object{"is_anonymous": true})).Want(http.StatusCreated).Object().Text("id")
	path := "/reports/" + id
	mod.Patch(path, object{"title": "Deep hole"}).Want(http.StatusOK)
	mod.Post(path+"/ai-analysis/override", object{"is_relevant": true, "severity": "high", "note": "I was there."}).Want(http.StatusOK)
	mod.Post(path+"/assign", object{"agency_id": agency}).Want(http.StatusOK)
	comment := w.Citizen().Post(path+"/comments", object{"content": "Bad words."}).Want(http.StatusCreated).Object().Text("id")
	var flaggers []*testenv.Client
	for range 3 {
		flagger := w.Citizen()
		flaggers = append(flaggers, flagger)
	}
	w.Exec(`UPDATE users SET created_at = now() - interval '60 days'`)
	for _, who := range flaggers {
		who.Post(path+"/flag", object{"reason_code": "offensive"}).Want(http.StatusAccepted)
		who.Post(path+"/comments/"+comment+"/flag", object{"reason_code": "offensive"}).Want(http.StatusAccepted)
	}
	mod.Post(path+"/flags/dismiss", object{"note": "Fine."}).Want(http.StatusOK)
	official.Post(path+"/status", object{"status": "in_progress"}).Want(http.StatusOK)
	official.Post(path+"/status", object{"status": "fixed", "note": "Filled."}).Want(http.StatusOK)
	c.Post(path+"/dispute", object{"note": "Open again."}).Want(http.StatusOK)
	got := official.Get(path + "/log").Want(http.StatusOK)
	for _, secret := range append(flaggers, c) {
		if strings.Contains(string(got.Body), secret.ID.String()) {
			t.Errorf("an official reads who flagged, or whose the report is: %s", secret.ID)
		}
	}
	if !strings.Contains(string(mod.Get(path+"/log").Want(http.StatusOK).Body), c.ID.String()) {
		t.Error("a moderator does not read whose the report is")
	}
	var lines []string
	for _, e := range got.List() {
		from, _ := json.Marshal(e.At("from"))
		to, _ := json.Marshal(e.At("to"))
		switch action := e.Text("action"); action {
		case "report.status", "report.assign": // in TestTheLogOfAReport
		case "report.flag", "comment.flag", "comment.add":
			lines = append(lines, action)
		default:
			lines = append(lines, fmt.Sprintf("%s by %s: %s, %s", action, e.Text("actor.role"), from, to))
		}
	}
	want := []string{
		`report.create by citizen: null, "pending"`, `report.amend by moderator: {"title":""}, {"title":"Deep hole"}`,
		`report.ai_override by moderator: {"ai_status":"needs_review","severity":"medium"}, {"ai_status":"completed","is_relevant":true,"severity":"high"}`, "comment.add",
		"report.flag", "comment.flag", "report.flag", "comment.flag", "report.flag", `comment.hide by system: {"hidden":""}, {"hidden":"flags","reason_code":"offensive"}`, "comment.flag",
		"report.flags_dismiss by moderator: null, null", `report.dispute by citizen: "fixed", "in_progress"`, "comment.add",
	}
	if got := strings.Join(lines, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("the log is\n%s", got)
	}
	assisted := mod.Post("/reports", hole(object{"on_behalf_of": object{"full_name": "Alda", "phone_number": "+67077000001"}})).Want(http.StatusCreated).Object().Text("id")
	if log := mod.Get("/reports/" + assisted + "/log").Want(http.StatusOK).List(); len(log) != 1 || log[0].Text("actor.role") != "moderator" || log[0].Text("actor.full_name") == "" {
		t.Errorf("of an assisted report: %v", log)
	}
	own := mod.Post("/reports", hole(object{})).Want(http.StatusCreated).Object().Text("id")
	mod.Patch("/reports/"+own, object{"title": "Deep hole"}).Want(http.StatusOK)
	if log := mod.Get("/reports/" + own + "/log").Want(http.StatusOK).List(); len(log) != 2 {
		t.Errorf("of the report of a moderator, who changed it: %v", log)
	}
}

// The agency that had a report hears that it was given to another one, or rejected, unless one of its officials did it.
func TestAnAgencyHearsThatItLostAReport(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, staff.Open, reports.Open)
	ours, theirs := w.Agency("OURS"), w.Agency("THEIRS")
	mod, official := w.Staff(identity.Moderator), w.Staff(identity.Official, ours)
	lost := func() int {
		return w.Int(`SELECT count(*) FROM outbox WHERE body -> 'staff' ->> 'event' = 'lost' AND body -> 'staff' ->> 'agency_id' = $1`, ours.String())
	}
	for i, c := range []struct {
		by         *testenv.Client
		path, what string
		body       object
		want       int
	}{
		{mod, "/assign", "given to another", object{"agency_id": theirs}, 1},
		{mod, "/assign", "given to it again", object{"agency_id": ours, "note": "x"}, 0},
		{mod, "/status", "rejected", object{"status": "rejected", "reason_code": "unsafe"}, 1},
		{official, "/hand-back", "handed back", object{"note": "Not ours."}, 0},
	} {
		id := place(w, w.Citizen(), "status = 'verified', municipality_code = 'TL-DI'")
		w.Exec(`UPDATE reports SET assigned_agency_id = $2, due_at = now() WHERE id = $1`, uuid.MustParse(id), ours)
		before := lost()
		c.by.Post("/reports/"+id+c.path, c.body).Want(http.StatusOK)
		if got := lost() - before; got != c.want {
			t.Errorf("%d, %s: told %d times, want %d", i, c.what, got, c.want)
		}
	}
}
