package gateway

import (
	"slices"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/shared/catalog"
)

func keysOf(t *testing.T) ([]string, map[string]catalog.FunctionName) {
	t.Helper()
	var keys []string
	owner := make(map[string]catalog.FunctionName)
	for _, r := range catalog.GatewayRoutes() {
		keys = append(keys, r.Key)
		owner[r.Key] = r.Function
	}
	return keys, owner
}

// Every path of the catalogue reaches its function, with a slash at its end and without, whatever the method. The choice does not
// depend on which of several matching routes is preferred: all that match the whole path lead to this function, and where none
// does, the greedy route with the longest prefix does.
func TestEveryPathReachesItsFunction(t *testing.T) {
	t.Parallel()
	keys, owner := keysOf(t)
	router, err := NewRouter(keys)
	if err != nil {
		t.Fatal(err)
	}
	owners := make(map[string]catalog.FunctionName)
	for _, r := range catalog.Routes() {
		bare := strings.TrimSuffix(variable.ReplaceAllString(r.Path, "0197b8a0"), "/")
		if other, ok := owners[bare]; ok && other != r.Function {
			t.Errorf("%s belongs to %s and to %s", r.Path, other, r.Function)
		}
		owners[bare] = r.Function
		for _, path := range []string{bare, bare + "/"} {
			for _, method := range append(r.Methods, "HEAD", "OPTIONS") {
				if key, _, _ := router.Find(method, path); owner[key] != r.Function {
					t.Errorf("%s %s takes the route %s to %s, want %s: shared/catalog/gateway.go needs a prefix", method, path, key, owner[key], r.Function)
				}
			}
			for _, other := range whole(router, path) {
				if owner[other] != r.Function {
					t.Errorf("%s also matches %s, which leads to %s", path, other, owner[other])
				}
			}
		}
	}
}

// whole lists the routes that match the whole path.
func whole(router *Router, path string) []string {
	var keys []string
	for _, r := range router.routes {
		if rating, _ := r.match("GET", segmentsOf(path)); strings.HasPrefix(rating, "3") {
			keys = append(keys, r.key)
		}
	}
	return keys
}

// An HTTP API has 300 routes at most, and later parts need some of them.
func TestGatewayTakesTheRoutes(t *testing.T) {
	t.Parallel()
	keys, _ := keysOf(t)
	if len(keys) > catalog.MaxGatewayRoutes {
		t.Errorf("%d routes, at most %d", len(keys), catalog.MaxGatewayRoutes)
	}
	if !slices.Contains(keys, Default) {
		t.Error("an unknown path reaches no function")
	}
	t.Logf("%d routes", len(keys))
}

func TestRouterRefusesWhatAWSRefuses(t *testing.T) {
	t.Parallel()
	for _, keys := range []string{"ANY /a/", "ANY a", "/a", "ANY /a//b", "ANY /a/{x+}/b", "ANY /a/{x}.gpx", "ANY /a/v{x}", "ANY /a/{x", "ANY /a/{}",
		"get /a", "ANY", "ANY /a b", "ANY /a,ANY /a", "ANY /a/{x},ANY /a/{y}", "ANY /a/{x+},ANY /a/{y+}", "ANY /a?b", "$default,$default"} {
		if _, err := NewRouter(strings.Split(keys, ",")); err == nil {
			t.Errorf("%s is accepted", keys)
		}
	}
	for _, key := range []string{"ANY /", "ANY /a", "GET /a/{x}/b.c", "ANY /{proxy+}", "ANY /a/{x}/{proxy+}", "$default"} {
		if _, err := NewRouter([]string{key}); err != nil {
			t.Error(err)
		}
	}
}

func TestRouterTakesTheMostSpecificRoute(t *testing.T) {
	t.Parallel()
	router, err := NewRouter([]string{"$default", "ANY /a", "ANY /a/{proxy+}", "GET /a/{x}", "ANY /a/{x}", "ANY /a/b", "ANY /a/b/{proxy+}", "ANY /a/{x}/c"})
	if err != nil {
		t.Fatal(err)
	}
	for request, want := range map[string]string{
		"GET /a": "ANY /a", "GET /a/": "ANY /a/{proxy+}", "GET /": Default, "GET /b": Default, "GET /aa": Default,
		"GET /a/x": "GET /a/{x}", "PUT /a/x": "ANY /a/{x}", "GET /a/b": "ANY /a/b", "GET /a/b/": "ANY /a/b/{proxy+}", "GET /a/x/": "ANY /a/{proxy+}",
		"GET /a/b/d/e": "ANY /a/b/{proxy+}", "GET /a/x/d": "ANY /a/{proxy+}", "GET /a/b/c": "ANY /a/{x}/c", "GET /a//c": "ANY /a/{proxy+}",
	} {
		method, path, _ := strings.Cut(request, " ")
		if got, _, _ := router.Find(method, path); got != want {
			t.Errorf("%s takes %s, want %s", request, got, want)
		}
	}
	if _, variables, _ := router.Find("GET", "/a/b/d/e"); variables["proxy"] != "d/e" {
		t.Errorf("variables %v", variables)
	}
}
