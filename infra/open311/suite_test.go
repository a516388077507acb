package open311_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/infra/open311"
)

func check(t *testing.T, s *server) open311.Report {
	t.Helper()
	report, err := open311.Run(t.Context(), open311.Options{URL: s.url, Write: true, APIKey: key, Address: "Rua 1", AddressID: "7", MediaURL: "https://pictures.example/1.jpg",
		Lat: "-8.55", Long: "125.57", Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// with returns the ids of the requirements with an outcome.
func with(r open311.Report, o open311.Outcome) []string {
	var out []string
	for _, result := range r.Results {
		if result.Outcome == o {
			out = append(out, result.ID)
		}
	}
	return out
}

func TestRightServerPasses(t *testing.T) {
	t.Parallel()
	report := check(t, newServer(t))
	for _, r := range report.Results {
		if r.Outcome == open311.Fail {
			t.Errorf("%+v", r)
		}
	}
	if got, want := with(report, open311.NotTried), []string{"token.found"}; !slices.Equal(got, want) {
		t.Errorf("not tried: %q, want %q", got, want)
	}
	if report.Requests > 100 {
		t.Errorf("%d requests", report.Requests)
	}
}

func TestServerWithTokensPasses(t *testing.T) {
	t.Parallel()
	report := check(t, newServer(t, "gives tokens"))
	if failed := with(report, open311.Fail); len(failed) > 0 {
		t.Errorf("failed: %q", failed)
	}
	i := slices.IndexFunc(report.Results, func(r open311.Result) bool { return r.ID == "token.found" })
	if report.Results[i].Outcome != open311.Pass {
		t.Errorf("got %+v", report.Results[i])
	}
}

// deviations are what servers in use do otherwise, and the requirements that must fail by it and no others.
var deviations = map[string]string{
	"no POST":                     "create.no-key create.wrong-key create.no-service create.no-place create.half-place create.required-attribute create.wrong-value create.too-long create.xml create.json create.address_string create.address_id create.media_url create.media create.broken-media",
	"no definitions":              "services.attributes",
	"definition is a service":     "definition.xml definition.json",
	"no tokens":                   "token.id",
	"no key_service":              "discovery.fields",
	"application/xml":             "errors.media-type format.xml-media-type",
	"errors are pages":            "errors.xml errors.json errors.media-type",
	"errors have no code":         "errors.xml errors.json",
	"errors are one object":       "errors.json",
	"JSON has a name around it":   "services.json create.json create.media requests.json request.json token.id updates.json",
	"booleans are text":           "format.json-booleans",
	"ids are numbers":             "services.same definition.code format.json-ids",
	"XML has attributes":          "format.xml-plain",
	"no declaration":              "format.xml-declaration",
	"no lists of ids":             "filter.service_request_id-list",
	"no lists of statuses":        "filter.status-list",
	"status is ignored":           "filter.status filter.bad-status",
	"open by default":             "requests.all-statuses",
	"end_date is exclusive":       "filter.inclusive",
	"no window":                   "requests.window",
	"no span":                     "requests.span",
	"default limit":               "requests.complete",
	"empty is a value":            "requests.empty",
	"no paging":                   "extra.page_size",
	"last page again":             "extra.page-beyond",
	"email is required":           "create.json",
	"broken pictures are dropped": "create.broken-media",
	"no updates":                  "updates.xml updates.json",

	// Faults that no server in use is known to have.
	"unknown service is 400":    "create.unknown-service",
	"created is 201":            "create.status",
	"1,001 requests":            "requests.volume",
	"ids are ignored":           "filter.service_request_id filter.service_request_id-list filter.service_request_id-first",
	"ids do not come first":     "filter.service_request_id-first",
	"services are ignored":      "filter.service_code",
	"no lists of services":      "filter.service_code-list",
	"start_date is ignored":     "filter.start_date",
	"end_date is ignored":       "filter.end_date",
	"pages count from 0":        "extra.page",
	"oldest first":              "extra.newest-first",
	"updated_after is ignored":  "extra.updated_after",
	"bbox is ignored":           "extra.bbox",
	"no extensions":             "extra.extensions",
	"dates of updates are left": "updates.dates",
}

// TestDeviationsAreFound runs the suite against servers with one fault each. Together they make every requirement fail.
func TestDeviationsAreFound(t *testing.T) {
	t.Parallel()
	all := maps.Clone(deviations)
	for name, r := range rewrites {
		all[name] = r.failed
	}
	seen := strings.Fields(strings.Join(slices.Collect(maps.Values(all)), " "))
	for _, r := range open311.Requirements() {
		if !slices.Contains(seen, r.ID) && r.ID != "token.found" { // TestTokenOfAnotherIsFound
			t.Errorf("no server fails %s", r.ID)
		}
	}
	for fault, want := range all {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			report := check(t, newServer(t, fault))
			if got := strings.Join(with(report, open311.Fail), " "); got != want {
				t.Errorf("failed: %s\nwant:   %s", got, want)
				for _, r := range report.Results {
					if r.Outcome == open311.Fail {
						t.Logf("%s: %s met %s; expected %s", r.ID, r.Request, r.Met, r.Expected)
					}
				}
			}
		})
	}
}

func TestTokenOfAnotherIsFound(t *testing.T) {
	t.Parallel()
	if got := with(check(t, newServer(t, "gives tokens", "token: other")), open311.Fail); !slices.Equal(got, []string{"token.found"}) {
		t.Errorf("failed: %q", got)
	}
}
