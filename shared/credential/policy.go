// Package credential checks what people prove themselves with: passwords (Argon2id, and bcrypt of migrated accounts), codes
// of a second factor (TOTP, RFC 6238) and ID tokens of Google sign-in.
package credential

import (
	_ "embed"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Lengths of the contract, in characters.
const (
	MinLength = 8
	MaxLength = 128
)

// Weakness is why a password is refused; empty for one that is good enough.
// Its text stands in the catalog under "password."+Weakness.
type Weakness string

// The weaknesses.
const (
	TooShort Weakness = "too_short"
	TooLong  Weakness = "too_long"
	IsEmail  Weakness = "is_email"
	Common   Weakness = "common"
)

//go:embed common.txt
var commonText string

var common = sync.OnceValue(func() map[string]struct{} {
	words := make(map[string]struct{})
	for word := range strings.FieldsSeq(commonText) {
		words[word] = struct{}{}
	}
	return words
})

// Weak judges a password for the account of an address.
func Weak(password, address string) Weakness {
	password = norm.NFC.String(password)
	length := utf8.RuneCountInString(password)
	lower := strings.ToLower(password)
	local, _, _ := strings.Cut(address, "@")
	switch {
	case length < MinLength:
		return TooShort
	case length > MaxLength:
		return TooLong
	case address != "" && (lower == strings.ToLower(address) || lower == strings.ToLower(local)):
		return IsEmail
	case isCommon(lower):
		return Common
	}
	return ""
}

func isCommon(lower string) bool {
	if _, listed := common()[lower]; listed {
		return true
	}
	return uniform(lower)
}

// uniform reports that s is one character repeated, or a sequence up or down ("abcdefgh", "87654321").
func uniform(s string) bool {
	var step rune
	var last rune
	for i, r := range []rune(s) {
		switch {
		case i == 1:
			step = r - last
		case i > 1 && r-last != step:
			return false
		}
		last = r
	}
	return step >= -1 && step <= 1
}
