package requestcost_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
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
	"github.com/lafaekstreet/backend/functions/public"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/functions/staff"
	"github.com/lafaekstreet/backend/functions/users"
	"github.com/lafaekstreet/backend/infra/local/dbproxy"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

type object = map[string]any

// request is one call.
type request struct {
	who          *testenv.Client
	method, path string
	body         any
}

// operation is what is asked for and how many round trips to the database it may take, without the one that asks
// whether the session stands (none where there is a cache).
type operation struct {
	most int
	// ask makes a request that has not been made before; what it needs for that is not counted.
	ask func() request
}

// uncounted are the operations that are held to no number, and why.
func uncounted() map[string]string {
	const (
		asks   = "asks another service, which takes longer than any round trip"
		walks  = "reads all there is, in as many parts as that takes"
		assets = "a file out of the program: its address is made of its content"
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
		"GET /map/assets/{hash}/{name}":                    assets,
		"GET /health/ready":                                "asks each part how it is",
	}
}

// TestRoundTrips holds every operation of the API to its number of round trips: one for what is read, and for what is
// written no more than it takes to look, to write, and to commit.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	w := testenv.New(t)
	wire, err := dbproxy.Start(t.Context(), w.Env["DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	w.Env["DATABASE_URL"] = wire.URL()
	serve(w)
	routes := newRoutes(t)
	stage := newStage(w)
	for _, o := range slices.Concat(stage.reads(), stage.writes()) {
		first := o.ask()
		first.who.Do(first.method, first.path, first.body) // whatever is remembered after the first time
		r := o.ask()
		wire.Take()
		got := r.who.Do(r.method, r.path, r.body)
		roundTrips := slices.DeleteFunc(wire.Take(), func(f dbproxy.RoundTrip) bool {
			session := strings.Contains(f[0].SQL, "FROM sessions s JOIN users u")
			alive := f[0].SQL == "-- ping" // the pool asks a connection that was idle for over a second, as on a slow machine
			return (session || alive) && len(f) == 1
		})
		route := routes.count(r)
		if got.Status >= http.StatusBadRequest {
			t.Errorf("%s %s: %d %s", r.method, r.path, got.Status, got.Body)
		}
		t.Logf("%2d of %2d  %s", len(roundTrips), o.most, route)
		if len(roundTrips) > o.most {
			t.Errorf("%s takes %d round trips, at most %d", route, len(roundTrips), o.most)
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

// serve puts everything behind the gateway, with no limits to speak of.
func serve(w *testenv.System) {
	w.Env["SEAL_KEYS"], w.Env["TOKEN_SIGNING_KEY"] = base64.StdEncoding.EncodeToString(make([]byte, 32)), w.Signer.SigningKey()
	w.Env["ADMIN_SETUP_TOKEN"] = setupToken
	for _, limit := range []string{"CREATE_PER_HOUR", "ADDRESS_PER_MINUTE", "AUTH_PER_MINUTE"} {
		w.Env["RATE_LIMIT_"+limit] = "1000"
	}
	w.Serve(reports.Open, community.Open, monitoring.Open, notifications.Open, locations.Open, users.Open, journeys.Open, staff.Open,
		public.Open, admin.Open, auth.Open, meta.Open)
}

// Poolers that keep no session want other query modes, which go by the types of arguments.
func TestEveryOperationInEveryQueryMode(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"cache_describe", "exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			w := testenv.New(t)
			w.Env["DATABASE_EXEC_MODE"] = mode
			serve(w)
			stage := newStage(w)
			for _, o := range slices.Concat(stage.reads(), stage.writes()) {
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
	raw, err := os.ReadFile("../../../functions/meta/openapi.json")
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

// count returns the operation a request is of.
func (r *routes) count(q request) string {
	path := "/api/v1" + q.path
	if rest, ok := strings.CutPrefix(q.path, "//"); ok {
		path = "/" + rest
	}
	_, pattern := r.mux.Handler(httptest.NewRequestWithContext(r.Context(), q.method, path, nil))
	pattern = strings.TrimSuffix(pattern, "{$}")
	if _, known := r.counted[pattern]; !known {
		r.Errorf("%s %s is no operation of the API", q.method, q.path)
	}
	r.counted[pattern] = true
	return pattern
}

// complete fails for an operation that was neither counted nor is excused, and for an excuse nobody needs.
func (r *routes) complete() {
	excused := uncounted()
	for _, route := range slices.Sorted(maps.Keys(r.counted)) {
		if r.counted[route] == (excused[route] != "") {
			r.Errorf("%s: counted %v, uncounted because %q", route, r.counted[route], excused[route])
		}
		delete(excused, route)
	}
	for route := range excused {
		r.Errorf("%s is no operation of the API any more", route)
	}
}
