package web

import (
	"html"
	"strings"
	"testing"
)

// FuzzMarkup: text of users stays inside its element or attribute and reads as
// they wrote it, and a link leads to the web or to this site.
func FuzzMarkup(f *testing.F) {
	for _, seed := range []string{`"><script>alert(1)</script>`, "javascript:alert(1)", " javascript:alert(1)", "//evil.example", "/a?b=\"c", "https://a.example/'", "JaVaScRiPt:x",
		"data:text/html,x", "https:\\\\a", "\x01javascript:x", "{{page.title}}", "%s%!d(", "\xff", "/\\evil.example", "http:javascript:x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, wrote string) {
		out := string(text(wrote))
		if strings.ContainsAny(out, `<>"'`) || html.UnescapeString(out) != wrote && !strings.Contains(wrote, "&") && !strings.Contains(wrote, "\r") && !strings.Contains(wrote, "\x00") {
			t.Errorf("%q is %q", wrote, out)
		}
		page, err := fill(`<p title="{{a}}">`, func(string) (fragment, bool) { return text(wrote), true })
		if err != nil || string(page) != `<p title="`+out+`">` {
			t.Errorf("%q fills a page as %s, %v", wrote, page, err)
		}
		to := html.UnescapeString(string(address(wrote)))
		lower := strings.ToLower(to)
		if to != "#" && !strings.HasPrefix(lower, "https:") && !strings.HasPrefix(lower, "http:") && !strings.HasPrefix(to, "/") {
			t.Errorf("%q leads to %q", wrote, to)
		}
	})
}
