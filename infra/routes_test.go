package main

import (
	"slices"
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

// API Gateway refuses what is made too fast. The integrations and routes are at most ten chains, in which each is made after the one
// before it, so never more than ten are made at a time. The stage comes last: a stage that is there is deployed anew for each route.
func TestAtMostTenRoutesAreMadeAtATime(t *testing.T) {
	each(t, func(t *testing.T, w *written) {
		made := w.OfType("AWS::ApiGatewayV2::Route", "AWS::ApiGatewayV2::Integration")
		known := make(map[string]bool)
		for _, r := range made {
			known[r.ID] = true
		}
		after := make(map[string]int) // how many are made right after this one
		begins := 0
		for _, r := range made {
			chained := 0
			for _, before := range w.Texts(r.Stack, r.DependsOn) {
				if known[before] {
					chained++
					after[before]++
				}
			}
			if chained == 0 {
				begins++
			}
		}
		if begins == 0 || begins > 10 || len(made) < len(catalog.GatewayRoutes()) {
			t.Errorf("%d of %d routes and integrations are made at once", begins, len(made))
		}
		for id, n := range after {
			if n > 1 {
				t.Errorf("%d are made at once after %s", n, id)
			}
		}
		for _, stage := range w.OfType("AWS::ApiGatewayV2::Stage") {
			last := w.Texts(stage.Stack, stage.DependsOn)
			for _, r := range made {
				if after[r.ID] == 0 && !slices.Contains(last, r.ID) {
					t.Errorf("%s is made after the stage", r.ID)
				}
			}
		}
	})
}
