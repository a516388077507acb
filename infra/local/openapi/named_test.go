package openapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/openapi"
)

// Words that three and more members have are a schema with a name: a generator makes one type of them.
func TestSetsOfWordsHaveAName(t *testing.T) {
	t.Parallel()
	document := served(t)
	uses := make(map[string][]string)
	eachObject(t, document, func(at string, o map[string]any) {
		words := strings.Trim(strings.ReplaceAll(fmt.Sprint(o["enum"]), " <nil>", ""), "[]")
		if o["type"] != nil && o["enum"] != nil && !strings.Contains(at, "Problem/allOf/") { // codes
			uses[words] = append(uses[words], at)
		}
	})
	for words, places := range uses {
		if len(places) > 2 && words != "<nil>" {
			t.Errorf("%q needs a name in setNames: %v", words, places)
		}
	}
	for words, name := range openapi.SetNames() {
		if s := at(document, "components", "schemas", name); strings.Trim(fmt.Sprint(s["enum"]), "[]") != words {
			t.Errorf("no member has the words of %s any more: %q", name, words)
		}
	}
}

// Each reference of both documents leads to something.
func TestReferencesLeadSomewhere(t *testing.T) {
	t.Parallel()
	for name, document := range map[string]map[string]any{"3.1": served(t), "3.0": older(t)} {
		eachObject(t, document, func(place string, o map[string]any) {
			ref, is := o["$ref"].(string)
			if is && at(document, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...) == nil {
				t.Errorf("%s %s leads to %s, which is not there", name, place, ref)
			}
		})
	}
}
