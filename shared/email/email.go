// Package email reads e-mail addresses the one way the whole system knows them.
package email

import (
	"net/mail"
	"strings"
)

// MaxLength of an address in bytes (RFC 5321, 4.5.3.1.3).
const MaxLength = 254

// Parse returns the address trimmed and in lower case; false when it is
// none: a name around it, a missing dot in the domain, control characters.
func Parse(s string) (string, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "" || len(s) > MaxLength || strings.ContainsAny(s, "\x00\r\n\t \"<>,;:") {
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
