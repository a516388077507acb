package requestcost_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/openapi"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

// unsent are the operations whose example is not sent, with the reason.
var unsent = map[string]string{
	"POST /api/v1/auth/google": "needs a token of Google for this minute",
}

// TestExamplesExecute sends the example of each body as somebody who may. It must succeed; testenv compares the answer with the
// document. Members that are the caller's own (openapi.Own) have the values of the fixture, all others are sent as they are.
func TestExamplesExecute(t *testing.T) {
	t.Parallel()
	w := testenv.New(t)
	serve(w)
	routes, examples := newRoutes(t), bodyExamples(t)
	f := newFixture(w)
	for _, o := range f.writes() {
		r := o.ask()
		route := routes.count(r)
		example, waits := examples[route]
		if !waits {
			continue
		}
		delete(examples, route)
		got := r.who.Do(r.method, r.path, own(example, plain(t, r.body)))
		if got.Status >= http.StatusMultipleChoices {
			t.Errorf("%s: its example is answered with %d %s", route, got.Status, got.Body)
		}
		for _, part := range []string{`"warnings":[{`, `"status":"error"`} { // of an item
			if strings.Contains(string(got.Body), part) {
				t.Errorf("%s: not all of its example is kept: %s", route, got.Body)
			}
		}
		if route == "PUT /api/v1/admin/settings" {
			r.who.Do(r.method, r.path, r.body) // the limits for the rest of the test
		}
	}
	for _, route := range slices.Sorted(maps.Keys(examples)) {
		if unsent[route] == "" {
			t.Errorf("%s: its example was not sent: add the operation to writes", route)
		}
	}
}

// bodyExamples has the example of each body of the document by method and path, of JSON and of forms of text.
func bodyExamples(t *testing.T) map[string]any {
	t.Helper()
	raw, err := openapi.Document()
	if err != nil {
		t.Fatal(err)
	}
	type media struct{ Example any }
	var document struct {
		Paths map[string]map[string]struct {
			RequestBody struct{ Content map[string]media }
		}
	}
	if err := json.Unmarshal(raw, &document); err != nil {
		t.Fatal(err)
	}
	out := make(map[string]any)
	for path, methods := range document.Paths {
		for method, op := range methods {
			body, takes := op.RequestBody.Content["application/json"]
			route := strings.ToUpper(method) + " " + path
			if takes && body.Example == nil {
				t.Errorf("%s has no example: add one to infra/local/openapi/examples.json", route)
			}
			if takes {
				out[route] = body.Example
			}
		}
	}
	return out
}

// own puts the caller's own values from a body of the fixture into an example.
func own(example, mine any) any {
	switch e := example.(type) {
	case map[string]any:
		m, _ := mine.(map[string]any)
		out := maps.Clone(e)
		for name, value := range e {
			if v, has := m[name]; has && openapi.Own(name) {
				out[name] = v
			} else {
				out[name] = own(value, m[name])
			}
		}
		return out
	case []any:
		m, _ := mine.([]any)
		out := slices.Clone(e)
		for i := range e {
			if i < len(m) {
				out[i] = own(e[i], m[i])
			}
		}
		return out
	}
	return example
}

// plain is a body as JSON has it. A file has no members.
func plain(t *testing.T, body any) any {
	t.Helper()
	if _, file := body.([]byte); file {
		return nil
	}
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
