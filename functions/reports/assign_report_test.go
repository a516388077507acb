package reports_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/monitoring"
	"github.com/lafaekstreet/backend/functions/public"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/functions/staff"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/workday"
)

// whole serves everything that an assignment shows in.
func whole(t *testing.T) *testenv.System {
	t.Helper()
	return testenv.New(t, reports.Open, staff.Open, monitoring.Open, public.Open)
}

// vouched fails the test for a report that does not agree with its events.
func vouched(w *testenv.System, c *testenv.Client, id string) {
	w.Helper()
	for _, check := range c.Get("/blockchain/report/" + id + "/verify").Want(http.StatusOK).Object().Items("checks") {
		switch name := check.Text("name"); name {
		case "hash", "chain", "report", "content", "history", "assignment":
			if check.At("ok") != true {
				w.Errorf("%s: %s", name, check.Text("detail"))
			}
		}
	}
}

// verified is a verified report in Dili that nobody has.
func verified(w *testenv.System, c *testenv.Client, members object) string {
	w.Helper()
	id := created(c, members)
	w.Exec(`UPDATE reports SET status = 'verified', municipality_code = 'TL-DI', geocoded_at = now() WHERE id = $1`, id)
	return id
}

// assignments are the ASSIGNED events of a report.
func assignments(w *testenv.System, id string) int {
	return w.Int(`SELECT count(*) FROM ledger_events WHERE report_id = $1 AND event_type = 'ASSIGNED'`, id)
}

// notices are the messages to notify about an event of staff.
func notices(w *testenv.System, event, id string) int {
	return w.Int(`SELECT count(*) FROM outbox WHERE body -> 'staff' ->> 'event' = $1 AND body -> 'staff' -> 'items' -> 0 ->> 'report_id' = $2`, event, id)
}

// What is not named stays. Before, a note alone took the deadline and the person away.
func TestAssigningKeepsWhatIsNotNamed(t *testing.T) {
	t.Parallel()
	w := whole(t)
	one, two := w.Agency("ONE"), w.Agency("TWO")
	mod, person := w.Staff(identity.Moderator), w.Staff(identity.Official, one)
	id := verified(w, w.Citizen(), nil)
	path := "/reports/" + id + "/assign"
	state := func() string {
		return w.Text(`SELECT concat((SELECT code FROM agencies WHERE id = assigned_agency_id), ' ', coalesce((assigned_user_id = $2)::text, 'nobody'), ' ',
			to_char(due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')) FROM reports WHERE id = $1`, id, person.ID)
	}
	const due = "2033-01-05 06:07:08"
	steps := []struct {
		name string
		body object
		want string
	}{
		{"all of it", object{"agency_id": one, "user_id": person.ID, "due_at": "2033-01-05T06:07:08Z"}, "ONE true " + due},
		{"a note", object{"note": "Call first."}, "ONE true " + due},
		{"nothing", object{}, "ONE true " + due},
		{"null", object{"user_id": nil, "due_at": nil, "note": "Again."}, "ONE true " + due},
		{"the same agency", object{"agency_id": one}, "ONE true " + due},
		{"a deadline", object{"due_at": "2033-02-05T06:07:08Z"}, "ONE true 2033-02-05 06:07:08"},
		{"another agency", object{"agency_id": two}, "TWO nobody 2033-02-05 06:07:08"},
		{"back, with a person", object{"agency_id": one, "user_id": person.ID}, "ONE true 2033-02-05 06:07:08"},
	}
	for _, s := range steps {
		mod.Post(path, s.body).Want(http.StatusOK)
		if got := state(); got != s.want {
			t.Errorf("%s: %s, want %s", s.name, got, s.want)
		}
	}
	events := assignments(w, id)
	w.Agency("AAA") // fits as well, and is the first by code
	version := mod.Get("/reports/" + id).Object().At("version")
	for _, nothing := range []object{{}, {"agency_id": nil}, {"expected_version": version}} {
		if got := mod.Post(path, nothing).Want(http.StatusOK).Object(); fmt.Sprint(got.At("version")) != fmt.Sprint(version) || assignments(w, id) != events {
			t.Errorf("%v made version %v of %v", nothing, got.At("version"), version)
		}
	}
	mod.Post(path, object{"agency_id": two}).Want(http.StatusOK)
	mod.Post(path, object{"user_id": person.ID}).WantProblem(http.StatusUnprocessableEntity, "invalid_input")
}

