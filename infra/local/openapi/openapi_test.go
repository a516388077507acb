package openapi_test

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/openapi"
	"github.com/lafaekstreet/backend/shared/httpapi"
)

func TestEmbeddedOpenAPIDocumentIsCurrent(t *testing.T) {
	t.Parallel()
	want, err := openapi.Document()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../../" + openapi.Path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is stale: run make openapi", openapi.Path)
	}
}

// The document describes calls of programs, each in words: pages for people and their files would be methods of every generated client.
func TestDocumentDescribesCallsOfPrograms(t *testing.T) {
	t.Parallel()
	raw, err := openapi.Document()
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Paths map[string]map[string]struct {
			Summary, Description string

			Responses map[string]struct {
				Content map[string]any `json:"content"`
			} `json:"responses"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(raw, &document); err != nil {
		t.Fatal(err)
	}
	program := regexp.MustCompile(`^(/api/v1/|/health$|/health/|/log/)`)
	for path, item := range document.Paths {
		if !program.MatchString(path) {
			t.Errorf("%s is for people", path)
		}
		for method, op := range item {
			if op.Summary == "" || op.Description == "" {
				t.Errorf("%s %s has no summary or no description", method, path)
			}
			if op.Responses["200"].Content["text/html"] != nil {
				t.Errorf("%s %s answers with a page", method, path)
			}
		}
	}
	for path := range openapi.API().Paths {
		if _, there := document.Paths[path]; !there && program.MatchString(path) {
			t.Errorf("%s is not described", path)
		}
	}
}

// The changelog of the API names every operation that will go, and every member that is not for new apps.
func TestWhatIsDeprecatedIsInTheChangelog(t *testing.T) {
	t.Parallel()
	changelog, err := os.ReadFile("../../../functions/meta/guide/changelog.md")
	if err != nil {
		t.Fatal(err)
	}
	for path, item := range openapi.API().Paths {
		for method, op := range httpapi.Operations(item) {
			if op.Deprecated && !strings.Contains(string(changelog), "`"+method+" "+path+"`") {
				t.Errorf("functions/meta/guide/changelog.md does not say that %s %s will go", method, path)
			}
		}
	}
	for name, schema := range openapi.API().Components.Schemas.Map() {
		for member, s := range schema.Properties {
			if s.Deprecated && !strings.Contains(string(changelog), "`"+member+"`") {
				t.Errorf("functions/meta/guide/changelog.md does not say what %s of %s is", member, name)
			}
		}
	}
}
