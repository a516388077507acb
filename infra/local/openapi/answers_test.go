package openapi_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/infra/local/openapi"
	"github.com/lafaekstreet/backend/shared/httpapi"
)

// The document says what is answered: a 204 has no body, a redirect says what is at the other
// address, a member that may be null has null among its words, an error that is a page is HTML.
func TestDocumentDescribesAnswersAsTheyAre(t *testing.T) {
	t.Parallel()
	document := openapi.API()
	for path, item := range document.Paths {
		for method, op := range httpapi.Operations(item) {
			if r := op.Responses["204"]; r != nil && len(r.Content) > 0 {
				t.Errorf("%s %s: 204 has a body", method, path)
			}
			if r := op.Responses["302"]; r != nil && (r.Headers["Location"] == nil || r.Description == http.StatusText(http.StatusFound)) {
				t.Errorf("%s %s: 302 does not say what is at Location", method, path)
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

// JSON is the first of several bodies, for generators that take the first. A form is a schema of its own, or that of JSON.
func TestFormsStandBesideJSON(t *testing.T) {
	t.Parallel()
	document := served(t)
	for name, want := range map[string]string{"/api/v1/reports": "ReportForm", "/api/v1/reports/{id}/images": "ImageForm",
		"/api/v1/reports/pre-upload-image": "UploadForm", "/api/v1/journeys/{journey_id}/import": "ImportForm", "/api/v1/auth/token": "PasswordGrant"} {
		content := at(document, "paths", name, "post", "requestBody", "content")
		if ref := at(content, "multipart/form-data", "schema")["$ref"]; ref != "#/components/schemas/"+want || at(content, "application/json") == nil {
			t.Errorf("%s takes the form %v, want %s, and JSON", name, ref, want)
		}
	}
	if at(document, "paths", "/api/v1/auth/token", "post", "requestBody", "content", "application/x-www-form-urlencoded") == nil {
		t.Error("/auth/token takes no form")
	}
	form := at(document, "components", "schemas", "ReportForm")
	if at(form, "properties", "latitude")["type"] != "number" || at(form, "properties", "file")["format"] != "binary" {
		t.Errorf("the form of a report is %v", form)
	}
	if content := at(document, "paths", "/api/v1/admin/settings", "put", "requestBody", "content"); len(content) != 1 {
		t.Errorf("the settings are taken as %v", content)
	}
}