func TestTheSecondClickOfAnAssignmentChangesNothing(t *testing.T) {
	t.Parallel()
	w := whole(t)
	agency := w.Agency("ONE")
	mod := w.Staff(identity.Moderator)
	id := verified(w, w.Citizen(), nil)
	body := object{"agency_id": agency, "note": "Call first.", "due_at": "2033-01-05T06:07:08.123456789Z"}
	first := mod.Post("/reports/"+id+"/assign", body).Want(http.StatusOK).Object()
	again := mod.Post("/reports/"+id+"/assign", body).Want(http.StatusOK).Object()
	if fmt.Sprint(first.At("version")) != fmt.Sprint(again.At("version")) || again.At("receipt") != nil {
		t.Errorf("the second click made version %v of %v", again.At("version"), first.At("version"))
	}
	if assignments(w, id) != 1 || notices(w, "assigned", id) != 1 || w.Int(`SELECT count(*) FROM report_notes`) != 1 ||
		w.Int(`SELECT count(*) FROM audit_log WHERE action = 'report.assign'`) != 1 || w.Int(`SELECT count(*) FROM notifications WHERE type = 'report_assigned'`) != 1 {
		t.Error("the second click left traces")
	}
}

// The deadline follows the severity, in working days from the day after the assignment.
func TestTheFirstAssignmentSetsTheDeadline(t *testing.T) {
	t.Parallel()
	w := whole(t)
	w.Agency("ONE")
	admin := w.Staff(identity.Admin)
	for severity, days := range map[string]int{"low": 30, "medium": 15, "high": 5, "critical": 2} {
		id := verified(w, w.Citizen(), nil)
		w.Exec(`UPDATE reports SET severity = $2 WHERE id = $1`, id, severity)
		got := admin.Post("/reports/"+id+"/assign", object{}).Want(http.StatusOK).Object()
		at, err := time.Parse(time.RFC3339, w.Text(`SELECT to_char(assigned_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') FROM reports WHERE id = $1`, id))
		if err != nil {
			t.Fatal(err)
		}
		want := workday.Calendar{}.Deadline(at, days).Format("2006-01-02T15:04:05.000Z")
		if got.Text("due_at") != want {
			t.Errorf("%s: %s, want %s", severity, got.Text("due_at"), want)
		}
		// A change of the severity does not move it.
		admin.Patch("/reports/"+id, object{"severity": "low"}).Want(http.StatusOK)
		if now := admin.Get("/reports/" + id).Object().Text("due_at"); now != want {
			t.Errorf("%s: the change of severity moved the deadline to %s", severity, now)
		}
	}
}

// An agency that was told that a report is overdue is not told again because another of its people gets it. Another agency is.
func TestAnotherPersonIsNoNewOverdueReport(t *testing.T) {
	t.Parallel()
	w := whole(t)
	one, two := w.Agency("ONE"), w.Agency("TWO")
	mod, person := w.Staff(identity.Moderator), w.Staff(identity.Official, one)
	id := verified(w, w.Citizen(), nil)
	path := "/reports/" + id + "/assign"
	mod.Post(path, object{"agency_id": one}).Want(http.StatusOK)
	w.Exec(`UPDATE reports SET due_at = now() - interval '1 day', overdue_told = 1 WHERE id = $1`, id)
	told := func() int { return w.Int(`SELECT overdue_told FROM reports WHERE id = $1`, id) }
	mod.Post(path, object{"user_id": person.ID}).Want(http.StatusOK)
	if told() != 1 {
		t.Error("another person of the agency: it is told again")
	}
	mod.Post(path, object{"agency_id": two}).Want(http.StatusOK)
	if told() != 0 {
		t.Error("another agency: it is never told")
	}
}

