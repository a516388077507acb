package staff_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/community"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/functions/staff"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
)

// morning is 30 reports that a moderator finds: of 14 the AI is not sure, 16 are verified and no agency has them.
type morning struct {
	*testenv.System
	moderator *testenv.Client
	agency    uuid.UUID
	calls     []string
}

func newMorning(t *testing.T) *morning {
	t.Helper()
	w := testenv.New(t, staff.Open, reports.Open, community.Open)
	m := &morning{System: w, moderator: w.Staff(identity.Moderator), agency: w.Agency("ROADS")}
	w.Exec(`UPDATE agencies SET issue_types = '{bridge}' WHERE id = $1`, m.agency) // so it does not get the potholes by itself
	reporter := w.Citizen()
	for i := range 30 {
		set := "ai_status = 'needs_review'"
		if i >= 14 {
			set = "ai_status = 'completed', status = 'verified'"
		}
		id := place(w, reporter, set+fmt.Sprintf(", created_at = now() - interval '%d minutes'", i))
		analysis := database.NewID()
		w.Exec(`INSERT INTO ai_analyses (id, run_id, report_id, stage, model, prompt_version, input_hash, status, is_relevant, relevance_confidence, relevance_reason)
			VALUES ($1, gen_random_uuid(), $2, 'verdict', 'm', 'v', '', 'completed', $3, 0.5, $4)`, analysis, id, i%3 > 0, "Picture "+fmt.Sprint(i))
		w.Exec(`UPDATE reports SET ai_analysis_id = $2 WHERE id = $1`, id, analysis)
	}
	return m
}

func (m *morning) get(path string) apiclient.Object {
	m.Helper()
	m.calls = append(m.calls, "GET "+path)
	return m.moderator.Get(path).Want(http.StatusOK).Object()
}

func (m *morning) post(path string, body any) apiclient.Object {
	m.Helper()
	m.calls = append(m.calls, "POST "+path)
	return m.moderator.Post(path, body).Want(http.StatusOK).Object()
}

// done fails the test unless nothing waits any more and each verdict is the AI's reason, read by the moderator.
func (m *morning) done() {
	m.Helper()
	const q = `SELECT count(*) FILTER (WHERE status = 'verified' AND assigned_agency_id = $1) || ' assigned, ' || count(*) FILTER (WHERE status = 'rejected') || ' rejected' FROM reports`
	if got := m.Text(q, m.agency); got != "25 assigned, 5 rejected" {
		m.Errorf("after %d calls: %s", len(m.calls), got)
	}
}

// A moderator works through 30 new reports in at most 12 calls. Without what the queue shows, and one by one, it takes 69.
func TestTheMorningOfAModerator(t *testing.T) {
	t.Parallel()
	t.Run("one by one", func(t *testing.T) {
		t.Parallel()
		m := newMorning(t)
		for _, item := range m.get("/staff/queue?kind=needs_review&page_size=50").Items("items") {
			path := "/reports/" + item.Text("id")
			m.get(path)
			if m.get(path+"/ai-analysis/latest").At("is_relevant") == true {
				m.post(path+"/status", object{"status": "verified"})
				m.post(path+"/assign", object{"agency_id": m.agency})
			} else {
				m.post(path+"/status", object{"status": "rejected", "reason_code": "irrelevant"})
			}
		}
		for _, item := range m.get("/staff/queue?kind=new&page_size=50").Items("items") {
			m.post("/reports/"+item.Text("id")+"/assign", object{"agency_id": m.agency})
		}
		m.done()
		t.Logf("one by one: %d calls", len(m.calls))
	})
	t.Run("with the queue", func(t *testing.T) {
		t.Parallel()
		m := newMorning(t)
		waiting := m.get("/staff/queue?kind=needs_review&page_size=100")
		if waiting.Number("counts.needs_review") != 14 || waiting.Number("counts.new") != 16 {
			t.Errorf("waiting: %v", waiting.At("counts"))
		}
		m.get("/staff/templates?status=rejected")
		var verdicts, assignments []object
		for _, item := range waiting.Items("items") {
			verdict := object{"report_id": item.Text("id"), "status": "verified", "expected_version": item.Number("version")}
			if item.At("ai.is_relevant") != true {
				verdict["status"], verdict["reason_code"] = "rejected", "irrelevant"
			}
			verdicts = append(verdicts, verdict)
		}
		everyOK(t, m.post("/staff/reports/bulk-status", object{"items": verdicts}))
		for _, item := range m.get("/staff/queue?kind=new&page_size=100").Items("items") {
			assignments = append(assignments, object{"report_id": item.Text("id"), "agency_id": m.agency, "expected_version": item.Number("version")})
		}
		everyOK(t, m.post("/staff/reports/bulk-assign", object{"items": assignments}))
		left := m.get("/staff/counts")
		if left.Number("new") != 0 || left.Number("needs_review") != 0 || left.Number("assigned") != 25 {
			t.Errorf("left: %v", left.Values)
		}
		m.done()
		if t.Logf("with the queue: %d calls: %v", len(m.calls), m.calls); len(m.calls) > 12 {
			t.Errorf("%d calls, want at most 12", len(m.calls))
		}
	})
}

func everyOK(t *testing.T, results apiclient.Object) {
	t.Helper()
	for _, result := range results.Items("results") {
		if result.Text("status") != "ok" {
			t.Errorf("an item failed: %v", result.Values)
		}
	}
}
