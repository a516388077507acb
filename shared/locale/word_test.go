package locale_test

import (
	"testing"

	"github.com/lafaekstreet/backend/shared/locale"
)

func TestFoldWord(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		" Within 30-Days\n": "within_30_days",
		"password_reset":    "password_reset",
		"a\tb":              "a\tb", // only space and hyphen count as separators
		"":                  "",
	} {
		if got := locale.FoldWord(word); got != want {
			t.Errorf("FoldWord(%q) = %q, want %q", word, got, want)
		}
	}
}
