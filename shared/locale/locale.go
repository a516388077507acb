// Package locale holds the texts of the system in its three languages and chooses a
// reader's language.
package locale

import (
	"context"

	"golang.org/x/text/language"
)

// Language is a language of the system; its value is used in JSON and in the database.
type Language string

// The languages of the system.
const (
	Tetum      Language = "tet"
	Portuguese Language = "pt"
	English    Language = "en"
)

// Default is the language of answers if the client asks for none.
const Default = English

// Languages lists all languages.
func Languages() []Language { return []Language{Tetum, Portuguese, English} }

// Parse reads a Language. It returns Default and false for any other text.
func Parse(s string) (Language, bool) {
	switch l := Language(s); l {
	case Tetum, Portuguese, English:
		return l, true
	}
	return Default, false
}

var matcher = language.NewMatcher([]language.Tag{language.English, language.Make("tet"), language.Portuguese})

// FromHeader returns the language that an Accept-Language header asks for. It returns
// Default and false if the header names no language of the system.
func FromHeader(header string) (Language, bool) {
	if header == "" {
		return Default, false
	}
	tags, _, err := language.ParseAcceptLanguage(header)
	if err != nil || len(tags) == 0 {
		return Default, false
	}
	_, i, confidence := matcher.Match(tags...)
	if confidence == language.No {
		return Default, false
	}
	return []Language{English, Tetum, Portuguese}[i], true
}

type contextKey struct{}

// WithLanguage returns ctx for a reader of l.
func WithLanguage(ctx context.Context, l Language) context.Context {
	return context.WithValue(ctx, contextKey{}, l)
}

// FromContext returns the reader's language, Default if ctx has none.
func FromContext(ctx context.Context) Language {
	if l, ok := ctx.Value(contextKey{}).(Language); ok {
		return l
	}
	return Default
}

// Name chooses a name for a reader of l: that in the language, or the English one where there is none.
func Name(l Language, english, tetum, portuguese string) string {
	switch {
	case l == Tetum && tetum != "":
		return tetum
	case l == Portuguese && portuguese != "":
		return portuguese
	}
	return english
}
