package catalog_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/gateway"
	"github.com/lafaekstreet/backend/shared/catalog"
)

// routerOf makes a router of the routes of the catalogue, and one of each route that matches whole paths.
func routerOf(t *testing.T) (*gateway.Router, map[string]*gateway.Router, map[string]catalog.FunctionName) {
	t.Helper()
	var keys []string
	whole, owner := make(map[string]*gateway.Router), make(map[string]catalog.FunctionName)
	for _, r := range catalog.GatewayRoutes() {
		keys = append(keys, r.Key)
		owner[r.Key] = r.Function
		if one, err := gateway.NewRouter([]string{r.Key}); err != nil {
			t.Fatal(err)
		} else if r.Key != gateway.Default && !strings.HasSuffix(r.Key, "+}") {
			whole[r.Key] = one
		}
	}
	router, err := gateway.NewRouter(keys)
	if err != nil {
		t.Fatal(err)
	}
	return router, whole, owner
}

// Every path of the catalogue reaches its function, whatever the method, with a slash at its end and without. A path has one
// function. This does not depend on an order among routes that match the whole path: they all lead to this function.
func TestEveryPathReachesItsFunction(t *testing.T) {
	t.Parallel()
	router, whole, owner := routerOf(t)
	parameter := regexp.MustCompile(`{\w+}`)
	owners := make(map[string]catalog.FunctionName)
	for _, r := range catalog.Routes() {
		bare := strings.TrimSuffix(parameter.ReplaceAllString(r.Path, "0197b8a0"), "/")
		if other, ok := owners[bare]; ok && other != r.Function {
			t.Errorf("%s belongs to %s and to %s", r.Path, other, r.Function)
		}
		owners[bare] = r.Function
		for _, path := range []string{bare, bare + "/"} {
			for _, method := range slices.Concat(r.Methods, []string{"HEAD", "OPTIONS"}) {
				if key, _, _ := router.Find(method, path); owner[key] != r.Function {
					t.Errorf("%s %s takes the route %s to %s, want %s: shared/catalog/gateway.go needs a prefix", method, path, key, owner[key], r.Function)
				}
			}
			for key, one := range whole {
				if _, _, ok := one.Find("GET", path); ok && owner[key] != r.Function {
					t.Errorf("%s also matches %s, which leads to %s", path, key, owner[key])
				}
			}
		}
	}
}

// An HTTP API has 300 routes at most, and later parts need some of them.
func TestGatewayTakesTheRoutes(t *testing.T) {
	t.Parallel()
	routes := catalog.GatewayRoutes()
	if len(routes) > catalog.MaxGatewayRoutes {
		t.Errorf("%d routes, at most %d", len(routes), catalog.MaxGatewayRoutes)
	}
	if last := routes[len(routes)-1]; last.Key != gateway.Default || last.Function != catalog.Fallback {
		t.Errorf("an unknown path takes %v", last)
	}
	t.Logf("%d routes", len(routes))
}
