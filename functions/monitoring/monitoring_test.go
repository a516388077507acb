package monitoring_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/monitoring"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

type object = map[string]any

func setup(t *testing.T) *testenv.System {
	t.Helper()
	return testenv.New(t, reports.Open, monitoring.Open)
}

func file(c *testenv.Client, changes object) apiclient.Object {
	body := object{"client_id": uuid.NewString(), "issue_type": "pothole", "title": "Hole", "latitude": -8.5569, "longitude": 125.5603}
	for name, value := range changes {
		body[name] = value
	}
	return c.Post("/reports", body).Want(http.StatusCreated).Object()
}

func TestStatisticsFollowEachChange(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	if s := c.Get("/reports/stats/summary").Want(http.StatusOK).Object(); s.Number("total_reports") != 0 || s.At("avg_resolution_hours") != nil || s.Number("by_status.fixed") != 0 {
		t.Errorf("before anything: %v", s.Values)
	}
	w.Exec(`INSERT INTO boundaries (id, level, name, area) VALUES (gen_random_uuid(), 'district', 'Cristo Rei', ST_Multi(ST_MakeEnvelope(125, -9, 126, -8, 4326)))`)
	file(c, object{"municipality": "Dili", "district": "Cristo Rei", "severity": "high"})
	file(c, object{"municipality": "Baukau", "issue_type": "flood"})
	gone := file(c, object{"issue_type": "waste"}).Text("id")
	c.Delete("/reports/" + gone).Want(http.StatusOK)

	s := c.Get("/reports/stats/summary").Want(http.StatusOK).Object()
	for path, want := range map[string]float64{"total_reports": 2, "by_status.pending": 2, "by_status.rejected": 0, "by_severity.high": 0,
		"by_severity.medium": 0, "resolution_rate": 0, "total_users": 1, "blockchain_anchored": 0} {
		if got := s.Number(path); got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	w.Exec(`UPDATE reports SET status = 'verified'`) // the severity of others is known after the verdict
	if s := c.Get("/reports/stats/summary").Object(); s.Number("by_severity.high") != 1 || s.Number("by_severity.medium") != 1 {
		t.Errorf("after the verdicts: %v", s.At("by_severity"))
	}
	w.Exec(`UPDATE reports SET status = 'pending'`)
	types := c.Get("/reports/stats/by-type").Want(http.StatusOK).List()
	if len(types) != 2 || types[0].Number("total") != 1 || types[0].Number("pending") != 1 {
		t.Errorf("by type: %v", types)
	}
	towns := c.Get("/reports/stats/by-municipality").Want(http.StatusOK).List()
	total := 0.0
	for _, m := range towns {
		total += m.Number("total")
	}
	if len(towns) != 14 || total != 2 {
		t.Errorf("%d municipalities with %v reports", len(towns), total)
	}
	for _, path := range []string{"", "?municipality=TL-DI", "?municipality=d%C3%ADli"} {
		posts := c.Get("/reports/stats/by-district" + path).Want(http.StatusOK).List()
		if len(posts) != 1 || posts[0].Text("district") != "Cristo Rei" || posts[0].Text("municipality") != "Dili" {
			t.Errorf("by district%s: %v", path, posts)
		}
	}
	if posts := c.Get("/reports/stats/by-district?municipality=Ermera").Want(http.StatusOK).List(); len(posts) != 0 {
		t.Errorf("districts of Ermera: %v", posts)
	}
	for _, period := range []string{"day", "week", "month"} {
		created := 0.0
		for _, step := range c.Get("/reports/stats/trends?days=7&period=" + period).Want(http.StatusOK).List() {
			created += step.Number("created")
		}
		if created != 2 { // a withdrawn report no longer counts
			t.Errorf("trend by %s: %v created", period, created)
		}
	}
	if agencies := c.Get("/reports/stats/by-agency?from=2026-01-01&to=2026-12-31").Want(http.StatusOK).List(); len(agencies) != 0 {
		t.Errorf("agencies of an empty system: %v", agencies)
	}
	c.Get("/reports/stats/by-agency?from=2026-02-01&to=2026-01-01").Want(http.StatusUnprocessableEntity)
	c.Get("/reports/stats/by-agency?from=soon").Want(http.StatusUnprocessableEntity)
	c.Get("/reports/stats/by-district?municipality=Atlantis").Want(http.StatusUnprocessableEntity)
	c.Get("/reports/stats/trends?period=hour").Want(http.StatusUnprocessableEntity)
	c.Get("/reports/stats/trends?days=0").Want(http.StatusUnprocessableEntity)
	w.Anonymous().Get("/reports/stats/summary").Want(http.StatusUnauthorized)
}

func TestLedgerRecordOfAReport(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, other := w.Citizen(), w.Citizen()
	r := file(c, nil)
	c.Patch("/reports/"+r.Text("id"), object{"title": "A deep hole"}).Want(http.StatusOK)
	for _, ref := range []string{r.Text("id"), r.Text("report_number"), strings.ToLower(r.Text("report_number"))} {
		h := c.Get("/blockchain/report/" + ref + "/history").Want(http.StatusOK).Object()
		entries := h.Items("entries")
		if len(entries) != 2 || h.Text("report_number") != r.Text("report_number") || h.Text("report_id") != r.Text("id") {
			t.Fatalf("history: %v", h.Values)
		}
		if entries[0].Text("event_type") != "REPORT_SUBMITTED" || entries[1].Text("event_type") != "CONTENT_AMENDED" ||
			entries[0].Text("status") != "queued" || entries[1].Text("payload.prev") != entries[0].Text("payload_hash") {
			t.Errorf("entries: %v", h.At("entries"))
		}
	}
	v := other.Get("/blockchain/report/" + r.Text("id") + "/verify").Want(http.StatusOK).Object()
	if v.At("verified") != false {
		t.Errorf("verified before the ledger has it: %v", v.Values)
	}
	for _, check := range v.Items("checks") {
		if wait := check.Text("name") == "anchored"; (check.At("ok") == true) == wait {
			t.Errorf("check %v", check.Values)
		}
	}
	if got := other.Get("/blockchain/report/" + r.Text("id") + "/verify").Header.Get("RateLimit-Limit"); got != "30" {
		t.Errorf("a check has a limit of %s a minute, want 30", got)
	}
	c.Get("/blockchain/report/" + uuid.NewString() + "/history").Want(http.StatusNotFound)
	c.Get("/blockchain/report/LS-2020-999999/verify").Want(http.StatusNotFound)
	c.Get("/blockchain/report/pothole/history").Want(http.StatusUnprocessableEntity)
}

// What was taken down stays accounted for: everybody reads the record of a rejected and of a withdrawn report. A report that
// was hidden without an event does not verify.
func TestWhoSeesTheLedgerRecord(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, other, moderator := w.Citizen(), w.Citizen(), w.Staff(identity.Moderator)
	rejected, withdrawn, hidden := file(c, nil).Text("id"), file(c, nil).Text("id"), file(c, nil).Text("id")
	moderator.Post("/reports/"+rejected+"/status", object{"status": "rejected", "reason_code": "irrelevant", "note": "Not a road."}).Want(http.StatusOK)
	c.Delete("/reports/" + withdrawn).Want(http.StatusOK)
	w.Exec(`UPDATE reports SET deleted_at = now() WHERE id = $1`, hidden)
	for id, want := range map[string]struct {
		newest string
		events int
		check  string // of the report
	}{
		rejected: {"STATUS_CHANGED", 2, "true the report is in the state its newest event records"}, withdrawn: {"REPORT_WITHDRAWN", 2, "true the report is in the state its newest event records"},
		hidden: {"REPORT_SUBMITTED", 1, "false it was taken down at "},
	} {
		for _, reader := range []*testenv.Client{other, c, moderator} {
			entries := reader.Get("/blockchain/report/" + id + "/history").Want(http.StatusOK).Object().Items("entries")
			if len(entries) != want.events || entries[len(entries)-1].Text("event_type") != want.newest || entries[0].At("payload") == nil {
				t.Errorf("%v", entries)
			}
			for _, check := range reader.Get("/blockchain/report/" + id + "/verify").Want(http.StatusOK).Object().Items("checks") {
				if got := fmt.Sprintf("%v %v", check.At("ok"), check.At("detail")); check.Text("name") == "report" && !strings.HasPrefix(got, want.check) {
					t.Errorf("%s: %s, want %s", want.newest, got, want.check)
				}
			}
		}
	}
}

// Before a verdict everybody reads the entries, which are in the public log. Those from before the public log can have the
// severity and the place to 4 decimals: others than the reporter and staff do not get them.
func TestTheLedgerRecordBeforeAVerdict(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, other, moderator := w.Citizen(), w.Citizen(), w.Staff(identity.Moderator)
	id := file(c, object{"severity": "critical"}).Text("id")
	c.Patch("/reports/"+id, object{"title": "A deep hole"}).Want(http.StatusOK)
	w.Exec(`UPDATE reports SET issue_type = 'bridge' WHERE id = $1`, id)
	payloads := func(c *testenv.Client) int {
		shown := 0
		for _, e := range c.Get("/blockchain/report/" + id + "/history").Want(http.StatusOK).Object().Items("entries") {
			if len(e.Text("payload_hash")) != 64 {
				t.Errorf("payload_hash: %v", e.Values)
			}
			if e.At("payload") != nil {
				shown++
			}
		}
		return shown
	}
	verify := func(c *testenv.Client) string {
		return string(c.Get("/blockchain/report/" + id + "/verify").Want(http.StatusOK).Body)
	}
	if a, b := payloads(other), payloads(c); a != 2 || b != 2 {
		t.Errorf("payloads before the verdict: a stranger %d, the reporter %d", a, b)
	}
	if said := verify(other); !strings.Contains(said, "its issue_type is") || strings.Contains(said, "critical") {
		t.Errorf("a stranger reads: %s", said)
	}
	w.Tamper(`ALTER TABLE ledger_events DISABLE TRIGGER USER; ALTER TABLE ledger_events DROP CONSTRAINT ledger_events_hash_of_payload;
		UPDATE ledger_events SET payload = convert_to(replace(convert_from(payload, 'UTF8'), '"v":2}', '"v":1}'), 'UTF8')`)
	for _, status := range []string{"pending", "rejected"} {
		w.Exec(`UPDATE reports SET status = $2 WHERE id = $1`, id, status)
		if a, b, d := payloads(other), payloads(c), payloads(moderator); a != 0 || b != 2 || d != 2 {
			t.Errorf("payloads of an earlier version, %s: a stranger %d, the reporter %d, a moderator %d", status, a, b, d)
		}
		if said := verify(other); strings.Contains(said, "bridge") || !strings.Contains(said, "its reporter and staff see which") {
			t.Errorf("a stranger reads: %s", said)
		}
		if said := verify(c); !strings.Contains(said, "its issue_type is") {
			t.Errorf("the reporter reads: %s", said)
		}
	}
	w.Exec(`UPDATE reports SET status = 'verified' WHERE id = $1`, id)
	if n := payloads(other); n != 2 {
		t.Errorf("%d payloads after the verdict", n)
	}
}
