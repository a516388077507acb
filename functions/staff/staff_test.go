package staff_test

import (
	"fmt"
	"net/http"
	"reflect"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/staff"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
)

type object = map[string]any

// place puts a report with its first ledger event straight into the database.
func place(w *testenv.System, c *testenv.Client, set string) string {
	w.Helper()
	id := database.NewID()
	w.Exec(`INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, latitude, longitude) VALUES ($1, $2, $3, '', 'pothole', -8.5, 125.5)`,
		id, fmt.Sprintf("LS-2026-%06d", w.Int(`SELECT count(*) FROM reports`)+1), c.ID)
	if set != "" {
		w.Exec(`UPDATE reports SET `+set+` WHERE id = $1`, id)
	}
	w.Submitted(id)
	return id.String()
}

// The answer to a new note equals the note in the list, without another query.
func TestCreatingANoteReturnsItAsListed(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, staff.Open)
	path := "/reports/" + place(w, w.Citizen(), "") + "/notes"
	mod := w.Staff(identity.Moderator)
	left := mod.Post(path, object{"note": " Called. "}).Want(http.StatusCreated).Object()
	if read := mod.Get(path).Want(http.StatusOK).List(); len(read) != 1 || !reflect.DeepEqual(read[0].Values, left.Values) {
		t.Errorf("answered %v, read %v", left.Values, read)
	}
}

func TestBulkStatus(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, staff.Open)
	c, mod := w.Citizen(), w.Staff(identity.Moderator)
	a, b, d := place(w, c, ""), place(w, c, "status = 'fixed'"), place(w, c, "")
	got := mod.Post("/staff/reports/bulk-status", object{"items": []object{
		{"report_id": a, "status": "verified", "expected_version": 1},
		{"report_id": a, "status": "duplicate", "duplicate_of": "LS-2026-000002", "expected_version": 1},
		{"report_id": b, "status": "verified"},
		{"report_id": uuid.New(), "status": "verified"},
		{"report_id": a, "status": "sideways"},
		{"report_id": "LS-2026-000001", "status": "duplicate", "duplicate_of": b, "expected_version": 2},
		{"report_id": b, "status": "duplicate", "duplicate_of": "the other one"},
		{"report_id": d, "status": "rejected", "note": "No road."},
		{"report_id": d, "status": "rejected", "reason_code": "because"},
		{"report_id": d, "status": "rejected", "reason_code": "other"},
		{"report_id": d, "status": "rejected", "reason_code": "Irrelevant"},
	}}).Want(http.StatusOK).Object().Items("results")
	for i, want := range []string{"ok ", "error stale", "error transition_not_allowed", "error report_not_found", "error invalid_input", "ok ", "error invalid_input",
		"error invalid_input", "error invalid_input", "error invalid_input", "ok "} {
		if word := got[i].Text("status") + " " + got[i].Text("code"); word != want {
			t.Errorf("item %d: %v, want %s", i, got[i].Values, want)
		}
	}
	if got[0].Number("version") != 2 || got[5].Number("version") != 3 || w.Int(`SELECT version FROM reports WHERE id = $1`, a) != 3 {
		t.Errorf("versions %v, then %v", got[0].At("version"), got[5].At("version"))
	}
	for i, field := range map[int]string{4: "status", 6: "duplicate_of", 7: "reason_code", 8: "reason_code", 9: "note"} {
		if faults := got[i].Items("errors"); len(faults) != 1 || faults[0].Text("field") != field {
			t.Errorf("item %d does not say what is wrong: %v", i, got[i].Values)
		}
	}
	if fmt.Sprint(got[2].At("allowed")) != "[rejected]" {
		t.Errorf("of a fixed report a moderator may do: %v", got[2].Values)
	}
	plain := mod.Post("/staff/reports/bulk-status", object{"items": []object{{"report_id": place(w, c, ""), "status": "verified", "reason_code": "zzz"}}}).
		Want(http.StatusOK).Object().Items("results")[0]
	if notes := plain.Items("warnings"); plain.Text("status") != "ok" || len(notes) != 1 || notes[0].Text("field") != "reason_code" || notes[0].Text("code") != "not_taken" {
		t.Errorf("a reason of a move that is no rejection: %v", plain.Values)
	}
	c.Post("/staff/reports/bulk-status", object{"items": []object{{"report_id": a, "status": "verified"}}}).Want(http.StatusForbidden)
	mod.Post("/staff/reports/bulk-status", object{"items": []object{}}).Want(http.StatusUnprocessableEntity)
}

