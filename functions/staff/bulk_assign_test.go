package staff_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/functions/staff"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// A bad item, of whatever type, is an error of its own, in its place; the others are done.
func TestABadItemSpoilsNoOther(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, reports.Open, staff.Open)
	c, mod := w.Citizen(), w.Staff(identity.Moderator)
	agency := w.Agency("A")
	a, b := filed(w, c), filed(w, c)
	for path, do := range map[string]func(id string) object{
		"bulk-assign": func(id string) object { return object{"report_id": id, "agency_id": agency} },
		"bulk-status": func(id string) object { return object{"report_id": id, "status": "verified"} },
	} {
		items := []any{do(a), "x", 7, nil, []any{}, object{}, object{"report_id": 7}, object{"report_id": a, "agency_id": 7, "status": 7},
			object{"report_id": "LS-2026-999999", "status": "verified"}, object{"report_id": a, "note": 7, "status": "verified"},
			object{"report_id": a, "expected_version": 99, "status": "verified", "due_at": "2033-01-01T00:00:00Z"}, do(b)}
		results := mod.Post("/staff/reports/"+path, object{"items": items}).Want(http.StatusOK).Object().Items("results")
		if len(results) != len(items) {
			t.Fatalf("%s: %d results", path, len(results))
		}
		for i, r := range results {
			want := "error"
			if i == 0 || i == len(items)-1 {
				want = "ok"
			}
			if r.Text("status") != want || (want == "error") != (r.Text("code") != "") || want == "error" && r.Text("detail") == "" {
				t.Errorf("%s, item %d: %v", path, i, r.Values)
			}
		}
		if results[0].Text("report_id") != a || results[0].At("version") == nil || results[0].At("receipt") == nil || results[10].Text("code") != "stale" || results[8].Text("code") != "report_not_found" {
			t.Errorf("%s: %v %v %v", path, results[0].Values, results[10].Values, results[8].Values)
		}
		mod.Post("/staff/reports/"+path, object{"items": "x"}).Want(http.StatusUnprocessableEntity)
		mod.Post("/staff/reports/"+path, object{"items": []any{}}).Want(http.StatusUnprocessableEntity)
		mod.Post("/staff/reports/"+path, object{"items": make([]any, 101)}).Want(http.StatusUnprocessableEntity)
		c.Post("/staff/reports/"+path, object{"items": items}).Want(http.StatusForbidden)
	}
	if n := w.Int(`SELECT count(*) FROM reports WHERE assigned_agency_id = $1 AND status = 'verified'`, agency); n != 2 {
		t.Errorf("%d reports are assigned and verified", n)
	}
	if r := mod.Post("/staff/reports/bulk-assign", object{"items": []object{{"report_id": a, "agency_id": agency}}}).Want(http.StatusOK).Object().Items("results")[0]; r.Text("status") != "ok" || r.At("receipt") != nil {
		t.Errorf("the second click: %v", r.Values)
	}
}

