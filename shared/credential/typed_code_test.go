package credential_test

import (
	"testing"
	"unicode"

	"github.com/lafaekstreet/backend/shared/credential"
)

func TestTypedCode(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"720451":                         "720451",
		" 720451 \n":                     "720451",
		"720451\u00a0":                   "720451",
		"893 031":                        "893031",
		"893\u00a0031":                   "893031",
		"119-118":                        "119118",
		"119\u2011118":                   "119118",
		"119\u2212118":                   "119118",
		"730681.":                        "730681",
		"\u200b730\u200e681\ufeff\u00ad": "730681",
		"７３０６８１．":                        "730681",
		"٧٣٠٦٨١":                         "730681",
		"۷۳۰۶۸۱":                         "730681",
		"७३०६८१":                         "730681",
		"\U0001d7d5\U0001d7f010681":      "7410681",
		"ABCD-efgh 2345":                 "abcdefgh2345",
		"ＡＢ":                             "ab",
		"":                               "",
		"\xff720451":                     "720451",
	} {
		if got := credential.TypedCode(given); got != want {
			t.Errorf("%q is %q, want %q", given, got, want)
		}
	}
}

// Each script has its ten digits in one row, in order. The values of digits are computed from that.
func TestDigitsOfEveryScriptStandInRowsOfTen(t *testing.T) {
	t.Parallel()
	for _, table := range unicode.Nd.R16 {
		if (table.Hi-table.Lo+1)%10 != 0 || table.Stride != 1 {
			t.Errorf("%U to %U, stride %d", table.Lo, table.Hi, table.Stride)
		}
	}
	for _, table := range unicode.Nd.R32 {
		if (table.Hi-table.Lo+1)%10 != 0 || table.Stride != 1 {
			t.Errorf("%U to %U, stride %d", table.Lo, table.Hi, table.Stride)
		}
	}
}

func TestIsDigits(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{"123456": true, "12345": false, "1234567": false, "12345a": false, "": false} {
		if credential.IsDigits(code, 6) != want {
			t.Errorf("%q: %v", code, !want)
		}
	}
}