// A severity that a person sets also sets the score and the priority of the report.
func TestOverrideSetsSeverityScoreAndPriority(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, staff.Open)
	c, mod := w.Citizen(), w.Staff(identity.Moderator)
	for _, grade := range []struct {
		score    any
		severity any
		want     string // severity, score, priority
	}{
		{2, "critical", "critical 9 critical"}, {10, "Low", "low 3 low"}, {8, "high", "high 8 high"}, {9, "medium", "medium 6 medium"},
		{2, "high", "high 7 high"}, {nil, "high", "high <nil> high"}, {2, nil, "medium 2 low"},
	} {
		id := place(w, c, "severity = 'medium', priority = 'low'")
		w.Exec(`UPDATE reports SET severity_score = $2 WHERE id = $1`, id, grade.score)
		got := mod.Post("/reports/"+id+"/ai-analysis/override", object{"is_relevant": true, "severity": grade.severity, "note": "Seen it."}).Want(http.StatusOK).Object()
		if line := fmt.Sprint(got.Text("severity"), " ", got.At("severity_score"), " ", got.Text("priority")); line != grade.want {
			t.Errorf("%v graded %v: %s, want %s", grade.score, grade.severity, line, grade.want)
		}
	}
}

// An official says of a report of their own agency that it is relevant. A rejection stays until a moderator takes it back.
func TestAnOverrideOfAnOfficialOpensNoRejectedReport(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, staff.Open)
	agency := w.Agency("OP")
	id := place(w, w.Citizen(), "status = 'rejected', removed_at = now(), removed_by = 'moderator', reason_code = 'irrelevant'")
	w.Exec(`UPDATE reports SET assigned_agency_id = $2 WHERE id = $1`, id, agency)
	body := object{"is_relevant": true, "note": "I was there."}
	w.Staff(identity.Official, agency).Post("/reports/"+id+"/ai-analysis/override", body).WantProblem(http.StatusForbidden, "transition_forbidden")
	w.Staff(identity.Official, w.Agency("OTHER")).Post("/reports/"+id+"/ai-analysis/override", body).WantProblem(http.StatusForbidden, "not_your_agency")
	w.Staff(identity.Moderator).Post("/reports/"+id+"/ai-analysis/override", body).Want(http.StatusOK)
}

// The AI left the report open and a moderator rejects it: the answer does not say that the AI rejected it.
func TestARejectionByAPersonIsNotShownAsTheAIs(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, staff.Open)
	id, mod := place(w, w.Citizen(), "ai_status = 'needs_review'"), w.Staff(identity.Moderator)
	mod.Post("/staff/reports/bulk-status", object{"items": []object{{"report_id": id, "status": "rejected", "reason_code": "irrelevant", "note": "A private yard."}}}).Want(http.StatusOK)
	if got := w.Text(`SELECT status || ' ' || ai_status FROM reports WHERE id = $1`, id); got != "rejected completed" {
		t.Errorf("got %s", got)
	}
}

