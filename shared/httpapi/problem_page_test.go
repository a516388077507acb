package httpapi_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// asBrowser is what a browser asks for when a person opens an address.
const asBrowser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

// A browser gets a page, in the language of the person, that says what to do next. Programs keep problem documents.
func TestABrowserGetsAPageForAProblem(t *testing.T) {
	t.Parallel()
	s, _ := serve(t)
	for _, c := range []struct {
		name, path string
		headers    []string
		status     int
		words      string
	}{
		{"unknown address", "/nowhere", nil, 404, "This page does not exist"},
		{"language of the browser", "/nowhere", []string{"Accept-Language", "pt-PT"}, 404, "Esta página não existe"},
		{"language that was chosen", "/nowhere", []string{"Accept-Language", "pt-PT", "Cookie", "lang=tet"}, 404, "Pájina ne&#39;e la iha"},
		{"language of the link", "/nowhere?lang=en", []string{"Cookie", "lang=tet"}, 404, "This page does not exist"},
		{"malformed", "/places?id=7", nil, 422, "id: "},
		{"internal", "/fail/error", nil, 500, `<a class="main" href="">Try again</a>`},
		{"panic", "/fail/panic", []string{"Accept-Encoding", "identity"}, 500, "Something went wrong on our side"},
	} {
		got := send(t, s, http.MethodGet, c.path, "", "", append([]string{"Accept", asBrowser}, c.headers...)...)
		if got.status != c.status || !strings.Contains(got.body, c.words) || !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") {
			t.Errorf("%s: got %d %s %s", c.name, got.status, got.header.Get("Content-Type"), got.body)
		}
		if got.header.Get("Cache-Control") != "no-store" || strings.Contains(got.body, "hunter2") || !strings.Contains(got.body, `href="/"`) {
			t.Errorf("%s: got %v %s", c.name, got.header, got.body)
		}
	}
	for path, headers := range map[string][]string{"/nowhere": {"Accept", "*/*"}, "/fail/error": nil, "/api/v1/nowhere": {"Accept", asBrowser}} {
		if got := send(t, s, http.MethodGet, path, "", "", headers...); got.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s for a program: got %s %s", path, got.header.Get("Content-Type"), got.body)
		}
	}
	if got := send(t, s, http.MethodGet, "/places", "", "", "Accept", asBrowser); got.status != http.StatusOK || !strings.Contains(got.body, "created_at") {
		t.Errorf("an answer that is no problem: got %d %s", got.status, got.body)
	}
}

// The style in the page is the only thing that its policy allows.
func TestThePageOfAProblemKeepsItsPolicy(t *testing.T) {
	t.Parallel()
	s, _ := serve(t)
	got := send(t, s, http.MethodGet, "/nowhere", "", "", "Accept", asBrowser)
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(got.body)
	if style == nil {
		t.Fatalf("no page: %s", got.body)
	}
	sum := sha256.Sum256([]byte(style[1]))
	if policy := got.header.Get("Content-Security-Policy"); !strings.Contains(policy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("policy %q", policy)
	}
}
