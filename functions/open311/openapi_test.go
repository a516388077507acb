package open311_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/functions/open311"
	"github.com/lafaekstreet/backend/infra/local/answers"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
)

// described are the operations of the document: "GET /requests.{format}" with its parameters.
func described(t *testing.T) map[string][]string {
	t.Helper()
	raw, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Paths map[string]map[string]struct {
			Summary    string
			Parameters []struct {
				Ref  string `json:"$ref"`
				Name string
			}
		}
	}
	if err := json.Unmarshal(raw, &document); err != nil {
		t.Fatal(err)
	}
	out := make(map[string][]string)
	for template, methods := range document.Paths {
		for method, op := range methods {
			name := strings.ToUpper(method) + " " + template
			out[name] = []string{}
			for _, p := range op.Parameters {
				out[name] = append(out[name], p.Name+strings.TrimPrefix(p.Ref, "#/components/parameters/"))
			}
			if op.Summary == "" {
				t.Errorf("%s has no summary", name)
			}
		}
	}
	return out
}

// The document has every route, and no other.
func TestDocumentHasEveryRoute(t *testing.T) {
	t.Parallel()
	routes := map[string]bool{}
	for _, r := range httpapi.RoutesOf(&open311.Group{}) {
		at := strings.TrimPrefix(r.Path, "/open311/v2")
		switch {
		case at == "/openapi.json":
			continue
		case strings.HasSuffix(at, "}"):
			at += ".{format}"
		default:
			at = regexp.MustCompile(`\.(xml|json)$`).ReplaceAllString(at, ".{format}")
		}
		routes[r.Method+" "+at] = true
	}
	have := described(t)
	for route := range routes {
		if _, ok := have[route]; !ok {
			t.Errorf("openapi.json does not have %s", route)
		}
	}
	for name := range have {
		if !routes[name] {
			t.Errorf("openapi.json has %s, which no route is", name)
		}
	}
}

// The document has the parameters that the code reads, and no other.
func TestDocumentHasTheParameters(t *testing.T) {
	t.Parallel()
	read := map[string]bool{"locale": true, "jurisdiction_id": true}
	asked := regexp.MustCompile(`\.(?:text|words|time)\("([a-z_]+)"\)`)
	for _, file := range []string{"call.go", "filters.go", "paging.go", "requests.go", "times.go", "updates.go", "bulk.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range asked.FindAllStringSubmatch(string(source), -1) {
			read[found[1]] = true
		}
	}
	have := described(t)["GET /requests.{format}"]
	for _, name := range slices.Sorted(maps.Keys(read)) {
		if !slices.Contains(have, name) {
			t.Errorf("GET /requests has no parameter %s in openapi.json", name)
		}
	}
	for _, name := range have {
		if name != "format" && !read[name] {
			t.Errorf("openapi.json has the parameter %s, which nothing reads", name)
		}
	}
}

// Answers and errors are as the document says. It allows no member that it does not list.
func TestAnswersAreAsTheDocumentSays(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, admin, nobody := w.Citizen(), w.Staff(identity.Admin), w.Anonymous()
	id, number := file(w, c, object{"location_accuracy": 5})
	_, _ = file(w, c, object{"title": "Pending", "issue_type": "bridge"})
	admin.Post("/reports/"+id+"/status", object{"status": "verified", "note": "Seen"}).Want(http.StatusOK)
	admin.Post("/reports/"+id+"/assign", object{"agency_id": w.Agency("WORKS").String()}).Want(http.StatusOK)
	served := nobody.Get(path("openapi.json")).Want(http.StatusOK)
	schema, err := answers.Serve(served.Body)
	if err != nil {
		t.Fatal(err)
	}
	for at, template := range map[string]string{
		"discovery.json": "/discovery.{format}", "services.json": "/services.{format}", "services/pothole.json": "/services/{service_code}.{format}", "services/x.json": "/services/{service_code}.{format}",
		"requests.json": "/requests.{format}", "requests.json?extensions=true": "/requests.{format}", "requests.json?status=x": "/requests.{format}", "requests.xml": "/requests.{format}",
		"requests/" + number + ".json": "/requests/{service_request_id}.{format}", "tokens/" + number + ".json": "/tokens/{token}.{format}", "tokens/x.json": "/tokens/{token}.{format}",
		"requests.csv": "/requests.csv", "servicerequestupdates.json": "/servicerequestupdates.{format}",
	} {
		got := nobody.Get(path(at))
		if fault := schema.Check(template, http.MethodGet, answers.Answer{Status: got.Status, Header: got.Header, Body: got.Body}); fault != "" {
			t.Errorf("%s: %s", at, fault)
		}
	}
	for name := range described(t) {
		method, template, _ := strings.Cut(name, " ")
		if fault := schema.Check(template, method, answers.Answer{Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{"x":1}`)}); fault == "" {
			t.Errorf("%s takes any answer: the comparison proves nothing", name)
		}
	}
}
