package ogc_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

// documentTests are those of the OpenAPI document.
func documentTests() []abstractTest {
	return []abstractTest{
		{"/conf/oas30/completeness", func(t *testing.T, s *subject) {
			for path, responses := range s.responses(t) {
				success, _ := responses["200"].(map[string]any)
				content, _ := success["content"].(map[string]any)
				got := s.nobody.Get("//ogc" + strings.TrimSuffix(path, "/")).Want(http.StatusOK).Header.Get("Content-Type")
				if content[got] == nil || content["text/html"] == nil || responses["304"] == nil {
					t.Errorf("%s answers with %s, and the document has %v", path, got, content)
				}
			}
		}},
		{"/conf/oas30/exceptions-codes", func(t *testing.T, s *subject) {
			for path, responses := range s.responses(t) {
				want := []string{"400", "429", "500", "503"}
				if strings.Contains(path, "posts") || strings.Contains(path, "sucos") || strings.Contains(path, "/items/") {
					want = append(want, "404")
				}
				for _, status := range want {
					if responses[status] == nil {
						t.Errorf("%s may answer %s, and the document does not say so", path, status)
					}
				}
				if len(responses) != len(want)+2 {
					t.Errorf("%s has the answers %v", path, responses)
				}
			}
		}},
		{"/conf/oas30/oas-definition-1", func(t *testing.T, s *subject) {
			s.follow(linkOf(s.get(""), "service-desc", "application/vnd.oai.openapi+json;version=3.0"), "*/*").Want(http.StatusOK)
			if got := s.follow(linkOf(s.get(""), "service-doc", "text/html"), "*/*").Want(http.StatusOK).Header.Get("Content-Type"); got != "text/html; charset=utf-8" {
				t.Errorf("the page is %s", got)
			}
			page := s.pageOf(t, "/api").text
			for path := range s.responses(t) {
				plain, _, _ := strings.Cut(path, "/items/")
				if !strings.Contains(page, s.URL+"/ogc"+strings.TrimSuffix(plain, "/")) {
					t.Errorf("the page lacks %s", path)
				}
			}
		}},
		{"/conf/oas30/oas-definition-2", func(t *testing.T, s *subject) {
			fits(t, "openapi", s.nobody.Get("//ogc/api").Want(http.StatusOK).Body)
			doc := s.get("/api")
			for _, ref := range references(doc.Values) {
				if doc.At(strings.ReplaceAll(strings.TrimPrefix(ref, "#/"), "/", ".")) == nil {
					t.Errorf("%s leads nowhere", ref)
				}
			}
		}},
		{"/conf/oas30/oas-impl", func(t *testing.T, s *subject) {
			doc := s.get("/api")
			for path := range s.responses(t) {
				for _, p := range s.parametersOf(doc, strings.ReplaceAll(path, s.idOf(path), "{featureId}")) {
					if p.Text("in") == "path" {
						continue
					}
					value, known := map[string]string{"f": "json", "limit": "1", "bbox": "125,-9,126,-8", "bbox-crs": p.Text("schema.default"), "datetime": "2026-11-01T00:00:00Z/..", "cursor": "", "issue_type": "pothole",
						"status": "verified", "severity": "low", "municipality": "Dili", "district": "x", "suco": "x", "source": "app", "name": "Dili", "code": "TL-DI", "parent": "Dili"}[p.Text("name")]
					if !known {
						t.Errorf("%s has the parameter %s, which no test tries", path, p.Text("name"))
					}
					s.nobody.Get("//ogc" + strings.TrimSuffix(path, "/") + "?" + p.Text("name") + "=" + value).Want(http.StatusOK)
				}
			}
		}},
		{"/conf/oas30/security", func(t *testing.T, s *subject) {
			doc := s.get("/api")
			if doc.At("security") != nil || doc.At("components.securitySchemes") != nil {
				t.Error("the document asks for a sign-in")
			}
			for _, r := range s.resources() { // nobody needs one, and a token that is not valid changes nothing
				s.nobody.With("Authorization", "Bearer nonsense").Get("//ogc" + r.path).Want(http.StatusOK)
			}
		}},
	}
}

// responses are the documented answers of each path. A path of a feature has the id of one.
func (s *subject) responses(t *testing.T) map[string]map[string]any {
	t.Helper()
	doc := s.get("/api")
	if got := doc.Items("servers")[0].Text("url"); got != s.URL+"/ogc" {
		t.Fatalf("the document is for %s", got)
	}
	out := make(map[string]map[string]any)
	for path, item := range doc.Values["paths"].(map[string]any) {
		operation := apiclient.Object{Values: item.(map[string]any)}
		out[strings.ReplaceAll(path, "{featureId}", s.idOf(path))] = operation.At("get.responses").(map[string]any)
	}
	return out
}

// idOf is the id of a feature of the collection that a path belongs to.
func (s *subject) idOf(path string) string {
	collection, _, is := strings.Cut(path, "/items/")
	if !is {
		return "{featureId}"
	}
	return ids(s.get(collection + "/items?limit=1"))[0]
}

// references are all $ref of a document.
func references(v any) []string {
	var out []string
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			if ref, is := value.(string); is && name == "$ref" {
				out = append(out, ref)
			}
			out = append(out, references(value)...)
		}
	case []any:
		for _, value := range v {
			out = append(out, references(value)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
