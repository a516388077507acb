package web

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/net/html"

	"github.com/lafaekstreet/backend/shared/comment"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// attacks are titles and descriptions that try to become markup.
var attacks = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `</title><svg onload=alert(1)>`,
	`</script><script>alert(1)</script>`, `javascript:alert(1)`, `<!-- `, `]]>`, `{{texts}} %s %!s(MISSING)`, `&lt;script&gt;`, "\x00\u2028`${alert(1)}`",
}

// TestUserTextIsNeverMarkup puts each attack into every field and reads the
// page with a parser that follows the rules of browsers.
func TestUserTextIsNeverMarkup(t *testing.T) {
	t.Parallel()
	v := testView(t)
	harmless := elements(t, pageOf(t, v, "x"))
	for _, attack := range attacks {
		nodes := elements(t, pageOf(t, v, attack))
		if len(nodes) != len(harmless) {
			t.Errorf("%q makes %d elements of %d", attack, len(nodes), len(harmless))
			continue
		}
		for i, n := range nodes {
			if n.Data != harmless[i].Data || len(n.Attr) != len(harmless[i].Attr) {
				t.Errorf("%q makes <%s> out of <%s>", attack, n.Data, harmless[i].Data)
			}
			for _, a := range n.Attr {
				leads := strings.ToLower(strings.TrimSpace(a.Val))
				if strings.HasPrefix(a.Key, "on") || (a.Key == "href" || a.Key == "src") && strings.HasPrefix(leads, "javascript:") {
					t.Errorf("%q gives <%s> %s=%q", attack, n.Data, a.Key, a.Val)
				}
			}
		}
		if heading := textOf(nodes, "h1"); heading != strings.ReplaceAll(attack, "\x00", "") {
			t.Errorf("%q is shown as %q", attack, heading)
		}
	}
}

func testView(t *testing.T) view {
	t.Helper()
	p := &Web{assets: loadAssets, mirror: "https://mirror.example/?a=1&b=2"}
	_, v := p.view(locale.WithLanguage(context.Background(), locale.English), PageInput{})
	return v
}

// pageOf is the page of a report that says s wherever it can.
func pageOf(t *testing.T, v view, s string) []byte {
	t.Helper()
	size := 10
	due := timestamp.Of(time.Unix(0, 0))
	r := reportread.Report{AI: &reportread.Assessment{Status: report.AIFailed, RecommendedRepair: &s}}
	r.ID, r.ReportNumber, r.Title, r.Description, r.Status = uuid.New(), s, s, s, report.Status(s)
	r.Street, r.Suco, r.District, r.Municipality, r.IssueTypeRaw = &s, &s, &s, &s, &s
	r.Images = []reportread.Image{{Kind: "evidence", ImageURL: &s, ThumbnailURL: &s, Width: &size, Height: &size}}
	r.StatusHistory = []reportread.Step{{NewStatus: report.Status(s), ChangedBy: s, Agency: &s, AgencyName: &s, Note: &s}}
	r.AssignedAgency, r.DueAt, r.DuplicateOf = &reportread.ReportAgency{Name: s}, &due, &reportread.Original{ReportNumber: s}
	r.Blockchain = ledger.Anchor{Network: s, TransactionID: &s, ExplorerURL: &s}
	comments := []comment.Comment{{Content: s, Author: &comment.Author{FullName: s, Role: identity.Role(s), IsOfficial: true}}}
	out, err := shownReport{view: v, Report: r, comments: comments}.page()
	if err != nil {
		t.Fatal(err)
	}
	return out.Body
}

// elements are those of a page, in order.
func elements(t *testing.T, page []byte) []*html.Node {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var out []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			out = append(out, n)
		}
	}
	return out
}

func textOf(nodes []*html.Node, name string) string {
	for _, n := range nodes {
		if n.Data == name && n.FirstChild != nil {
			return n.FirstChild.Data
		}
	}
	return ""
}

func TestUserTextCannotEndAScriptElement(t *testing.T) {
	t.Parallel()
	got, err := scriptJSON(map[string]string{"a": `</script><script>alert(1)//<!--`})
	if err != nil || strings.ContainsAny(string(got), "<>&") {
		t.Errorf("%s, %v", got, err)
	}
}

func TestLinksLeadOnlyToTheWeb(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]fragment{
		"https://a.example/?b=1&c=2": "https://a.example/?b=1&amp;c=2", "/map": "/map", "http://localhost:8000/x": "http://localhost:8000/x",
		"javascript:alert(1)": "#", " javascript:alert(1)": "#", "JavaScript:alert(1)": "#", "data:text/html,x": "#", "map": "#", "": "#",
		"https://a.example/\"><script>": "https://a.example/&#34;&gt;&lt;script&gt;", "\x01javascript:x": "#",
	} {
		if got := address(s); got != want {
			t.Errorf("%q leads to %q, want %q", s, got, want)
		}
	}
}

func TestAPlaceholderWithoutAValueIsAnError(t *testing.T) {
	t.Parallel()
	value := func(place string) (fragment, bool) { return "{{other}}", place == "known" }
	if got, err := fill(`<p>{{known}}</p>`, value); err != nil || string(got) != `<p>{{other}}</p>` {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := fill(`<p>{{unknown}}</p>`, value); err == nil {
		t.Error("nobody notices")
	}
}

// Every event of the ledger has a name on the page.
func TestEveryEventHasAName(t *testing.T) {
	t.Parallel()
	for _, l := range locale.Languages() {
		names := labels(view{lang: l}, "event", ledger.Types())
		for _, typ := range ledger.Types() {
			if names[string(typ)] == "" {
				t.Errorf("%s has no name in %s", typ, l)
			}
		}
	}
}
