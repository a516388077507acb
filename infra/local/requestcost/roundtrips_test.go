package requestcost_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/functions/admin"
	"github.com/lafaekstreet/backend/functions/auth"
	"github.com/lafaekstreet/backend/functions/community"
	"github.com/lafaekstreet/backend/functions/journeys"
	"github.com/lafaekstreet/backend/functions/locations"
	"github.com/lafaekstreet/backend/functions/meta"
	"github.com/lafaekstreet/backend/functions/monitoring"
	"github.com/lafaekstreet/backend/functions/notifications"
	"github.com/lafaekstreet/backend/functions/ogc"
	"github.com/lafaekstreet/backend/functions/open311"
	"github.com/lafaekstreet/backend/functions/public"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/functions/staff"
	"github.com/lafaekstreet/backend/functions/users"
	"github.com/lafaekstreet/backend/functions/web"
	"github.com/lafaekstreet/backend/infra/local/dbproxy"
	"github.com/lafaekstreet/backend/infra/local/openapi"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

type object = map[string]any

// request is one call.
type request struct {
	who          *testenv.Client
	method, path string
	body         any
}

// operation is a request and the largest number of round trips to the database that it may take. The round trip that checks
// the session and spends budgets is not counted: with a cache there is none.
type operation struct {
	most int
	// ask makes a new request. The round trips of its preparations are not counted.
	ask func() request
}

// uncounted are the operations without a largest number, and the reason.
func uncounted() map[string]string {
	const (
		asks   = "calls another service, which takes longer than any round trip"
		walks  = "reads all rows, in parts"
		assets = "a file in the binary; its path contains the hash of its content"
	)
	return map[string]string{
		"GET /api/v1/locations/reverse-geocode":            asks,
		"GET /api/v1/locations/search":                     asks,
		"GET /api/v1/blockchain/report/{id}/verify":        asks,
		"GET /api/v1/public/blockchain/report/{id}/verify": asks,
		"POST /api/v1/auth/google":                         asks,
		"GET /api/v1/public/export.csv":                    walks,
		"GET /api/v1/public/export.geojson":                walks,
		"GET /api/v1/users/me/export":                      walks,
		"GET /assets/{hash}/{name}":                        assets,
		"GET /health/ready":                                "checks each part of the system",
	}
}

