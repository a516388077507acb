package mail_test

import (
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/shared/mail"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		" Ana@Example.TL ":                   "ana@example.tl",
		"ana+road@example.tl":                "ana+road@example.tl",
		"josé@example.tl":                    "josé@example.tl",
		"":                                   "",
		"ana":                                "",
		"ana@localhost":                      "",
		"Ana <ana@example.tl>":               "",
		"ana@example.tl\r\nBcc: x@y.z":       "",
		"ana@example.tl,b@example.tl":        "",
		strings.Repeat("a", 250) + "@ex.com": "",
	} {
		if got, ok := mail.ParseAddress(given); got != want || ok != (want != "") {
			t.Errorf("%q: got %q, %v", given, got, ok)
		}
	}
}
