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
		want := map[string]string{"$default": string(catalog.Fallback)}
		for _, o := range operations() {
			for _, path := range gatewayPaths(o.path) {
				want[o.method+" "+path] = string(o.function)
			}
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
		if n := len(got); n > 300 {
			t.Errorf("%d routes; an HTTP API takes 300", n)
		}
	})
}

func TestRouteThatEndsInASlash(t *testing.T) {
	t.Parallel()
	for path, want := range map[string][]string{"/a": {"/a"}, "/a/": {"/a", "/a/{proxy+}"}, "/": {"/"}, "/{x}": {"/{x}"}} {
		if got := gatewayPaths(path); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	clash := []catalog.Route{{Function: "a", Path: "/x", Methods: []string{"GET"}}, {Function: "b", Path: "/x/", Methods: []string{"GET"}}}
	if _, _, err := routeKeys(clash); err == nil {
		t.Error("one route leads to two functions")
	}
}
