package report

import "github.com/lafaekstreet/backend/shared/locale"

// AIWords are what the AI wrote about a picture, in one language. An empty text is one that it did not write.
type AIWords struct {
	_                 struct{} `schema:"AnalysisWords"`
	Title             string   `json:"title,omitempty"`
	Description       string   `json:"description,omitempty"`
	RecommendedRepair string   `json:"recommended_repair,omitempty"`
	RelevanceReason   string   `json:"relevance_reason,omitempty"`
}

// AITranslations are the words of an analysis in other languages than English: ai_analyses.translations.
type AITranslations map[locale.Language]AIWords

// Put replaces each text that is there by its translation into l. A text without one stays in English. Texts may be nil.
func (t AITranslations) Put(l locale.Language, title, description, repair, reason **string) {
	words := t[l]
	for _, one := range []struct {
		text       **string
		translated string
	}{{title, words.Title}, {description, words.Description}, {repair, words.RecommendedRepair}, {reason, words.RelevanceReason}} {
		if one.text != nil && *one.text != nil && one.translated != "" {
			*one.text = &one.translated
		}
	}
}
