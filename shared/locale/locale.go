// Package locale speaks the three languages of the system.
package locale

import (
	"context"

	"golang.org/x/text/language"
)

// Language is one of the three; its text is the wire form.
type Language string

// The languages of the system.
const (
	Tetum      Language = "tet"
	Portuguese Language = "pt"
	English    Language = "en"
)

// Default is the language of answers to clients that ask for none.
const Default = English

// Languages lists all of them, for tests and the meta route.
func Languages() []Language { return []Language{Tetum, Portuguese, English} }

// Parse reads a language's wire form; ok is false for any other text.
func Parse(s string) (Language, bool) {
	switch l := Language(s); l {
	case Tetum, Portuguese, English:
		return l, true
	}
	return Default, false
}

var matcher = language.NewMatcher([]language.Tag{language.English, language.Make("tet"), language.Portuguese})

// FromHeader picks the language an Accept-Language header asks for; ok is false
// when it names none of ours.
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

// FromContext is the reader's language.
func FromContext(ctx context.Context) Language {
	if l, ok := ctx.Value(contextKey{}).(Language); ok {
		return l
	}
	return Default
}
