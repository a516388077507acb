package openapi_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/infra/local/openapi"
	"github.com/lafaekstreet/backend/shared/httpapi"
)

// Each operation names its problem codes by status, and the response of the status says the same: its schema has these codes and no
// others, and each code has an example with this status.
func TestOperationsNameTheirProblemCodes(t *testing.T) {
	t.Parallel()
	document := openapi.API()
	for path, item := range document.Paths {
		for method, op := range httpapi.Operations(item) {
			codes, _ := op.Extensions[httpapi.ProblemCodes].(map[string][]string)
			for status, response := range op.Responses {
				if problem(document, response) == nil {
					continue
				}
				name := method + " " + path + " " + status
				if len(codes[status]) == 0 {
					t.Errorf("%s has no codes", name)
				}
				checkResponse(t, document, name, status, codes[status], response)
			}
			for status := range codes {
				if op.Responses[status] == nil {
					t.Errorf("%s %s has codes for %s and no response", method, path, status)
				}
			}
		}
	}
}

// problem is the problem document of a response; nil for none.
func problem(document *huma.OpenAPI, r *huma.Response) *huma.MediaType {
	if name, shared := strings.CutPrefix(r.Ref, "#/components/responses/"); shared {
		r = document.Components.Responses[name]
	}
	return r.Content["application/problem+json"]
}

func checkResponse(t *testing.T, document *huma.OpenAPI, name, status string, codes []string, r *huma.Response) {
	t.Helper()
	media := problem(document, r)
	all := document.Components.Schemas.Map()
	var enum []string
	for _, word := range all[strings.TrimPrefix(media.Schema.Ref, "#/components/schemas/")].AllOf[1].Properties["code"].Enum {
		enum = append(enum, word.(string))
	}
	if !slices.Equal(enum, codes) {
		t.Errorf("%s: the schema has %v, the operation %v", name, enum, codes)
	}
	for _, code := range codes {
		if media.Examples[code] == nil {
			t.Errorf("%s: %s has no example", name, code)
			continue
		}
		example := document.Components.Examples[strings.TrimPrefix(media.Examples[code].Ref, "#/components/examples/")]
		var got map[string]any
		if err := json.Unmarshal(example.Value.(json.RawMessage), &got); err != nil {
			t.Fatal(err)
		}
		if number, _ := got["status"].(float64); got["code"] != code || strconv.Itoa(int(number)) != status {
			t.Errorf("%s: the example of %s is one of %v %v", name, code, got["status"], got["code"])
		}
		for member := range got {
			if p := all["Problem"].Properties[member]; p == nil || p.Description == "" {
				t.Errorf("%s: the member %s of %s is not described", name, member, code)
			}
		}
	}
}

// A status stands where it occurs and only there.
func TestStatusesStandWhereTheyOccur(t *testing.T) {
	t.Parallel()
	for path, item := range openapi.API().Paths {
		for method, op := range httpapi.Operations(item) {
			for _, status := range []string{"413", "415"} {
				if op.RequestBody == nil && op.Responses[status] != nil {
					t.Errorf("%s %s takes no body and has %s", method, path, status)
				}
			}
			match := slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.Name == "If-Match" })
			if has := op.Responses["412"] != nil; has != match {
				t.Errorf("%s %s: If-Match %v, 412 %v", method, path, match, has)
			}
		}
	}
}

// Headers are described once.
func TestHeadersAreDescribedOnce(t *testing.T) {
	t.Parallel()
	document := openapi.API()
	for name, h := range document.Components.Headers {
		if h.Description == "" || h.Example == nil || h.Schema == nil {
			t.Errorf("the header %s has no description, example or schema", name)
		}
	}
	for path, item := range document.Paths {
		for method, op := range httpapi.Operations(item) {
			for status, r := range op.Responses {
				for name, h := range r.Headers {
					if document.Components.Headers[name] != nil && h.Ref == "" {
						t.Errorf("%s %s %s describes the header %s itself", method, path, status, name)
					}
				}
				if r.Ref == "" && r.Headers["X-Request-Id"] == nil {
					t.Errorf("%s %s %s has no X-Request-Id", method, path, status)
				}
			}
		}
	}
}
