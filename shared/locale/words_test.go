package locale_test

import (
	"regexp"
	"testing"

	"github.com/lafaekstreet/backend/shared/locale"
)

// notUsed are the forms that GLOSSARY.md refuses. Parts of other words do not count.
var notUsed = map[locale.Language]*regexp.Regexp{
	locale.Portuguese: regexp.MustCompile(`(?i)\b(denúncias?|agências?|resolvid[oa]s?|não aceites?)(\P{L}|$)`),
	locale.Tetum:      regexp.MustCompile(`(?i)(^|[^\p{L}_])(instituisaun|funsionáriu|pendente|dupla|imajen|ficheiru|labele|hosi|liuhosi|maka|upload)([^\p{L}_]|$)`),
}

// One thing has one word in a language: that of GLOSSARY.md.
func TestOneWordForOneThing(t *testing.T) {
	t.Parallel()
	all, err := locale.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	for key, texts := range all {
		for language, words := range notUsed {
			if found := words.FindString(texts[language]); found != "" {
				t.Errorf("%s, %s: %q is not a word of the glossary: %s", key, language, found, texts[language])
			}
		}
	}
}
