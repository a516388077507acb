package openapi

import (
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/report"
)

// vocabularies are sets of words that a tag may name in place of the words.
func vocabularies() map[string][]string {
	return map[string][]string{
		"issue_type":  texts(report.IssueTypes()),
		"severity":    texts(report.Severities()),
		"status":      texts(report.Statuses()),
		"reason_code": texts(report.ReasonCodes()),
	}
}

func texts[T ~string](words []T) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = string(w)
	}
	return out
}

// describeWords gives the members of a schema the words of their tag: `words:"past,plan"`, or a vocabulary as in
// `words:"issue_type"`. A client should send one of these.
// The tag does not change what the server takes: it reads other words as the description of the member says.
func describeWords(registry huma.Registry, name string, s *huma.Schema) {
	if len(s.Properties) == 0 || registry.Map()[name] != s {
		return
	}
	t := registry.TypeFromRef("#/components/schemas/" + name)
	if t == nil { // made by hand
		return
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return
	}
	for _, f := range reflect.VisibleFields(t) {
		member, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if tag, p := f.Tag.Get("words"), s.Properties[member]; tag != "" && p != nil {
			setWords(p, tag)
		}
	}
}

func setWords(s *huma.Schema, tag string) {
	words, known := vocabularies()[tag]
	if !known {
		words = strings.Split(tag, ",")
	}
	for _, word := range words {
		s.Enum = append(s.Enum, word)
	}
	if s.Nullable {
		s.Enum = append(s.Enum, nil)
	}
	s.MinLength, s.MaxLength = nil, nil
}
