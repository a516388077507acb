package httpapi

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"net/http"
	"strings"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/problem"
)

// opensPage reports whether a person opens an address in a browser. Scripts and apps do not ask for HTML, and get problem documents.
// What is below /api, /log and /open311 is for programs.
func opensPage(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && strings.Contains(r.Header.Get("Accept"), "text/html") &&
		!strings.HasPrefix(r.URL.Path, "/api/") && !strings.HasPrefix(r.URL.Path, "/log/") && !strings.HasPrefix(r.URL.Path, "/open311/")
}

// pageLanguage is the language that the reader of a page chose: by ?lang=, else by the cookie that remembers it.
func pageLanguage(r *http.Request) (locale.Language, bool) {
	if l, ok := locale.Parse(strings.ToLower(r.URL.Query().Get("lang"))); ok {
		return l, true
	}
	if c, err := r.Cookie("lang"); err == nil {
		return locale.Parse(c.Value)
	}
	return locale.Default, false
}

// problemStyle has the colours of the pages' stylesheet. It is in the page, because a file could be missing too.
const problemStyle = `:root{--ink:#16212b;--soft:#536370;--paper:#fff;--wash:#f3f6f8;--line:#cfd9e0;--main:#0b5a99;--on-main:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e8eef2;--soft:#a5b5c0;--paper:#18222b;--wash:#10181f;--line:#33424e;--main:#6db7f2;--on-main:#0d1a24}}
body{margin:0;padding:1rem;color:var(--ink);background:var(--wash);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
main{max-width:34rem;margin:2rem auto;padding:1.25rem;background:var(--paper);border:1px solid var(--line);border-radius:.6rem}
h1{font-size:1.45rem;line-height:1.25;margin:0 0 .5rem}p{margin:0 0 .75rem}small{color:var(--soft)}
a{display:inline-block;margin:.25rem .5rem .25rem 0;padding:.6rem 1rem;color:var(--main);border:1px solid var(--main);border-radius:.4rem;text-decoration:none;font-weight:600}
a.main{color:var(--on-main);background:var(--main)}`

// writeProblemPage is the ProblemForm of pages. The page needs neither the database nor a file of ours, so it also works when those
// are what is missing.
func writeProblemPage(w http.ResponseWriter, r *http.Request, d *problem.Document) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", problemPolicy)
	w.WriteHeader(d.Status)
	_, _ = w.Write(problemPage(locale.FromContext(r.Context()), d.Status, d)) // an error means that the client is gone
}

var problemPolicy = func() string {
	sum := sha256.Sum256([]byte(problemStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

// problemPage is the page of a problem: what happened, what to do next, and for a fault of ours the id of the request.
func problemPage(l locale.Language, status int, d *problem.Document) []byte {
	t := func(key string) string {
		text, _ := locale.Text(l, "page.problem."+key, nil)
		return html.EscapeString(text)
	}
	title := t(problemTitle(status))
	var b strings.Builder
	b.WriteString(`<!doctype html><html lang="` + string(l) + `"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">` +
		`<meta name="color-scheme" content="light dark"><title>` + title + ` · LafaekStreet</title><style>` + problemStyle + `</style></head><body><main><h1>` + title + `</h1>`)
	if status == http.StatusNotFound {
		b.WriteString(`<p>` + t("missing_why") + `</p>`)
	} else {
		b.WriteString(`<p>` + html.EscapeString(d.Detail) + `</p>`)
	}
	for _, f := range d.Errors {
		b.WriteString(`<p>` + html.EscapeString(f.Name+": "+f.Message) + `</p>`)
	}
	b.WriteString(`<p>`)
	if again := status == http.StatusTooManyRequests || status >= http.StatusInternalServerError; again {
		b.WriteString(`<a class="main" href="">` + t("try_again") + `</a>`)
	}
	b.WriteString(`<a href="/">` + t("to_start") + `</a></p>`)
	if status >= http.StatusInternalServerError && d.RequestID != "" {
		b.WriteString(`<p><small>` + t("request") + ` ` + html.EscapeString(d.RequestID) + `</small></p>`)
	}
	b.WriteString(`</main></body></html>`)
	return []byte(b.String())
}

// problemTitle is the key of the heading for a status.
func problemTitle(status int) string {
	switch {
	case status == http.StatusNotFound:
		return "missing"
	case status == http.StatusTooManyRequests:
		return "too_many"
	case status == http.StatusServiceUnavailable:
		return "unavailable"
	case status >= http.StatusInternalServerError:
		return "failed"
	}
	return "wrong"
}
