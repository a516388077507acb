package httpapi

import (
	"bytes"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/lafaekstreet/backend/shared/problem"
)

const textFault = "expected UTF-8 without the character U+0000"

// checkText refuses text in the address that PostgreSQL cannot store: the character
// U+0000, and bytes that are not UTF-8. In a JSON body neither is refused: the
// decoder replaces wrong bytes and withoutNUL drops the character, so that no report is lost for it.
func checkText(path string, query url.Values) error {
	if !validText(path) {
		return problem.InvalidField("path", textFault)
	}
	for name, values := range query {
		if !validText(name) {
			return problem.InvalidField("query", textFault)
		}
		for _, value := range values {
			if !validText(value) {
				return problem.InvalidField(name, textFault)
			}
		}
	}
	return nil
}

func validText(text string) bool { return utf8.ValidString(text) && !strings.Contains(text, "\x00") }

// withoutNUL returns a JSON text without the escapes of U+0000. A backslash that is itself escaped starts no escape.
func withoutNUL(raw []byte) []byte {
	escape := []byte(`\u0000`)
	if !bytes.Contains(raw, escape) {
		return raw
	}
	out := make([]byte, 0, len(raw))
	for len(raw) > 0 {
		n := 1
		switch {
		case bytes.HasPrefix(raw, escape):
			raw = raw[len(escape):]
			continue
		case raw[0] == '\\' && len(raw) > 1:
			n = 2
		}
		out, raw = append(out, raw[:n]...), raw[n:]
	}
	return out
}