// TestOperationsStayWithinTheirRoundTrips compares the round trips of every operation of the API with its largest number.
func TestOperationsStayWithinTheirRoundTrips(t *testing.T) {
	t.Parallel()
	w := testenv.New(t)
	proxy, err := dbproxy.Start(t.Context(), w.Env["DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	w.Env["DATABASE_URL"] = strings.Replace(proxy.URL(), "role=lafaek_app&", "", 1)
	w.Env["DATABASE_ROLE"], w.Env["DATABASE_STATEMENT_TIMEOUT"] = "lafaek_app", "20s" // set in each transaction
	serve(w)
	routes := newRoutes(t)
	f := newFixture(w)
	for _, o := range slices.Concat(f.reads(), f.writes()) {
		first := o.ask()
		first.who.Do(first.method, first.path, first.body) // the first request fills caches
		r := o.ask()
		proxy.Take()
		got := r.who.Do(r.method, r.path, r.body)
		roundTrips := slices.DeleteFunc(proxy.Take(), isAdmission)
		route := routes.count(r)
		if got.Status >= http.StatusBadRequest {
			t.Errorf("%s %s: %d %s", r.method, r.path, got.Status, got.Body)
		}
		t.Logf("%2d of %2d  %s", len(roundTrips), o.most, route)
		if len(roundTrips) > o.most {
			t.Errorf("%s takes %d round trips, want at most %d", route, len(roundTrips), o.most)
			for _, f := range roundTrips {
				for _, s := range f {
					t.Logf("      %s", strings.Join(strings.Fields(s.SQL), " "))
				}
				t.Log("    --")
			}
		}
	}
	routes.complete()
}

// isAdmission reports whether a round trip only checks the session or counts for a rate limit.
func isAdmission(f dbproxy.RoundTrip) bool {
	for _, s := range f {
		session := strings.Contains(s.SQL, "FROM sessions s JOIN users u")
		limit := strings.Contains(s.SQL, "rate_limits")
		alive := s.SQL == "-- ping" // the pool checks a connection that was idle for over a second, on a slow machine
		settings := strings.HasPrefix(s.SQL, "SELECT set_config('role'")
		if !session && !limit && !alive && !settings {
			return false
		}
	}
	return true
}

// serve serves all HTTP functions, with rate limits that are never reached.
func serve(w *testenv.System) {
	w.Env["SEAL_KEYS"], w.Env["TOKEN_SIGNING_KEY"] = base64.StdEncoding.EncodeToString(make([]byte, 32)), w.Signer.SigningKey()
	w.Env["ADMIN_SETUP_TOKEN"] = setupToken
	for _, limit := range []string{"CREATE_PER_HOUR", "ADDRESS_PER_MINUTE", "AUTH_PER_MINUTE"} {
		w.Env["RATE_LIMIT_"+limit] = "1000"
	}
	w.Serve(reports.Open, community.Open, monitoring.Open, notifications.Open, locations.Open, users.Open, journeys.Open, staff.Open,
		public.Open, admin.Open, auth.Open, meta.Open, web.Open, open311.Open, ogc.Open)
}

// A connection pooler without sessions needs another query mode. In some modes PostgreSQL infers the types of arguments.
func TestEveryOperationInEveryQueryMode(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"cache_describe", "exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			w := testenv.New(t)
			w.Env["DATABASE_EXEC_MODE"] = mode
			serve(w)
			f := newFixture(w)
			for _, o := range slices.Concat(f.reads(), f.writes()) {
				r := o.ask()
				if got := r.who.Do(r.method, r.path, r.body); got.Status >= http.StatusBadRequest {
					t.Errorf("%s %s: %d %s", r.method, r.path, got.Status, got.Body)
				}
			}
		})
	}
}

// routes are the operations of the OpenAPI document, and which of them were counted.
type routes struct {
	testing.TB
	mux     *http.ServeMux
	counted map[string]bool
}

func newRoutes(t testing.TB) *routes {
	raw, err := openapi.Whole()
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(raw, &document); err != nil {
		t.Fatal(err)
	}
	r := &routes{TB: t, mux: http.NewServeMux(), counted: map[string]bool{}}
	for path, methods := range document.Paths {
		for method := range methods {
			pattern := strings.ToUpper(method) + " " + path
			r.counted[pattern] = false
			if strings.HasSuffix(pattern, "/") {
				pattern += "{$}"
			}
			r.mux.Handle(pattern, http.NotFoundHandler())
		}
	}
	return r
}

// count marks the operation of a request as counted and returns it.
func (r *routes) count(q request) string {
	path := "/api/v1" + q.path
	if rest, ok := strings.CutPrefix(q.path, "//"); ok {
		path = "/" + rest
	}
	_, pattern := r.mux.Handler(httptest.NewRequestWithContext(r.Context(), q.method, path, nil))
	pattern = strings.TrimSuffix(pattern, "{$}")
	if _, known := r.counted[pattern]; !known {
		r.Errorf("%s %s is not an operation of the API", q.method, q.path)
	}
	r.counted[pattern] = true
	return pattern
}

// complete fails the test for every operation that is neither counted nor in uncounted, or both.
func (r *routes) complete() {
	excused := uncounted()
	for _, route := range slices.Sorted(maps.Keys(r.counted)) {
		if r.counted[route] == (excused[route] != "") {
			r.Errorf("%s must be either counted or in uncounted: counted %v, reason in uncounted %q", route, r.counted[route], excused[route])
		}
		delete(excused, route)
	}
	for route := range excused {
		r.Errorf("%s in uncounted is not an operation of the API", route)
	}
}
