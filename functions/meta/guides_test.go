package meta_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/functions/meta"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

// A guide is HTML for a browser, and the Markdown that it is made from for who asks for it.
func TestGuideIsHTMLOrMarkdown(t *testing.T) {
	t.Parallel()
	anybody := testenv.New(t, meta.Open).Anonymous()
	for accept, markdown := range map[string]bool{
		"":                                     false,
		"*/*":                                  false,
		"text/markdown":                        true,
		"text/markdown;q=0.9, text/html;q=0.8": true,
		"text/markdown;q=0.5, text/html":       false,
		"text/html, text/markdown":             true, // a program that reads pages names both
		"text/markdown;q=0":                    false,
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": false,
	} {
		got := anybody.With("Accept", accept).Get("//docs/guides/log").Want(http.StatusOK)
		want, begin := "text/html; charset=utf-8", "<!doctype html>"
		if markdown {
			want, begin = "text/markdown; charset=utf-8", "# Write a verifier from this page alone\n"
		}
		if got.Header.Get("Content-Type") != want || !strings.HasPrefix(string(got.Body), begin) {
			t.Errorf("Accept %q: %s %.40q", accept, got.Header.Get("Content-Type"), got.Body)
		}
		vary := got.Header.Values("Vary") // a cache must tell apart what depends on these
		if !slices.Contains(vary, "Accept") || !slices.Contains(vary, "Accept-Encoding") || got.Header.Get("Cache-Control") != "public, max-age=60" {
			t.Errorf("Vary %q, Cache-Control %q", vary, got.Header.Get("Cache-Control"))
		}
	}
	page := anybody.Get("//docs/guides/log")
	if policy := page.Header.Get("Content-Security-Policy"); strings.Contains(policy, "script-src") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
	for _, part := range []string{`<h2 id="receipt"><a href="#receipt">Receipt</a></h2>`, `<div class="wide" tabindex="0"><table>`, `<pre tabindex="0"><code class="language-text">`} {
		if !strings.Contains(string(page.Body), part) {
			t.Errorf("the page has no %s", part)
		}
	}
	if strings.Contains(string(page.Body), "<b>") {
		t.Error("HTML of the source is not escaped")
	}
	for _, path := range []string{"//docs/guides/none", "//docs/guides/.md", "//docs/guides/log.md.md", "//docs/guides/..%2Fguide"} {
		anybody.Get(path).WantProblem(http.StatusNotFound, "not_found")
	}
}
