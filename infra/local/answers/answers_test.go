package answers_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/infra/local/answers"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/problem"
)

type group struct{}

func (group) Name() string { return "test" }

func (group) Register(a *httpapi.API) {
	op := httpapi.Operation{Operation: huma.Operation{Method: http.MethodGet, Path: "/things/{id}"}}
	type input struct {
		ID string `path:"id"`
	}
	full := problem.New(problem.Conflict, "journey_full")
	httpapi.Register(a, op.WithProblems(full.With("version", 1)), func(context.Context, *input) (*struct{}, error) { return nil, full })
	op.Path += "/edge/"
	httpapi.Register(a, op, func(context.Context, *input) (*struct{}, error) { return nil, full })
	op.Path, op.OperationID = "/things/{id}/edge", "without-slash"
	httpapi.Register(a, op, func(context.Context, *input) (*struct{}, error) { return nil, full })
}

// Two operations may differ by a slash at the end alone.
func TestCheckFindsTheOperationByItsSlash(t *testing.T) {
	t.Parallel()
	c := answers.NewChecker(httpapi.Document(group{}), nil)
	for range 20 { // paths are looked at in any order
		for path, want := range map[string]string{"/things/1/edge": "GET /things/{id}/edge", "/things/1/edge/": "GET /things/{id}/edge/", "/things/1/": "GET /things/{id}"} {
			if got, _, _ := c.Check(http.MethodGet, path, answers.Answer{Status: http.StatusNoContent}); got != want {
				t.Fatalf("%s is %s, want %s", path, got, want)
			}
		}
	}
}

// What the document does not have is a fault: a status, a code of a status, a member of a problem, a header.
func TestCheckFindsWhatIsNotDocumented(t *testing.T) {
	t.Parallel()
	c := answers.NewChecker(httpapi.Document(group{}), nil)
	problemOf := func(status int, body string, headers ...string) answers.Answer {
		a := answers.Answer{Status: status, Header: http.Header{"Content-Type": {"application/problem+json"}}, Body: []byte(body)}
		for _, name := range headers {
			a.Header.Set(name, "1")
		}
		return a
	}
	for name, test := range map[string]struct {
		path   string
		answer answers.Answer
		want   string // part of the fault; empty for none
	}{
		"documented":                 {"/things/1", problemOf(409, `{"code":"journey_full","version":2}`), ""},
		"a slash at the end":         {"/things/1/", problemOf(409, `{"code":"journey_full"}`), ""},
		"implied":                    {"/things/1", problemOf(401, `{"code":"token_missing"}`, "Www-Authenticate"), ""},
		"another address":            {"/other", problemOf(404, `{"code":"not_found"}`), ""},
		"a method that is not there": {"/things/1", problemOf(405, `{"code":"method_not_allowed"}`), ""},
		"no such status":             {"/things/1", problemOf(410, `{"code":"journey_full"}`), "answered 410, which is not documented"},
		"a success without a word":   {"/things/1", answers.Answer{Status: 202}, "answered 202, which is not documented"},
		"no such code":               {"/things/1", problemOf(409, `{"code":"stale"}`), "409 with the code stale is not documented"},
		"a code of another status":   {"/things/1", problemOf(409, `{"code":"token_missing"}`), "409 with the code token_missing is not documented"},
		"no such member":             {"/things/1", problemOf(409, `{"code":"journey_full","size":2}`), "the member size"},
		"no such header":             {"/things/1", problemOf(409, `{"code":"journey_full"}`, "Retry-After"), "the header Retry-After"},
		"no problem document":        {"/things/1", problemOf(409, `full`), "409 is no problem document"},
	} {
		_, _, faults := c.Check(http.MethodGet, test.path, test.answer)
		if test.want == "" && len(faults) > 0 || test.want != "" && !slices.ContainsFunc(faults, func(f string) bool { return strings.Contains(f, test.want) }) {
			t.Errorf("%s: %q, want %q", name, faults, test.want)
		}
	}
}

// A body is compared with the schema that the document has for its operation and status.
func TestCheckComparesBodiesWithTheirSchema(t *testing.T) {
	t.Parallel()
	served, err := answers.Serve([]byte(`{"openapi":"3.1.0","paths":{"/things/{id}":{"get":{"responses":{
		"204":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Thing"}}}},
		"409":{"$ref":"#/components/responses/Conflict"}}}}},
		"components":{"responses":{"Conflict":{"content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Thing"}}}}},
		"schemas":{"Thing":{"type":"object","required":["id"],"properties":{"id":{"type":"string","format":"uuid"},
			"labels":{"type":"object","additionalProperties":{"type":"string"}},"owner":{"anyOf":[{"$ref":"#/components/schemas/Owner"},{"type":"null"}]}}},
			"Owner":{"type":"object","properties":{"name":{"type":"string"}}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		status            int
		media, body, want string
	}{
		{204, "application/json", `{"id":"01980000-0000-7000-8000-000000000000"}`, ""},
		{204, "application/json; charset=utf-8", `{"id":"1"}`, "is not valid uuid"},
		{204, "application/json", `{}`, "missing property 'id'"},
		{204, "application/json", `{"id":"01980000-0000-7000-8000-000000000000","size":2}`, "additional properties 'size' not allowed"},
		{204, "application/json", `{"id":"01980000-0000-7000-8000-000000000000","labels":{"tet":"Foho"},"owner":{"name":"Ana"}}`, ""},
		{204, "application/json", `{"id":"01980000-0000-7000-8000-000000000000","owner":{"nam":"Ana"}}`, "additional properties 'nam' not allowed"},
		{204, "application/json", `{"id"`, "the body is against its schema"},
		{204, "text/html", `<p>`, "the media type text/html"},
		{204, "", ``, ""},
		{409, "application/problem+json", `{"id":1}`, "got number, want string"},
		{410, "application/json", `{}`, ""},
	} {
		a := answers.Answer{Status: test.status, Header: http.Header{"Content-Type": {test.media}}, Body: []byte(test.body)}
		if got := served.Check("/things/{id}", http.MethodGet, a); (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%d %s %s: %q, want %q", test.status, test.media, test.body, got, test.want)
		}
	}
}
