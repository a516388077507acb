package mail

import (
	"net/mail"
	"strings"
	"unicode"
)

// MaxAddressLength of an address in bytes (RFC 5321, 4.5.3.1.3).
const MaxAddressLength = 254

// ParseAddress returns the address trimmed and in lower case; false when it is
// none: a name around it, a missing dot in the domain, control characters.
func ParseAddress(s string) (string, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "" || len(s) > MaxAddressLength || strings.ContainsAny(s, "\"<>,;:") || strings.ContainsFunc(s, unseen) {
		return "", false
	}
	parsed, err := mail.ParseAddress(s)
	if err != nil || parsed.Address != s || parsed.Name != "" {
		return "", false
	}
	_, domain, _ := strings.Cut(s, "@")
	if !strings.Contains(strings.Trim(domain, "."), ".") {
		return "", false
	}
	return s, true
}

// unseen is a character that shows nothing, makes others look otherwise, or is none yet.
func unseen(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) }
