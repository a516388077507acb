package httpapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// An Authorization header of any shape gives a token without spaces around it, or none.
func FuzzBearerToken(f *testing.F) {
	for _, seed := range []string{"Bearer abc", "bearer  abc ", "Bearer", "Bearer ", "Basic abc", "", "Bearer\tabc", "Bearer a b", "BEARER x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Authorization"] = []string{header}
		token, ok := bearerToken(r)
		if ok && (token == "" || token != strings.TrimSpace(token)) {
			t.Fatalf("%q gives %q", header, token)
		}
		if ok && !strings.EqualFold(header[:6], "bearer") {
			t.Fatalf("%q gives %q", header, token)
		}
	})
}

// Any body gives a key of fixed form, and nothing of the body is in it.
func FuzzMemberHash(f *testing.F) {
	for _, seed := range []string{`{"email":"ana@example.tl"}`, `{"email":1}`, `{`, ``, `null`, `[]`, `{"email":"\ud800"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if h := memberHash(parsed(body), "email"); len(h) != 24 {
			t.Fatalf("%q gives %q", body, h)
		}
	})
}

func parsed(text string) any {
	b := body{text: []byte(text)}
	b.parse()
	return b.value
}
