package openapi_test

import (
	"testing"

	"github.com/lafaekstreet/backend/infra/local/openapi"
	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/httpapi"
)

// API Gateway sends a request to a function only if the catalogue has its route. So the catalogue must have every route of
// the functions: a missing one would be a 404 after a deploy. And it must have no others: a function would not know them.
func TestCatalogueHasEveryRoute(t *testing.T) {
	t.Parallel()
	type key struct {
		function     catalog.FunctionName
		method, path string
	}
	named := make(map[key]bool)
	for _, r := range catalog.Routes() {
		for _, method := range r.Methods {
			named[key{r.Function, method, r.Path}] = true
		}
	}
	for _, group := range openapi.Groups() {
		for _, r := range httpapi.RoutesOf(group) {
			k := key{catalog.FunctionName(group.Name()), r.Method, r.Path}
			if !named[k] {
				t.Errorf("%s serves %s %s, and shared/catalog/routes.go does not name it", k.function, k.method, k.path)
			}
			delete(named, k)
		}
	}
	for k := range named {
		t.Errorf("shared/catalog/routes.go names %s %s, and %s does not serve it", k.method, k.path, k.function)
	}
}
