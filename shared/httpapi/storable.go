package httpapi

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lafaekstreet/backend/shared/problem"
)

// storable refuses text the database cannot keep: the character U+0000, and bytes that are no UTF-8. In a JSON body only
// the former can be left, as an escape: the decoder replaces the latter. Arrays of objects are left to the operation: the
// items of a batch are judged one by one.
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
			if member, found := memberWithNUL(raw); found {
				a.refuse(w, r, problem.InvalidField(member, notKeepable))
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(raw))
		}
		next.ServeHTTP(w, r)
	})
}

const notKeepable = "expected UTF-8 without the character U+0000"

func keepable(text string) bool { return utf8.ValidString(text) && !strings.Contains(text, "\x00") }

// memberWithNUL names a member of a JSON object that holds U+0000 outside of an array of objects.
func memberWithNUL(raw []byte) (string, bool) {
	var object map[string]json.RawMessage
	if !escapesNUL(raw) || json.Unmarshal(raw, &object) != nil {
		return "", false
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		var items []map[string]json.RawMessage
		if !keepable(name) {
			return "body", true
		}
		if escapesNUL(object[name]) && json.Unmarshal(object[name], &items) != nil {
			return name, true
		}
	}
	return "", false
}

// escapesNUL reports whether a JSON text holds the escape of U+0000; one whose backslash is itself escaped is none.
func escapesNUL(raw []byte) bool {
	escape := []byte(`\u0000`)
	for from := 0; ; {
		i := bytes.Index(raw[from:], escape)
		if i < 0 {
			return false
		}
		at := from + i
		backslashes := 0
		for at-backslashes >= 0 && raw[at-backslashes] == '\\' {
			backslashes++
		}
		if backslashes%2 == 1 {
			return true
		}
		from = at + len(escape)
	}
}
