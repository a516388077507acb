package credential

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// MaxTypedCode bounds a code as it is sent, in bytes. It leaves room for spaces and invisible characters, which mail
// programs add.
const MaxTypedCode = 64

// TypedCode is a code that a person typed or pasted, in the one form that codes are compared in: letters in lower case,
// digits as 0 to 9. White space, hyphens, full stops, invisible characters and all other signs are dropped. Digits of
// other scripts and full-width characters count as what they stand for.
func TypedCode(given string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Nd, r):
			return '0' + digitOf(r)
		case unicode.IsLetter(r):
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFKC.String(given))
}

// digitOf returns the value of a decimal digit. Unicode has the ten digits of a script in one row.
func digitOf(r rune) rune {
	for _, table := range unicode.Nd.R16 {
		if low, high := rune(table.Lo), rune(table.Hi); low <= r && r <= high {
			return (r - low) % 10
		}
	}
	for _, table := range unicode.Nd.R32 {
		if low, high := rune(table.Lo), rune(table.Hi); low <= r && r <= high {
			return (r - low) % 10
		}
	}
	return 0
}

// IsDigits reports whether a typed code is n decimal digits.
func IsDigits(code string, n int) bool {
	return len(code) == n && strings.Trim(code, "0123456789") == ""
}
