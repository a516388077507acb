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

func TestAddressesThatNoServerDelivers(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 64)
	for address, want := range map[string]bool{
		"maria@example.tl": true, "m.o'neill+x@mail.example-x.org": true, "a@xn--mnchen-3ya.example": true, "a@1.example": true, long + "@example.org": true,
		"a@[127.0.0.1]": false, "a@127.0.0.1": false, long + "a@example.org": false, "a@-example.org": false, "a@example-.org": false, "a@exa_mple.org": false,
		"a@example.org.": false, "a@" + long + ".org": false, "josé@example.tl": false, "a@example.-org": false,
	} {
		if got := mail.Deliverable(address); got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
}
