package acceptance

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/open311"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	conformance "github.com/lafaekstreet/backend/infra/open311"
	"github.com/lafaekstreet/backend/shared/identity"
)

// open311System is a system with these settings, and reports of several days, services and statuses.
func open311System(t *testing.T, settings string) *testenv.System {
	t.Helper()
	w := testenv.New(t, reports.Open, open311.Open)
	w.Env["PUBLIC_BASE_URL"] = w.URL
	w.Serve(reports.Open, open311.Open)
	w.Exec(`INSERT INTO app_settings (key, value) VALUES ('settings', $1)`, settings)
	w.Exec(`INSERT INTO place_names (id, name, municipality_code, place) SELECT gen_random_uuid(), 'Beto Rai', code, ST_SetSRID(ST_MakePoint(125.57, -8.55), 4326) FROM municipalities WHERE name = 'Dili'`)
	c, admin := w.Citizen(), w.Staff(identity.Admin)
	for i, r := range []struct {
		kind     string
		statuses []string
	}{{"pothole", []string{"verified"}}, {"waste", []string{"verified", "in_progress", "fixed"}}, {"pothole", []string{"verified", "in_progress"}}, {"drainage", nil}, {"waste", []string{"rejected"}}, {"pothole", []string{"verified"}}} {
		id := c.Post("/reports", object{"client_id": uuid.NewString(), "issue_type": r.kind, "title": "Report", "latitude": -8.5569, "longitude": 125.5603}).Want(http.StatusCreated).Object().Text("id")
		for _, s := range r.statuses {
			admin.Post("/reports/"+id+"/status", object{"status": s, "note": "Seen", "reason_code": map[string]any{"rejected": "irrelevant"}[s]}).Want(http.StatusOK)
		}
		days := 2 * (i + 1)
		if i == 5 {
			days = 120
		}
		w.Exec(`UPDATE reports SET created_at = now() - $2 * interval '1 day' WHERE id = $1`, id, days)
	}
	return w
}

// conforms runs the suite. No requirement may fail, and none but those named may be left out.
func conforms(t *testing.T, o conformance.Options, notTried string) {
	t.Helper()
	report, err := conformance.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, r := range report.Results {
		switch r.Outcome {
		case conformance.Fail:
			t.Errorf("%s (%s): %s\n%s\nmet:      %s\nexpected: %s", r.ID, r.Level, r.Text, r.Request, r.Met, r.Expected)
		case conformance.NotTried:
			left = append(left, r.ID)
			t.Logf("not tried: %s: %s", r.ID, r.Why)
		}
	}
	if got := strings.Join(left, " "); got != notTried {
		t.Errorf("not tried: %s\nwant:      %s", got, notTried)
	}
}

// Words are shown before the verdict here, so that the suite reads those that it sent.
func TestOpen311Conforms(t *testing.T) {
	t.Parallel()
	w := open311System(t, `{"publish_before_verdict": true, "open311_jurisdiction": "dili.tl"}`)
	_, key := w.APIKey("Conformance")
	conforms(t, conformance.Options{URL: w.URL + "/open311/v2", Jurisdiction: "dili.tl", Write: true, APIKey: key, Service: "pothole", Address: "Beto Rai", MediaURL: w.URL + "/picture.jpg"},
		"create.required-attribute create.address_id token.found")
}

// With the settings of a new system, new reports have neither words nor an exact place until the verdict.
func TestOpen311ConformsBeforeVerdicts(t *testing.T) {
	t.Parallel()
	w := open311System(t, `{}`)
	_, key := w.APIKey("Conformance")
	conforms(t, conformance.Options{URL: w.URL + "/open311/v2", Write: true, APIKey: key, Address: "Beto Rai"},
		"jurisdiction.unknown create.required-attribute create.text create.address_id create.media_url token.found")
}
