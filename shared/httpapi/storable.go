package httpapi

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/lafaekstreet/backend/shared/problem"
)

// storable keeps away text the database cannot keep: the character U+0000, and bytes that are no UTF-8. In the address
// both are refused. In a JSON body the decoder replaces the latter, and the former, which no keyboard types, is dropped:
// a report is not lost for it.
func (a *API) storable(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !keepable(r.URL.Path) {
			a.refuse(w, r, problem.InvalidField("path", notKeepable))
			return
		}
		for name, values := range r.URL.Query() {
			if !keepable(name) {
				a.refuse(w, r, problem.InvalidField("query", notKeepable))
				return
			}
			for _, value := range values {
				if !keepable(value) {
					a.refuse(w, r, problem.InvalidField(name, notKeepable))
					return
				}
			}
		}
		if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); r.Body != nil && strings.HasSuffix(media, "json") {
			raw, err := io.ReadAll(r.Body)
			if err != nil {
				a.refuse(w, r, bodyFault(err))
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(withoutNUL(raw)))
		}
		next.ServeHTTP(w, r)
	})
}

const notKeepable = "expected UTF-8 without the character U+0000"

func keepable(text string) bool { return utf8.ValidString(text) && !strings.Contains(text, "\x00") }

// withoutNUL is a JSON text less the escapes of U+0000; one whose backslash is itself escaped is none.
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
