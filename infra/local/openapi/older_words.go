package openapi

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// nameWords makes a schema of each set of words of a member, where it is none yet: Agency.kind has the schema AgencyKind. OpenAPI Generator
// writes invalid Dart for a required member with words of its own. A member with one word is a text, and its description says the
// word: for Dart the parts of a union become one class, which would have the words of one part alone.
func nameWords(schemas map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		nameWordsOf(name, schemas[name].(map[string]any), schemas)
	}
}

// nameWordsOf names the words of the members of an object, and of objects inside of it.
func nameWordsOf(name string, object, schemas map[string]any) {
	parts, _ := object["allOf"].([]any)
	for _, part := range parts {
		nameWordsOf(name, part.(map[string]any), schemas)
	}
	properties, _ := object["properties"].(map[string]any)
	for member, p := range properties {
		s := p.(map[string]any)
		own := name + camel(member)
		words, _ := s["enum"].([]any)
		if len(words) == 0 || s["type"] != "string" {
			nameWordsOf(own, s, schemas)
			continue
		}
		delete(s, "enum")
		words = slices.DeleteFunc(words, func(word any) bool { return word == nil })
		if len(words) == 1 {
			description, _ := s["description"].(string)
			s["description"] = strings.TrimPrefix(fmt.Sprintf("%s. Always %v", description, words[0]), ". ")
			continue
		}
		schemas[own] = map[string]any{"type": "string", "enum": words}
		if s["nullable"] == nil {
			delete(s, "type") // nullable counts beside a type alone
		}
		s["$ref"] = "#/components/schemas/" + own
		properties[member] = olderRef(s)
	}
}

// camel is "agency_type" as "AgencyType".
func camel(words string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(words, "_") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}
