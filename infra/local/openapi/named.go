package openapi

import (
	"fmt"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/report"
)

// setNames are the names of sets of words that three and more members have, by their words. Such a set is a schema of its own, so
// that a generator makes one type of it.
func setNames() map[string]string {
	key := func(words []string) string { return strings.Join(words, " ") }
	return map[string]string{
		key(texts(report.IssueTypes())):  "IssueType",
		key(texts(report.Severities())):  "Severity",
		key(texts(report.Statuses())):    "ReportStatus",
		key(texts(report.ReasonCodes())): "ReasonCode",
		key(texts(report.Sources())):     "ReportSource",
		key(texts(locale.Languages())):   "Language",

		"queued processing completed rejected needs_review failed": "AIStatus",
		"queued submitting submitted confirmed failed":             "LedgerStatus",
		"citizen moderator government_official admin":              "Role",
		"municipal national contractor":                            "AgencyType",
		"email google":                                             "AuthProvider",
		"android ios web":                                          "Platform",
		"past plan":                                                "MarkerType",
		"public private":                                           "Visibility",
		"asc desc":                                                 "SortOrder",
	}
}

// nameSets makes components of the sets of words that have a name.
func nameSets(api *huma.OpenAPI) {
	names, components := setNames(), make(map[string]*huma.Schema)
	eachSchema(api, func(_ string, s *huma.Schema) {
		words := wordsOf(s)
		name := names[strings.Join(words, " ")]
		if name == "" {
			return
		}
		components[name] = &huma.Schema{Type: huma.TypeString}
		for _, word := range words {
			components[name].Enum = append(components[name].Enum, word)
		}
		ref := &huma.Schema{Ref: "#/components/schemas/" + name}
		if s.Nullable {
			ref = &huma.Schema{AnyOf: []*huma.Schema{ref, {Type: "null"}}}
		}
		ref.Description, ref.Default, ref.Examples = s.Description, s.Default, s.Examples
		*s = *ref
	})
	for name, s := range components {
		api.Components.Schemas.Map()[name] = s
	}
}

// wordsOf are the words that a text may be, null aside; none where it may be any text.
func wordsOf(s *huma.Schema) []string {
	if s.Type != huma.TypeString {
		return nil
	}
	var words []string
	for _, word := range s.Enum {
		if word != nil {
			words = append(words, fmt.Sprint(word))
		}
	}
	return words
}