// An agency that gets more than five reports in one request is told of them in one message; the single ones wait, in case that
// the request dies before. The same holds where a verification assigns.
func TestAnAgencyIsToldOnceOfManyAssignments(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, reports.Open, staff.Open)
	c, mod := w.Citizen(), w.Staff(identity.Moderator)
	one, two := w.Agency("A"), w.Agency("B")
	w.Exec(`UPDATE agencies SET municipality_codes = '{TL-BA}' WHERE id = $1`, two)
	// The messages: reports of each, and whether it waits.
	sent := func() string {
		return w.Text(`SELECT coalesce(string_agg(line, ', ' ORDER BY line), '') FROM (
			SELECT concat(a.code, ' ', jsonb_array_length(o.body -> 'staff' -> 'items'), CASE WHEN o.not_before > now() + interval '30 seconds' THEN ' later' END, ' x', count(*)) AS line
			FROM outbox o JOIN agencies a ON a.id::text = o.body -> 'staff' ->> 'agency_id'
			GROUP BY a.code, jsonb_array_length(o.body -> 'staff' -> 'items'), o.not_before > now() + interval '30 seconds') x`)
	}
	request := func(n int, agency uuid.UUID) []object {
		var items []object
		for range n {
			items = append(items, object{"report_id": filed(w, c), "agency_id": agency})
		}
		return items
	}
	mod.Post("/staff/reports/bulk-assign", object{"items": append(request(6, one), request(2, two)...)}).Want(http.StatusOK)
	if got := sent(); got != "A 1 later x6, A 6 x1, B 1 later x2" {
		t.Errorf("assigned: %s", got)
	}
	w.Exec(`DELETE FROM outbox`)
	mod.Post("/staff/reports/bulk-assign", object{"items": request(5, one)}).Want(http.StatusOK)
	if got := sent(); got != "A 1 x5" {
		t.Errorf("five: %s", got)
	}
	w.Exec(`DELETE FROM outbox`)
	var items []object
	for range 7 {
		id := filed(w, c)
		w.Exec(`UPDATE reports SET municipality_code = 'TL-DI', geocoded_at = now() WHERE id = $1`, id)
		items = append(items, object{"report_id": id, "status": "verified"})
	}
	mod.Post("/staff/reports/bulk-status", object{"items": items}).Want(http.StatusOK)
	if got := sent(); got != "A 1 later x7, A 7 x1" {
		t.Errorf("verified: %s", got)
	}
}

func TestListingAgencies(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, reports.Open, staff.Open)
	c := w.Citizen()
	if got := string(w.Staff(identity.Moderator).Get("/staff/agencies").Want(http.StatusOK).Body); got != "[]\n" && got != "[]" {
		t.Errorf("without any: %s", got)
	}
	b, a, gone := w.Agency("B"), w.Agency("A"), w.Agency("GONE")
	w.Exec(`UPDATE agencies SET deleted_at = now() WHERE id = $1`, gone)
	official, other, suspended := w.Staff(identity.Official, a), w.Staff(identity.Official, a), w.Staff(identity.Official, a)
	w.Exec(`UPDATE users SET full_name = CASE id WHEN $1 THEN 'Zita' ELSE 'Ana' END WHERE id IN ($1, $2)`, official.ID, other.ID)
	w.Exec(`UPDATE users SET suspended_at = now() WHERE id = $1`, suspended.ID)
	for i, set := range []string{"status = 'verified', due_at = now() - interval '1 day'", "status = 'in_progress', due_at = now() + interval '1 day'", "status = 'fixed', due_at = now() - interval '1 day'",
		"status = 'pending'", "status = 'verified', deleted_at = now()"} {
		w.Exec(`UPDATE reports SET assigned_agency_id = $2, `+set+` WHERE id = $1`, filed(w, c), a)
		_ = i
	}
	c.Get("/staff/agencies").Want(http.StatusForbidden)
	for _, reader := range []*testenv.Client{official, w.Staff(identity.Moderator), w.Staff(identity.Admin)} {
		all := reader.Get("/staff/agencies").Want(http.StatusOK).List()
		if len(all) != 2 || all[0].Text("code") != "A" || all[1].Text("id") != b.String() {
			t.Fatalf("got %v", all)
		}
		people := all[0].Items("people")
		if len(people) != 2 || people[0].Text("full_name") != "Ana" || people[1].Text("id") != official.ID.String() || len(people[0].Values) != 2 || len(all[1].Items("people")) != 0 {
			t.Errorf("people: %v", people)
		}
		if fmt.Sprint(all[0].At("open"), all[0].At("overdue"), all[1].At("open")) != "3 1 0" {
			t.Errorf("figures: %v", all[0].Values)
		}
	}
	for kind, want := range map[string]string{"assigned": "3", "overdue": "1"} {
		if got := official.Get("/staff/queue?kind=" + kind).Want(http.StatusOK).Object(); fmt.Sprint(got.At("total")) != want {
			t.Errorf("the queue %s has %v", kind, got.At("total"))
		}
	}
}
