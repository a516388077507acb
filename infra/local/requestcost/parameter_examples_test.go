package requestcost_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/openapi"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

// TestParameterExamplesExecute sends the example of each query parameter of the operations that read, one at a time, instead of
// the value that the fixture has. Each must succeed; testenv compares the answer with the document.
func TestParameterExamplesExecute(t *testing.T) {
	t.Parallel()
	w := testenv.New(t)
	serve(w)
	routes, examples := newRoutes(t), parameterExamples(t)
	f := newFixture(w)
	w.Exec(`UPDATE agencies SET code = 'OP-DILI' WHERE id = $1`, f.agency)
	sent := 0
	for _, o := range f.reads() {
		r := o.ask()
		route := routes.count(r)
		for name, value := range examples[route] {
			path, query, _ := strings.Cut(r.path, "?")
			values, err := url.ParseQuery(query)
			if err != nil {
				t.Fatal(err)
			}
			values.Set(name, value)
			if got := r.who.Do(r.method, path+"?"+values.Encode(), nil); got.Status >= http.StatusBadRequest {
				t.Errorf("%s: the example of %s, %s, is answered with %d %s", route, name, value, got.Status, got.Body)
			}
			sent++
		}
		delete(examples, route)
	}
	if sent < 90 {
		t.Errorf("%d examples were sent", sent)
	}
	for route := range examples {
		if uncounted()[route] == "" {
			t.Errorf("%s: the examples of its parameters were not sent: add the operation to reads", route)
		}
	}
}

// parameterExamples has the examples of query parameters by operation and name.
func parameterExamples(t *testing.T) map[string]map[string]string {
	t.Helper()
	raw, err := openapi.Document()
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Paths map[string]map[string]struct {
			Parameters []map[string]any
		}
		Components struct{ Parameters map[string]map[string]any }
	}
	if err := json.Unmarshal(raw, &document); err != nil {
		t.Fatal(err)
	}
	out := make(map[string]map[string]string)
	for path, methods := range document.Paths {
		for method, op := range methods {
			route := strings.ToUpper(method) + " " + path
			for _, p := range op.Parameters {
				if ref, shared := p["$ref"].(string); shared {
					p = document.Components.Parameters[strings.TrimPrefix(ref, "#/components/parameters/")]
				}
				value := p["example"]
				if schema, _ := p["schema"].(map[string]any); value == nil && schema["examples"] != nil {
					value = schema["examples"].([]any)[0]
				}
				if p["in"] != "query" || value == nil || method != "get" {
					continue
				}
				if out[route] == nil {
					out[route] = make(map[string]string)
				}
				out[route][p["name"].(string)] = fmt.Sprint(value)
			}
		}
	}
	return out
}
