package reports_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// While nobody knows the municipality of a report, only who works everywhere, or in an area that has the place, may take it.
func TestAReportOfUnknownMunicipality(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		name, special string
		takes         bool
	}{
		{"everywhere", "", true},
		{"another municipality", "municipality_codes = '{TL-BA}'", false},
		{"the municipality, perhaps", "municipality_codes = '{TL-DI}'", false},
		{"an area around it", "municipality_codes = '{TL-DI}', area = " + square(125.5603, -8.5569), true},
		{"an area elsewhere", "area = " + square(125.7, -8.5), false},
		{"another kind", "issue_types = '{street_light}'", false},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			w := whole(t)
			agency := w.Agency("ONE")
			if x.special != "" {
				w.Exec(`UPDATE agencies SET `+x.special+` WHERE id = $1`, agency)
			}
			official := w.Staff(identity.Official, agency)
			id := created(w.Citizen(), object{"issue_type": "pothole", "latitude": -8.5569, "longitude": 125.5603})
			w.Exec(`UPDATE reports SET status = 'verified', ai_status = 'completed', municipality_code = NULL, geocoded_at = NULL WHERE id = $1`, id)
			listed := fmt.Sprint(official.Get("/staff/queue?kind=new").Want(http.StatusOK).Object().At("total"))
			for _, take := range []func() apiclient.TestResponse{
				func() apiclient.TestResponse {
					return official.Post("/reports/"+id+"/status", object{"status": "in_progress"})
				},
				func() apiclient.TestResponse {
					return official.Post("/reports/"+id+"/assign", object{"agency_id": agency})
				},
			} {
				if !x.takes {
					take().WantProblem(http.StatusForbidden, "not_your_agency")
					continue
				}
				take().Want(http.StatusOK)
			}
			if want := map[bool]string{true: "1", false: "0"}[x.takes]; listed != want {
				t.Errorf("the queue has %s, want %s", listed, want)
			}
		})
	}
}