func TestWhatAnAssignmentRefuses(t *testing.T) {
	t.Parallel()
	w := whole(t)
	agency, other := w.Agency("ONE"), w.Agency("TWO")
	c, mod := w.Citizen(), w.Staff(identity.Moderator)
	person, suspended := w.Staff(identity.Official, agency), w.Staff(identity.Official, agency)
	w.Exec(`UPDATE users SET suspended_at = now() WHERE id = $1`, suspended.ID)
	id := verified(w, c, nil)
	path := "/reports/" + id + "/assign"
	for name, body := range map[string]object{
		"a deadline that has passed":    {"agency_id": agency, "due_at": "2020-01-01T00:00:00Z"},
		"a deadline in a hundred years": {"agency_id": agency, "due_at": "2126-01-01T00:00:00Z"},
		"no time":                       {"agency_id": agency, "due_at": "tomorrow"},
		"no such agency":                {"agency_id": uuid.New()},
		"no id":                         {"agency_id": "x"},
		"a citizen":                     {"agency_id": agency, "user_id": c.ID},
		"an official of another one":    {"agency_id": other, "user_id": person.ID},
		"a suspended official":          {"agency_id": agency, "user_id": suspended.ID},
		"nobody's person":               {"user_id": c.ID},
	} {
		if got := mod.Post(path, body); got.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	mod.Post(path, object{"agency_id": agency, "expected_version": 99}).WantProblem(http.StatusConflict, "stale")
	mod.With("If-Match", `"99"`).Post(path, object{"agency_id": agency}).Want(http.StatusPreconditionFailed)
	c.Post(path, object{"agency_id": agency}).Want(http.StatusForbidden)
	mod.Post("/reports/LS-2026-999999/assign", object{}).Want(http.StatusNotFound)
	if assignments(w, id) != 0 {
		t.Error("a refused assignment left an event")
	}
	for _, status := range []string{"fixed", "rejected", "duplicate"} {
		closed := verified(w, c, nil)
		w.Exec(`UPDATE reports SET status = $2, assigned_agency_id = $3, duplicate_of = CASE WHEN $2 = 'duplicate' THEN $4::uuid END WHERE id = $1`, closed, status, agency, id)
		mod.Post("/reports/"+closed+"/assign", object{"agency_id": agency}).WantProblem(http.StatusConflict, "not_assignable")
		mod.Post("/reports/"+closed+"/hand-back", object{"note": "x"}).WantProblem(http.StatusConflict, "not_assignable")
	}
	pending := created(c, nil)
	mod.Post("/reports/"+pending+"/assign", object{"agency_id": agency}).Want(http.StatusOK)
	person.Post("/reports/"+pending+"/hand-back", object{"note": "Not ours."}).Want(http.StatusOK)
	// A person alone: the agency is that of the person.
	alone := verified(w, c, nil)
	if got := mod.Post("/reports/"+alone+"/assign", object{"user_id": person.ID}).Want(http.StatusOK).Object(); got.Text("assigned_agency.code") != "ONE" {
		t.Errorf("a person alone: %v", got.Values)
	}
}

// A hand-back takes the agency, the person and the status away and lets the deadline wait. The same agency is not chosen again.
func TestHandingBack(t *testing.T) {
	t.Parallel()
	w := whole(t)
	one, two := w.Agency("ONE"), w.Agency("TWO")
	c, mod := w.Citizen(), w.Staff(identity.Moderator)
	official := w.Staff(identity.Official, one)
	id := verified(w, c, nil)
	path := "/reports/" + id
	mod.Post(path+"/assign", object{"agency_id": one, "user_id": official.ID, "due_at": "2033-01-05T06:07:08Z"}).Want(http.StatusOK)
	official.Post(path+"/status", object{"status": "in_progress"}).Want(http.StatusOK)
	w.Staff(identity.Official, two).Post(path+"/hand-back", object{"note": "x"}).WantProblem(http.StatusForbidden, "not_your_agency")
	c.Post(path+"/hand-back", object{"note": "x"}).Want(http.StatusForbidden)
	for _, bad := range []object{{}, {"note": " "}, {"note": "x", "agency_id": uuid.New()}, {"note": "x", "agency_id": 7}} {
		official.Post(path+"/hand-back", bad).Want(http.StatusUnprocessableEntity)
	}
	official.Post(path+"/hand-back", object{"note": "x", "expected_version": 1}).WantProblem(http.StatusConflict, "stale")
	body := object{"note": "The ministry repairs it. Call 77001122.", "agency_id": two}
	got := official.Post(path+"/hand-back", body).Want(http.StatusOK).Object()
	if got.At("assigned_agency") != nil || got.Text("status") != "verified" || got.Text("due_at") != "2033-01-05T06:07:08.000Z" {
		t.Errorf("got %v", got.Values)
	}
	if s := w.Text(`SELECT concat(assigned_user_id, ' ', due_paused_at IS NOT NULL, ' ', assigned_at IS NULL) FROM reports WHERE id = $1`, id); s != " t t" {
		t.Errorf("the row has %q", s)
	}
	queue := mod.Get("/staff/queue?kind=new").Want(http.StatusOK).Object()
	if items := queue.Items("items"); len(items) != 1 || items[0].Text("id") != id {
		t.Errorf("new has %v", queue.Values)
	}
	again := official.Post(path+"/hand-back", body).Want(http.StatusOK).Object()
	if fmt.Sprint(again.At("version")) != fmt.Sprint(got.At("version")) || notices(w, "handed_back", id) != 1 || w.Int(`SELECT count(*) FROM report_notes`) != 1 {
		t.Error("the second click left traces")
	}
	mod.Post(path+"/hand-back", body).Want(http.StatusOK)
	for _, reader := range []*testenv.Client{c, w.Anonymous()} {
		if text := string(reader.Get("/public" + path).Want(http.StatusOK).Body); strings.Contains(text, "77001122") {
			t.Errorf("the public reads the note: %s", text)
		}
	}
	if text := string(c.Get(path).Want(http.StatusOK).Body); strings.Contains(text, "77001122") {
		t.Errorf("the reporter reads the note: %s", text)
	}
	vouched(w, c, id)
	// Verified once more, it does not go back to ONE.
	w.Exec(`UPDATE reports SET status = 'pending', due_paused_at = NULL WHERE id = $1`, id)
	if got := mod.Post(path+"/status", object{"status": "verified"}).Want(http.StatusOK).Object().Text("assigned_agency.code"); got != "TWO" {
		t.Errorf("verified again, it went to %q", got)
	}
	none := verified(w, c, nil)
	mod.Post("/reports/"+none+"/hand-back", object{"note": "x"}).WantProblem(http.StatusConflict, "not_assigned")
}

// The next assignment moves the deadline on by the working days for which nobody had the report.
func TestAPauseMovesTheDeadline(t *testing.T) {
	t.Parallel()
	w := whole(t)
	one := w.Agency("ONE")
	mod := w.Staff(identity.Moderator)
	id := verified(w, w.Citizen(), nil)
	mod.Post("/reports/"+id+"/assign", object{"agency_id": one, "due_at": "2033-01-05T06:07:08Z"}).Want(http.StatusOK)
	mod.Post("/reports/"+id+"/hand-back", object{"note": "x"}).Want(http.StatusOK)
	w.Exec(`UPDATE reports SET due_paused_at = now() - interval '20 days', overdue_told = 1 WHERE id = $1`, id)
	paused, err := time.Parse(time.RFC3339Nano, w.Text(`SELECT to_char(due_paused_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') FROM reports WHERE id = $1`, id))
	if err != nil {
		t.Fatal(err)
	}
	if n := w.Int(`SELECT count(*) FROM reports WHERE id = $1 AND due_at > now()`, id); n != 1 {
		t.Fatal("the deadline is not in the future")
	}
	got := mod.Post("/reports/"+id+"/assign", object{"agency_id": one}).Want(http.StatusOK).Object().Text("due_at")
	var c workday.Calendar
	at, _ := time.Parse(time.RFC3339, w.Text(`SELECT to_char(assigned_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') FROM reports WHERE id = $1`, id))
	want := c.Shift(time.Date(2033, 1, 5, 6, 7, 8, 0, time.UTC), c.Between(paused, at))
	if got != want.Format("2006-01-02T15:04:05.000Z") {
		t.Errorf("due %s, want %v", got, want)
	}
	if s := w.Text(`SELECT concat(due_paused_at, overdue_told) FROM reports WHERE id = $1`, id); s != "0" {
		t.Errorf("still %q", s)
	}
}

// A report that is worked on again gets a new deadline from that day.
func TestReopeningSetsANewDeadline(t *testing.T) {
	t.Parallel()
	w := whole(t)
	one := w.Agency("ONE")
	admin := w.Staff(identity.Admin)
	for from, body := range map[string]object{"fixed": {"status": "in_progress", "note": "Broke."}, "rejected": {"status": "pending"}} {
		id := verified(w, w.Citizen(), nil)
		w.Exec(`UPDATE reports SET status = $2, assigned_agency_id = $3, due_at = now() - interval '1 year', overdue_told = 2 WHERE id = $1`, id, from, one)
		admin.Post("/reports/"+id+"/status", body).Want(http.StatusOK)
		if n := w.Int(`SELECT count(*) FROM reports WHERE id = $1 AND due_at > now() AND overdue_told = 0`, id); n != 1 {
			t.Errorf("from %s: no new deadline", from)
		}
	}
}

// Of two people who assign a report at the same time, one is second, and the ledger has both in order.
func TestTwoAssignmentsAtOnce(t *testing.T) {
	t.Parallel()
	w := whole(t)
	agencies := []uuid.UUID{w.Agency("ONE"), w.Agency("TWO")}
	id := verified(w, w.Citizen(), nil)
	people := []*testenv.Client{w.Staff(identity.Moderator), w.Staff(identity.Admin)}
	version := people[0].Get("/reports/" + id).Object().At("version")
	statuses := make([]int, 2)
	var wg sync.WaitGroup
	for i, c := range people {
		wg.Go(func() {
			statuses[i] = c.Post("/reports/"+id+"/assign", object{"agency_id": agencies[i], "expected_version": version}).Status
		})
	}
	wg.Wait()
	if statuses[0]+statuses[1] != http.StatusOK+http.StatusConflict || assignments(w, id) != 1 {
		t.Errorf("got %v, %d events", statuses, assignments(w, id))
	}
	vouched(w, people[0], id)
}
