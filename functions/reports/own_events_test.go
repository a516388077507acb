package reports_test

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
)

// A client may send back what it knows: no version, no event, no audit entry, no notification, and no time of change.
func TestAPatchThatChangesNothing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, mod := w.Citizen(), w.Staff(identity.Moderator)
	r := c.Post("/reports", newBody(object{"client_id": uuid.NewString(), "issue_type": "Lubuk", "municipality": "Dili", "suco": "Comoro"})).Want(http.StatusCreated).Object()
	path := "/reports/" + r.Text("id")
	seen := func() string {
		return w.Text(`SELECT concat(r.*, (SELECT count(*) FROM ledger_events), (SELECT count(*) FROM notifications), (SELECT count(*) FROM audit_log),
			(SELECT concat(c.*) FROM report_changes c)) FROM reports r`)
	}
	before := seen()
	for _, same := range []object{{}, {"title": r.Text("title")}, {"title": " " + r.Text("title") + " "}, {"description": r.Text("description")}, {"issue_type": "other"},
		{"issue_type": "Lubuk"}, {"severity": "Medium"}, {"suco": "Comoro"}, {"municipality": "Dili"}, {"street": ""}, {"status": "Pending"},
		{"title": r.Text("title"), "issue_type": "other", "severity": "medium", "district": "", "status": "pending"}} {
		for _, who := range []*testenv.Client{c, mod} {
			if got := who.Patch(path, same).Want(http.StatusOK).Object(); got.Number("version") != 1 || seen() != before {
				t.Errorf("%v by a %s changed something: %v", same, who.Role, got.Values)
			}
		}
	}
	if got := c.Patch(path, object{"title": r.Text("title"), "description": "New."}).Want(http.StatusOK).Object(); got.Number("version") != 2 {
		t.Errorf("a change beside the same title: version %v", got.At("version"))
	}
	if got := c.Patch(path, object{"issue_type": "Kuak"}).Want(http.StatusOK).Object(); got.Number("version") != 3 || got.Text("issue_type_raw") != "Kuak" {
		t.Errorf("another word of the reporter: %v", got.Values)
	}
}

// What a reporter changes costs the operators money, so it is bounded. What others do does not count, and a withdrawal is
// never refused.
func TestAReportersOwnChangesAreBounded(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.Exec(`INSERT INTO app_settings (key, value) VALUES ('settings', '{"citizen_events_per_day": 7, "citizen_events_per_report": 4}')`)
	c, mod, other := w.Citizen(), w.Staff(identity.Moderator), w.Citizen()
	first, second, third := created(c, nil), created(c, nil), created(c, nil)
	n := 0
	amend := func(who *testenv.Client, id string) int {
		n++
		return who.Patch("/reports/"+id, object{"title": fmt.Sprint("Title ", n)}).Status
	}
	for range 5 { // those of a moderator
		if got := amend(mod, first); got != http.StatusOK {
			t.Fatalf("a moderator's change: %d", got)
		}
	}
	for range 3 {
		if got := amend(c, first); got != http.StatusOK {
			t.Fatalf("below the limit: %d", got)
		}
	}
	image := c.Form("/reports/"+first+"/images", nil, "file", "a.jpg", w.JPEG(1)).Want(http.StatusCreated).Object().Text("id")
	refused := c.Patch("/reports/"+first, object{"title": "Fifth"})
	refused.WantProblem(http.StatusTooManyRequests, "rate_limited")
	if wait, _ := strconv.Atoi(refused.Header.Get("Retry-After")); wait < 86_000 || wait > 86_400 {
		t.Errorf("Retry-After %s", refused.Header.Get("Retry-After"))
	}
	c.Form("/reports/"+first+"/images", nil, "file", "a.jpg", w.JPEG(2)).WantProblem(http.StatusTooManyRequests, "rate_limited")
	c.Delete("/reports/"+first+"/images/"+image).WantProblem(http.StatusTooManyRequests, "rate_limited")
	c.Patch("/reports/"+first, object{}).Want(http.StatusOK)
	if got := amend(mod, first); got != http.StatusOK {
		t.Errorf("a moderator is held to the reporter's limit: %d", got)
	}
	c.Delete("/reports/" + first).Want(http.StatusOK) // and its events still count
	for range 3 {
		if got := amend(c, second); got != http.StatusOK {
			t.Fatalf("on another report: %d", got)
		}
	}
	if got := amend(c, third); got != http.StatusTooManyRequests {
		t.Errorf("past the limit of a day: %d", got)
	}
	if got := amend(other, created(other, nil)); got != http.StatusOK {
		t.Errorf("another person: %d", got)
	}
	for own := created(mod, nil); n < 30; {
		if got := amend(mod, own); got != http.StatusOK {
			t.Fatalf("a moderator on the own report: %d", got)
		}
	}
	age(w)
	if got := amend(c, third); got != http.StatusOK {
		t.Errorf("a day later: %d", got)
	}
}

