package locale_test

import (
	"slices"
	"testing"

	"github.com/lafaekstreet/backend/shared/locale"
)

// FuzzAcceptLanguage: any header asks for one of ours, or for none, and then the
// default is spoken.
func FuzzAcceptLanguage(f *testing.F) {
	for _, seed := range []string{"tet", "pt-BR,pt;q=0.9,en;q=0.5", "*", "", "en;q=0", "zz-ZZ", "en-u-ca-gregory,;q=", "a-b-c-d-e-f-g-h", "tet-TL;q=1.1", "i-klingon", "x-private", "\xff", "-", "en;q=NaN"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		l, ok := locale.FromHeader(header)
		if !slices.Contains(locale.Languages(), l) || !ok && l != locale.Default {
			t.Errorf("%q asks for %q, %v", header, l, ok)
		}
		if again, same := locale.FromHeader(header); again != l || same != ok {
			t.Errorf("%q asks for %q and for %q", header, l, again)
		}
	})
}
