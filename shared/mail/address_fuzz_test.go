package mail_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/lafaekstreet/backend/shared/mail"
)

// FuzzAddress: any text is no address, or one that stays itself, fits a mail's
// header, and cannot be taken for two.
func FuzzAddress(f *testing.F) {
	for _, seed := range []string{" Ana@Example.TL ", "josé@example.tl", "Ana <ana@example.tl>", "a@b", "a@[127.0.0.1]", "a(b)@example.tl", "a@example.tl.", "İ@example.tl",
		"a\u0085b@example.tl", "a@example.tl\r\nBcc: b@example.tl", "\"a b\"@example.tl", "a@b@example.tl", "xn--@xn--.tl", "ſ@example.tl", "a\u202e@example.tl"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := mail.ParseAddress(text)
		if !ok {
			if got != "" {
				t.Errorf("%q is no address, and %q", text, got)
			}
			return
		}
		if again, ok := mail.ParseAddress(got); !ok || again != got {
			t.Errorf("%q is %q is %q", text, got, again)
		}
		if len(got) > mail.MaxAddressLength || !utf8.ValidString(got) || strings.Count(got, "@") != 1 {
			t.Errorf("address %q", got)
		}
		if strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsGraphic(r) || r == ' ' }) {
			t.Errorf("nothing to be seen of some of %q", got)
		}
	})
}