// An official who moves a report that nobody has takes it as by an assignment: event, log and messages are the same. They are told
// nothing themselves, and the reporter reads of the agency in the app.
func TestAnOfficialWhoMovesAReportTakesIt(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(c *testenv.Client, id string) apiclient.TestResponse{
		"verified": func(c *testenv.Client, id string) apiclient.TestResponse {
			return c.Post("/reports/"+id+"/status", object{"status": "verified"})
		},
		"by PATCH": func(c *testenv.Client, id string) apiclient.TestResponse {
			return c.Patch("/reports/"+id, object{"status": "verified"})
		},
		"in progress": func(c *testenv.Client, id string) apiclient.TestResponse {
			return c.Post("/reports/"+id+"/status", object{"status": "in_progress"})
		},
		"override": func(c *testenv.Client, id string) apiclient.TestResponse {
			return c.Post("/reports/"+id+"/ai-analysis/override", object{"is_relevant": true, "note": "I was there."})
		},
		"bulk": func(c *testenv.Client, id string) apiclient.TestResponse {
			return c.Post("/staff/reports/bulk-status", object{"items": []object{{"report_id": id, "status": "verified"}}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := whole(t)
			agency := w.Agency("ONE")
			c, official, colleague := w.Citizen(), w.Staff(identity.Official, agency), w.Staff(identity.Official, agency)
			id := created(c, nil)
			if name == "in progress" {
				w.Exec(`UPDATE reports SET status = 'verified' WHERE id = $1`, id)
			}
			do(official, id).Want(http.StatusOK)
			const event = `SELECT string_agg(concat(event_type, ' ', convert_from(payload, 'UTF8')::jsonb -> 'changed_by' ->> 'kind'), ', ' ORDER BY seq)
				FROM ledger_events WHERE report_id = $1 AND event_type IN ('ASSIGNED', 'STATUS_CHANGED')`
			if got := w.Text(event, id); got != "ASSIGNED government_official, STATUS_CHANGED government_official" {
				t.Errorf("events: %s", got)
			}
			if n := w.Int(`SELECT count(*) FROM audit_log WHERE action = 'report.assign' AND actor_id = $1 AND after ->> 'agency_id' = $2 AND after ->> 'due_at' IS NOT NULL`, official.ID, agency); n != 1 {
				t.Errorf("%d entries of the log", n)
			}
			if got := w.Text(`SELECT string_agg(body -> 'staff' ->> 'except', ', ') FROM outbox WHERE body -> 'staff' ->> 'event' = 'assigned'`); got != official.ID.String() {
				t.Errorf("the agency is told, but not %s", got)
			}
			if n := w.Int(`SELECT count(*) FROM outbox o JOIN notifications n ON n.id::text = o.body ->> 'notification_id' WHERE n.type = 'report_assigned'`); n != 0 {
				t.Errorf("%d mails to the reporter", n)
			}
			if n := w.Int(`SELECT count(*) FROM notifications WHERE type = 'report_assigned' AND user_id = $1`, c.ID); n != 1 {
				t.Errorf("%d notices of the agency", n)
			}
			colleague.Post("/reports/"+id+"/assign", object{}).Want(http.StatusOK)
			if n := assignments(w, id); n != 1 {
				t.Errorf("%d assignments", n)
			}
			vouched(w, c, id)
		})
	}
}

// The figures say which agency keeps its deadlines, so an official cannot set a later one.
func TestAnOfficialCannotPostponeTheDeadline(t *testing.T) {
	t.Parallel()
	w := whole(t)
	one, two := w.Agency("ONE"), w.Agency("TWO")
	mod, official := w.Staff(identity.Moderator), w.Staff(identity.Official, one)
	due := func(id string) string { return mod.Get("/reports/" + id).Object().Text("due_at") }
	late := func(status string) string {
		id := verified(w, w.Citizen(), nil)
		mod.Post("/reports/"+id+"/assign", object{"agency_id": one}).Want(http.StatusOK)
		w.Exec(`UPDATE reports SET due_at = '2026-01-05 06:07:08+00', overdue_told = 1, status = $2 WHERE id = $1`, id, status)
		return id
	}
	const passed = "2026-01-05T06:07:08.000Z"

	// By an assignment.
	id := late("verified")
	official.Post("/reports/"+id+"/assign", object{"due_at": "2033-01-05T06:07:08Z"}).WantProblem(http.StatusForbidden, "deadline_later")
	result := official.Post("/staff/reports/bulk-assign", object{"items": []object{{"report_id": id, "due_at": "2033-01-05T06:07:08Z"}}}).Want(http.StatusOK).Object().Items("results")[0]
	if result.Text("code") != "deadline_later" || due(id) != passed {
		t.Errorf("in bulk: %v, due %s", result.Values, due(id))
	}
	official.Post("/reports/"+id+"/assign", object{"due_at": passed, "note": "As it is."}).Want(http.StatusOK)
	free := verified(w, w.Citizen(), nil)
	official.Post("/reports/"+free+"/assign", object{"agency_id": one, "due_at": "2033-01-05T06:07:08Z"}).WantProblem(http.StatusForbidden, "deadline_later")
	sooner := time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05.000Z")
	if got := official.Post("/reports/"+free+"/assign", object{"agency_id": one, "due_at": sooner}).Want(http.StatusOK).Object().Text("due_at"); got != sooner {
		t.Errorf("sooner than by severity: %s", got)
	}
	mod.Post("/reports/"+id+"/assign", object{"due_at": "2033-01-05T06:07:08Z"}).Want(http.StatusOK)
	official.Post("/reports/"+id+"/assign", object{"due_at": "2032-01-05T06:07:08Z"}).Want(http.StatusOK)

	// By opening it again.
	again := late("fixed")
	official.Post("/reports/"+again+"/status", object{"status": "in_progress", "note": "Broke."}).Want(http.StatusOK)
	if due(again) != passed || w.Int(`SELECT overdue_told FROM reports WHERE id = $1`, again) != 1 {
		t.Errorf("opened again, it is due %s", due(again))
	}

	// By a pause that the agency ends itself: by an assignment, and by a move.
	for name, take := range map[string]func(id string) apiclient.TestResponse{
		"assign": func(id string) apiclient.TestResponse {
			return official.Post("/reports/"+id+"/assign", object{"agency_id": one})
		},
		"move": func(id string) apiclient.TestResponse {
			return official.Post("/reports/"+id+"/status", object{"status": "in_progress"})
		},
	} {
		back := late("verified")
		official.Post("/reports/"+back+"/hand-back", object{"note": "Not ours."}).Want(http.StatusOK)
		w.Exec(`UPDATE reports SET due_paused_at = now() - interval '20 days' WHERE id = $1`, back)
		take(back).Want(http.StatusOK)
		if due(back) != passed || w.Text(`SELECT coalesce(due_paused_at::text, 'runs') FROM reports WHERE id = $1`, back) != "runs" {
			t.Errorf("%s: after a hand-back it is due %s", name, due(back))
		}
	}

	// Another agency is not to blame for the pause.
	other := late("verified")
	official.Post("/reports/"+other+"/hand-back", object{"note": "Not ours."}).Want(http.StatusOK)
	w.Exec(`UPDATE reports SET due_paused_at = now() - interval '20 days' WHERE id = $1`, other)
	w.Staff(identity.Official, two).Post("/reports/"+other+"/assign", object{"agency_id": two}).Want(http.StatusOK)
	if n := w.Int(`SELECT count(*) FROM reports WHERE id = $1 AND due_at BETWEEN '2026-01-15' AND '2026-02-15'`, other); n != 1 {
		t.Errorf("another agency has until %s", due(other))
	}
}

// A note that goes with a change is kept, also where its author wrote the same before. A repeat, which changes nothing, adds none.
func TestEveryChangeKeepsItsNote(t *testing.T) {
	t.Parallel()
	w := whole(t)
	one, two := w.Agency("ONE"), w.Agency("TWO")
	mod := w.Staff(identity.Moderator)
	id := verified(w, w.Citizen(), nil)
	notes := func() int { return w.Int(`SELECT count(*) FROM report_notes WHERE report_id = $1`, id) }
	for i, agency := range []uuid.UUID{one, two, one} {
		for range 2 {
			mod.Post("/reports/"+id+"/assign", object{"agency_id": agency, "note": "Urgent."}).Want(http.StatusOK)
		}
		if notes() != i+1 {
			t.Errorf("assignment %d: %d notes", i+1, notes())
		}
	}
	for range 2 {
		mod.Post("/reports/"+id+"/hand-back", object{"note": "Urgent."}).Want(http.StatusOK)
	}
	if notes() != 4 {
		t.Errorf("hand-back: %d notes", notes())
	}
	const lost = `SELECT count(*) FROM outbox o, jsonb_array_elements(o.body -> 'staff' -> 'items') i
		WHERE i ? 'note_id' AND NOT EXISTS (SELECT FROM report_notes n WHERE n.id::text = i ->> 'note_id')`
	if n := w.Int(lost); n != 0 {
		t.Errorf("%d messages name a note that is not there", n)
	}
}

// The reporter is told of another agency, and not of what one agency changes within itself.
func TestTheReporterIsToldOfAnotherAgencyOnly(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, reports.Open)
	one, two := w.Agency("ONE"), w.Agency("TWO")
	c, follower, mod := w.Citizen(), w.Citizen(), w.Staff(identity.Moderator)
	person := w.Staff(identity.Official, one)
	id := verified(w, c, nil)
	follower.Post("/reports/"+id+"/follow", nil)
	told := func() string {
		return w.Text(`SELECT concat((SELECT count(*) FROM notifications WHERE type = 'report_assigned' AND user_id = $1), ' ',
			(SELECT count(*) FROM notifications WHERE type = 'report_assigned' AND user_id = $2))`, c.ID, follower.ID)
	}
	for _, s := range []struct {
		name string
		body object
		want string
	}{
		{"an agency", object{"agency_id": one}, "1 1"},
		{"its person", object{"user_id": person.ID}, "1 1"},
		{"a deadline", object{"due_at": "2033-01-05T06:07:08Z"}, "1 1"},
		{"another agency", object{"agency_id": two}, "2 2"},
	} {
		mod.Post("/reports/"+id+"/assign", s.body).Want(http.StatusOK)
		if got := told(); got != s.want {
			t.Errorf("%s: %s, want %s", s.name, got, s.want)
		}
	}
	if n := notices(w, "assigned", id); n != 4 {
		t.Errorf("the agency is told %d times", n)
	}
}

