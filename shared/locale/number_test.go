package locale_test

import (
	"testing"

	"github.com/lafaekstreet/backend/shared/locale"
)

func TestNumbersHaveTheSeparatorOfTheLanguage(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", -1000: "-1,000", -100: "-100", 1234567: "1,234,567"} {
		if got := locale.Number(locale.English, n); got != want {
			t.Errorf("%d: got %q", n, got)
		}
	}
	if pt, tet := locale.Number(locale.Portuguese, 12345), locale.Number(locale.Tetum, 12345); pt != "12\u00a0345" || tet != "12.345" {
		t.Errorf("got %q, %q", pt, tet)
	}
}
