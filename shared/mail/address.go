package mail

import (
	"net/mail"
	"strings"
	"unicode"
)

// MaxAddressLength is the longest address, in bytes (RFC 5321, 4.5.3.1.3).
const MaxAddressLength = 254

// ParseAddress returns the address trimmed and in lower case. It is false for anything else: a
// name around the address, a domain without a dot, control characters.
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

// unseen reports a space or a character that is not printed, such as a change of direction.
func unseen(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) }