// What the workers write about a report is not of its reporter: the picture that was processed, and the place that was named.
func TestEventsOfTheSystemAreNotTheReporters(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.Exec(`INSERT INTO app_settings (key, value) VALUES ('settings', '{"citizen_events_per_day": 3, "citizen_events_per_report": 3}')`)
	c := w.Citizen()
	picture := c.Form("/reports/pre-upload-image", nil, "file", "a.jpg", w.JPEG(1)).Want(http.StatusCreated).Object().Text("upload_id")
	id := created(c, object{"images": []object{{"upload_id": picture}}})
	w.ProcessUpload(picture)
	report := uuid.MustParse(id)
	for _, code := range []string{"TL-DI", "TL-BA"} { // as the geocode worker does
		w.Do(func(tx *outbox.Tx) error {
			tx.Queue(`UPDATE reports SET municipality_code = $2, updated_at = now() WHERE id = $1`, report, code)
			return ledger.Amend(w.Context(), tx, report)
		})
	}
	if n := w.Int(`SELECT count(*) FROM ledger_events WHERE report_id = $1 AND event_type = 'CONTENT_AMENDED'`, report); n != 3 {
		t.Fatalf("%d events of the system, want 3", n)
	}
	v, err := ledger.VerifyRecords(t.Context(), w.DB, ledger.Config{}, report)
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range v.Checks {
		if !check.OK && !check.Waiting {
			t.Errorf("%s: %s", check.Name, check.Detail)
		}
	}
	for n := range 3 {
		c.Patch("/reports/"+id, object{"title": fmt.Sprint("Title ", n)}).Want(http.StatusOK)
	}
	c.Patch("/reports/"+id, object{"title": "Fourth"}).WantProblem(http.StatusTooManyRequests, "rate_limited")
}

// A retry with the same client_id that brings other words is a change.
func TestARepeatThatChangesAReportIsBounded(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.Exec(`INSERT INTO app_settings (key, value) VALUES ('settings', '{"citizen_events_per_report": 2}')`)
	c, sent := w.Citizen(), newBody(object{"client_id": uuid.NewString()})
	c.Post("/reports", sent).Want(http.StatusCreated)
	for _, title := range []string{"First", "Second"} {
		sent["title"] = title
		c.Post("/reports", sent).Want(http.StatusOK)
	}
	c.Post("/reports", sent).Want(http.StatusOK)
	sent["title"] = "Third"
	c.Post("/reports", sent).WantProblem(http.StatusTooManyRequests, "rate_limited")
}

// age makes all events a day older.
func age(w *testenv.System) {
	w.Helper()
	asOwner(w, `ALTER TABLE ledger_events DISABLE TRIGGER USER`, `UPDATE ledger_events SET created_at = created_at - interval '1 day'`)
}

// asOwner runs statements that the role of the functions may not run.
func asOwner(w *testenv.System, statements ...string) {
	w.Helper()
	conn, err := pgx.Connect(w.Context(), w.Env["DATABASE_URL"])
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = conn.Close(w.Context()) }()
	for _, sql := range append([]string{`SET ROLE NONE`}, statements...) {
		if _, err := conn.Exec(w.Context(), sql); err != nil {
			w.Fatal(err)
		}
	}
}
