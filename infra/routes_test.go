package main

import (
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/shared/catalog"
)

// operation is one method of one path of the catalogue.
type operation struct {
	method, path string
	function     catalog.FunctionName
}

func operations() []operation {
	var out []operation
	for _, r := range catalog.Routes() {
		for _, method := range r.Methods {
			out = append(out, operation{method, r.Path, r.Function})
		}
	}
	return out
}

func TestRoutesAreThoseOfTheCatalogue(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		routes, err := w.Routes()
		if err != nil {
			t.Fatal(err)
		}
		got := make(map[string]string)
		for _, r := range routes {
			name := strings.TrimPrefix(w.Text(r.Function.Stack, r.Function.Properties["FunctionName"]), w.settings.name(""))
			if got[r.Key] != "" {
				t.Errorf("%s is there twice", r.Key)
			}
			got[r.Key] = name
		}
		want := make(map[string]string)
		for _, r := range catalog.GatewayRoutes() {
			want[r.Key] = string(r.Function)
		}
		for key, function := range want {
			if got[key] != function {
				t.Errorf("%s leads to %q, want %q", key, got[key], function)
			}
		}
		for key := range got {
			if _, ok := want[key]; !ok {
				t.Errorf("%s is not in the catalogue", key)
			}
		}
		if n := len(got); n > catalog.MaxGatewayRoutes {
			t.Errorf("%d routes, at most %d", n, catalog.MaxGatewayRoutes)
		}
	})
}