// Who waits for a repair that had begun is told that another agency is looked for. The agency that gave it back is not named.
func TestAHandBackNamesNoAgency(t *testing.T) {
	t.Parallel()
	w := whole(t)
	one := w.Agency("ONE")
	official := w.Staff(identity.Official, one)
	for status, mails := range map[string]int{"in_progress": 1, "verified": 0} {
		c, follower := w.Citizen(), w.Citizen()
		id := verified(w, c, nil)
		w.Exec(`UPDATE reports SET status = $2, assigned_agency_id = $3 WHERE id = $1`, id, status, one)
		follower.Post("/reports/"+id+"/follow", nil)
		official.Post("/reports/"+id+"/hand-back", object{"note": "Not ours."}).Want(http.StatusOK)
		for _, reader := range []*testenv.Client{c, follower} {
			const all = `SELECT coalesce(string_agg(concat(type, ' ', params ->> 'variant', ' ', params ->> 'agency'), ', '), '') FROM notifications WHERE user_id = $1 AND type <> 'report_received'`
			if got := w.Text(all, reader.ID); got != "report_assigned handed_back " {
				t.Errorf("%s: told %q", status, got)
			}
			if n := w.Int(`SELECT count(*) FROM outbox o JOIN notifications n ON n.id::text = o.body ->> 'notification_id' WHERE n.user_id = $1 AND n.type <> 'report_received'`, reader.ID); n != mails {
				t.Errorf("%s: %d mails, want %d", status, n, mails)
			}
		}
		if n := w.Int(`SELECT count(*) FROM report_status_history WHERE report_id = $1 AND old_status = 'in_progress' AND new_status = 'verified'`, id); n != mails {
			t.Errorf("%s: %d rows of history", status, n)
		}
		vouched(w, c, id)
	}
}
