package guide

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/locale"
)

// What the guides name exists: codes, warnings, operations and headings. Their examples are JSON.
func TestGuidesNameWhatExists(t *testing.T) {
	t.Parallel()
	code, call := regexp.MustCompile("\\b[45]\\d\\d `([a-z_]+)`"), regexp.MustCompile("\\b(GET|POST|PUT|PATCH|DELETE) `?(/[^ `?\n]+)")
	block := regexp.MustCompile("(?s)\n```json\n(.*?)\n```\n")
	for _, name := range names() {
		g, _ := Find(name)
		for _, m := range code.FindAllStringSubmatch(g.Source, -1) {
			if _, ok := locale.Text(locale.English, "problem."+m[1], nil); !ok {
				t.Errorf("%s: there is no code %s", name, m[1])
			}
		}
		for _, m := range call.FindAllStringSubmatch(g.Source, -1) {
			if !served(m[1], m[2]) && !served(m[1], "/api/v1"+m[2]) {
				t.Errorf("%s: there is no %s %s", name, m[1], m[2])
			}
		}
		for _, m := range block.FindAllStringSubmatch(g.Source, -1) {
			if !json.Valid([]byte(m[1])) {
				t.Errorf("%s: this is no JSON: %.80s", name, m[1])
			}
		}
	}
	if g, _ := Find("changelog"); !strings.Contains(g.Source, "\n\n## "+httpapi.Version+"\n") {
		t.Errorf("the changelog of the API does not know version %s", httpapi.Version)
	}
}

// served reports whether a function serves a call. A segment in braces, or with an example of an id, stands for any value.
func served(method, path string) bool {
	got := strings.Split(path, "/")
	for _, r := range catalog.Routes() {
		want := strings.Split(r.Path, "/")
		match := len(want) == len(got)
		for i := range want {
			match = match && (want[i] == got[i] || strings.HasPrefix(want[i], "{"))
		}
		for _, m := range r.Methods {
			if match && m == method {
				return true
			}
		}
	}
	return false
}