func TestOverrideAndAppeal(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, staff.Open)
	c, other, mod := w.Citizen(), w.Citizen(), w.Staff(identity.Moderator)
	id := place(w, c, "ai_status = 'needs_review'")
	path := "/reports/" + id
	c.Post(path+"/appeal", object{"reason": "x"}).Want(http.StatusConflict)
	got := mod.Post(path+"/ai-analysis/override", object{"is_relevant": false, "note": "A cat."}).Want(http.StatusOK).Object()
	if got.Text("status") != "rejected" || got.Text("ai.status") != "rejected" || got.Text("rejection_reason") != "A cat." || got.At("ai.is_relevant") != false {
		t.Errorf("got %v", got.Values)
	}
	other.Post(path+"/appeal", object{"reason": "x"}).Want(http.StatusGone)
	got = c.Post(path+"/appeal", object{"reason": "The hole is behind the cat."}).Want(http.StatusOK).Object()
	if got.Text("status") != "rejected" || got.Text("ai.status") != "needs_review" || got.Text("appeal.reason") == "" {
		t.Errorf("got %v", got.Values)
	}
	if got := c.Post(path+"/appeal", object{"reason": "x"}).Want(http.StatusConflict).Code(); got != "already_appealed" {
		t.Errorf("got %s", got)
	}
	got = mod.Post(path+"/ai-analysis/override", object{"is_relevant": true, "issue_type": "drainage", "severity": "high", "note": "Seen it."}).Want(http.StatusOK).Object()
	if got.Text("status") != "verified" || got.Text("ai.status") != "completed" || got.Text("issue_type") != "drainage" || got.Text("severity") != "high" {
		t.Errorf("got %v", got.Values)
	}
	for sql, want := range map[string]int{
		`SELECT count(*) FROM ai_analyses WHERE stage = 'override'`:              2,
		`SELECT count(*) FROM ledger_events WHERE event_type = 'AI_VALIDATED'`:   2,
		`SELECT count(*) FROM ledger_events WHERE event_type = 'STATUS_CHANGED'`: 3,
		`SELECT count(*) FROM audit_log WHERE action = 'report.ai_override'`:     2,
		`SELECT count(*) FROM audit_log WHERE action = 'report.appeal'`:          1,
	} {
		if got := w.Int(sql); got != want {
			t.Errorf("%s: %d, want %d", sql, got, want)
		}
	}
	mod.Post(path+"/ai-analysis/override", object{"is_relevant": false, "note": "No."}).Want(http.StatusOK)
	// It says that there is no other appeal.
	if n := w.Int(`SELECT count(*) FROM notifications WHERE user_id = $1 AND type = 'report_rejected' AND params ->> 'variant' = 'final'`, c.ID); n != 1 {
		t.Errorf("told %d times of the second rejection", n)
	}
	if got := c.Post(path+"/appeal", object{"reason": "Again."}).Want(http.StatusConflict).Code(); got != "already_appealed" {
		t.Errorf("a second appeal: %s", got)
	}
	c.Post(path+"/ai-analysis/override", object{"is_relevant": true, "note": "Please."}).Want(http.StatusForbidden)
}

// The author of an appeal is notified also where the rejection stays, with the reason of the person who decided.
func TestTheAuthorOfAFailedAppealIsNotified(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, staff.Open)
	c, mod := w.Citizen(), w.Staff(identity.Moderator)
	id := place(w, c, "ai_status = 'needs_review'")
	override := func(note string) apiclient.Object {
		t.Helper()
		return mod.Post("/reports/"+id+"/ai-analysis/override", object{"is_relevant": false, "note": note}).Want(http.StatusOK).Object()
	}
	told := func() int { return w.Int(`SELECT count(*) FROM notifications WHERE user_id = $1`, c.ID) }
	override("A cat.")
	override("A cat on a wall.")
	if n := told(); n != 1 {
		t.Errorf("without an appeal told %d times", n)
	}
	c.Post("/reports/"+id+"/appeal", object{"reason": "The hole is behind it."}).Want(http.StatusOK)
	got := override("There is only the cat")
	if got.Text("status") != "rejected" || got.Text("rejection_reason") != "There is only the cat" || len(got.Items("status_history")) != 1 {
		t.Errorf("got %v", got.Values)
	}
	if n := w.Int(`SELECT count(*) FROM notifications WHERE user_id = $1 AND type = 'report_rejected' AND params ->> 'note' = 'There is only the cat.' AND params ->> 'variant' = 'final'`, c.ID); n != 1 || told() != 2 {
		t.Errorf("told %d times of %d", n, told())
	}
}

func TestNotes(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, staff.Open)
	c, mod := w.Citizen(), w.Staff(identity.Moderator)
	path := "/reports/" + place(w, c, "") + "/notes"
	note := mod.Post(path, object{"content": "Ask the contractor."}).Want(http.StatusCreated).Object()
	if note.Text("author.id") != mod.ID.String() {
		t.Errorf("got %v", note.Values)
	}
	if got := mod.Get(path).Want(http.StatusOK).List(); len(got) != 1 || got[0].Text("content") != "Ask the contractor." {
		t.Errorf("got %v", got)
	}
	c.Get(path).Want(http.StatusForbidden)
	c.Post(path, object{"content": "x"}).Want(http.StatusForbidden)
	if n := w.Int(`SELECT count(*) FROM audit_log WHERE action = 'report.note' AND actor_id = $1 AND after ->> 'note_id' = $2`, mod.ID, note.Text("id")); n != 1 {
		t.Errorf("the note is audited %d times", n)
	}
}
