package openapi_test

import (
	"slices"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/infra/local/openapi"
	"github.com/lafaekstreet/backend/shared/httpapi"
)

// The document says what is answered: a 204 has no body, a member that may be null has null among its words, an error that is a
// page is HTML.
func TestDocumentDescribesAnswersAsTheyAre(t *testing.T) {
	t.Parallel()
	document := openapi.API()
	for path, item := range document.Paths {
		for method, op := range httpapi.Operations(item) {
			if r := op.Responses["204"]; r != nil && len(r.Content) > 0 {
				t.Errorf("%s %s: 204 has a body", method, path)
			}
		}
	}
	for name, schema := range document.Components.Schemas.Map() {
		for member, s := range schema.Properties {
			if s.Nullable && len(s.Enum) > 0 && !slices.Contains(s.Enum, nil) {
				t.Errorf("%s.%s may be null, and null is not among its words", name, member)
			}
		}
	}
	for _, path := range []string{"/api/v1/journeys", "/api/v1/journeys/"} {
		if document.Paths[path].Post.Responses["403"] == nil {
			t.Errorf("POST %s: no 403", path)
		}
	}
	if content := document.Paths["/r/{number}"].Get.Responses["404"].Content; len(content) != 1 || content["text/html"] == nil {
		t.Errorf("the page of an unknown report is %v", mediaTypes(content))
	}
}

func mediaTypes(content map[string]*huma.MediaType) []string {
	var out []string
	for name := range content {
		out = append(out, name)
	}
	return out
}
