package public_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/infra/local/testenv"
)

const (
	nsAtom   = "http://www.w3.org/2005/Atom"
	nsGeoRSS = "http://www.georss.org/georss"
)

// element is an element of a feed with all in it.
type element struct {
	name     xml.Name
	attr     map[string]string // by local name; "lang" is xml:lang
	text     string
	children []*element
}

func parseFeed(body []byte) (*element, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	open := []*element{{}}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return open[0].children[0], nil
		}
		if err != nil {
			return nil, err
		}
		top := open[len(open)-1]
		switch t := token.(type) {
		case xml.StartElement:
			e := &element{name: t.Name, attr: map[string]string{}}
			for _, a := range t.Attr {
				e.attr[a.Name.Local] = a.Value
			}
			top.children = append(top.children, e)
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			top.text += string(t)
		}
	}
}

func (e *element) all(name string) []*element {
	return slices.DeleteFunc(slices.Clone(e.children), func(c *element) bool { return c.name.Space != nsAtom || c.name.Local != name })
}

// word is the text of the one element with a name.
func (e *element) word(name string) string {
	if found := e.all(name); len(found) == 1 {
		return found[0].text
	}
	return ""
}

// link is the address of the one link with a relation.
func (e *element) link(rel string) string {
	for _, l := range e.all("link") {
		if l.attr["rel"] == rel {
			return l.attr["href"]
		}
	}
	return ""
}

// validate returns what breaks a rule of RFC 4287 or of GeoRSS.
func validate(body []byte) []string {
	var wrong []string
	fail := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	feed, err := parseFeed(body)
	if err != nil || feed.name != (xml.Name{Space: nsAtom, Local: "feed"}) {
		return []string{fmt.Sprintf("no feed: %v", err)}
	}
	if !bytes.HasPrefix(body, []byte(`<?xml version="1.0" encoding="UTF-8"?>`)) {
		fail("no declaration")
	}
	if feed.attr["lang"] == "" {
		fail("the feed has no xml:lang")
	}
	validateCommon(feed, fail)
	if a := feed.all("author"); len(a) != 1 || a[0].word("name") == "" { // 4.1.1: or else each entry has one
		fail("the feed has no author with a name")
	}
	if feed.link("self") == "" {
		fail("the feed has no link to itself") // 4.1.1: should
	}
	seen := map[string]bool{feed.word("id"): true}
	for _, e := range feed.all("entry") {
		validateCommon(e, fail)
		validateEntry(e, fail)
		if id := e.word("id"); seen[id] {
			fail("the id %s is there twice", id)
		} else {
			seen[id] = true
		}
		if moment(e, "updated").After(moment(feed, "updated")) {
			fail("an entry was updated after the feed")
		}
	}
	return wrong
}

// validateCommon has the rules for feed and entry: one id, title and updated; links and categories.
func validateCommon(e *element, fail func(string, ...any)) {
	for _, name := range []string{"id", "title", "updated"} {
		if strings.TrimSpace(e.word(name)) == "" {
			fail("%s: not one %s with a text", e.name.Local, name)
		}
	}
	if !isIRI(e.word("id")) {
		fail("the id %q is no IRI", e.word("id")) // 4.2.6
	}
	if moment(e, "updated").IsZero() {
		fail("updated %q is no date of RFC 3339", e.word("updated"))
	}
	links := map[string]bool{}
	for _, l := range e.all("link") { // 4.2.7
		kind := l.attr["rel"] + " " + l.attr["type"] + " " + l.attr["hreflang"]
		if !isIRI(l.attr["href"]) || !strings.Contains(l.attr["type"], "/") || !slices.Contains([]string{"self", "alternate", "enclosure"}, l.attr["rel"]) || links[kind] {
			fail("link %v", l.attr)
		}
		links[kind] = true
	}
	for _, c := range e.all("category") { // 4.2.2
		if c.attr["term"] == "" || !isIRI(c.attr["scheme"]) || c.attr["label"] == "" {
			fail("category %v", c.attr)
		}
	}
	for _, c := range e.children {
		if c.name.Space == nsAtom && !slices.Contains(strings.Fields("id title updated published author link category summary entry"), c.name.Local) {
			fail("an element %s", c.name.Local)
		}
		if kind := c.attr["type"]; (c.name.Local == "title" || c.name.Local == "summary") && kind != "" && kind != "text" {
			fail("%s of the type %s", c.name.Local, kind)
		}
	}
}

func validateEntry(e *element, fail func(string, ...any)) {
	if e.link("alternate") == "" && e.word("summary") == "" {
		fail("an entry without content and without a page") // 4.1.2
	}
	if len(e.all("summary")) > 1 || len(e.all("summary")) == 1 && e.word("summary") == "" {
		fail("an empty summary, or several")
	}
	if published := moment(e, "published"); published.IsZero() || published.After(moment(e, "updated")) {
		fail("published %q after updated", e.word("published"))
	}
	points := 0
	for _, c := range e.children {
		if c.name != (xml.Name{Space: nsGeoRSS, Local: "point"}) {
			continue
		}
		points++
		var degrees [2]float64
		for i, f := range strings.Fields(c.text) {
			if n, err := strconv.ParseFloat(f, 64); err == nil && i < 2 {
				degrees[i] = n
			}
		}
		if degrees[0] > -8 || degrees[0] < -10 || degrees[1] < 124 || degrees[1] > 128 { // latitude first
			fail("point %q", c.text)
		}
	}
	if points != 1 {
		fail("%d points", points)
	}
}

func isIRI(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.IsAbs() && !strings.ContainsAny(s, " \"<>\\^`{|}")
}

func moment(e *element, name string) time.Time {
	t, err := time.Parse(time.RFC3339, e.word(name))
	if err != nil {
		return time.Time{}
	}
	return t
}

// TestValidatorOfFeeds breaks a right feed by one rule after the other.
func TestValidatorOfFeeds(t *testing.T) {
	t.Parallel()
	right := []byte(`<?xml version="1.0" encoding="UTF-8"?><feed xmlns="` + nsAtom + `" xmlns:georss="` + nsGeoRSS + `" xml:lang="en"><id>https://a.example/f</id><title>T</title><updated>2026-01-02T00:00:00Z</updated>` +
		`<author><name>N</name></author><link rel="self" type="application/atom+xml" href="https://a.example/f"></link><entry><id>urn:uuid:1</id><title>E</title><published>2026-01-01T00:00:00Z</published>` +
		`<updated>2026-01-01T00:00:00Z</updated><category term="x" scheme="https://a.example/s" label="X"></category><link rel="alternate" type="text/html" href="https://a.example/r"></link><georss:point>-8.5 125.5</georss:point></entry></feed>`)
	if wrong := validate(right); len(wrong) > 0 {
		t.Fatalf("a right feed: %q", wrong)
	}
	for _, broken := range [][2]string{
		{`<?xml version="1.0" encoding="UTF-8"?>`, ""}, {nsAtom, "http://purl.org/atom/ns#"}, {` xml:lang="en"`, ""}, {"<id>https://a.example/f</id>", ""}, {"https://a.example/f<", "/f<"},
		{"<title>T</title>", "<title>T</title><title>U</title>"}, {"2026-01-02T00:00:00Z", "2 January"}, {"2026-01-02", "2025-12-31"}, {"<name>N</name>", ""}, {`rel="self"`, `rel="me"`},
		{"urn:uuid:1", "https://a.example/f"}, {"urn:uuid:1", "1"}, {`scheme="https://a.example/s"`, `scheme="s"`}, {`rel="alternate"`, `rel="enclosure"`}, {"-8.5 125.5", "125.5 -8.5"},
		{"<georss:point>-8.5 125.5</georss:point>", ""}, {"<published>2026-01-01", "<published>2026-01-03"}, {"<title>E", `<title type="html">E`}, {"<title>E", `<generator>x</generator><title>E`},
		{"<title>E", "<summary></summary><title>E"}, {`href="https://a.example/r"`, `href="/r"`}, {"</feed>", ""},
	} {
		if body := bytes.Replace(right, []byte(broken[0]), []byte(broken[1]), 1); len(validate(body)) == 0 {
			t.Errorf("%q instead of %q is found valid", broken[1], broken[0])
		}
	}
}

// feedAt reads a feed, which must be valid.
func feedAt(t *testing.T, c *testenv.Client, query string) (*element, http.Header) {
	t.Helper()
	got := c.Get("/public/feed.atom" + query).Want(http.StatusOK)
	if wrong := validate(got.Body); len(wrong) > 0 {
		t.Errorf("%s: %q in %s", query, wrong, got.Body)
	}
	feed, err := parseFeed(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return feed, got.Header
}

func TestFeedIsValid(t *testing.T) {
	t.Parallel()
	w := setup(t)
	author, anybody := w.Citizen(), w.Anonymous()
	empty, _ := feedAt(t, anybody, "")
	if len(empty.all("entry")) != 0 || empty.word("updated") != "1970-01-01T00:00:00Z" {
		t.Errorf("an empty feed: %+v", empty)
	}
	shown, number := file(w, author, map[string]any{"title": "Kuak & <b> ]]> \u0001", "description": "a\r\nb </summary>"})
	hidden, _ := file(w, author, map[string]any{"title": "Hidden words", "issue_type": "garbage"})
	gone, _ := file(w, author, map[string]any{"title": "Gone"})
	file(w, author, map[string]any{"title": "Pending"})
	w.Exec(`UPDATE reports SET status = 'verified' WHERE id = ANY($1)`, []string{shown, hidden, gone})
	w.Exec(`UPDATE reports SET words_hidden = 'moderator' WHERE id = $1`, hidden)
	w.Exec(`UPDATE reports SET status = 'rejected' WHERE id = $1`, gone)
	feed, header := feedAt(t, anybody, "")
	entries := feed.all("entry")
	if len(entries) != 2 {
		t.Fatalf("%d entries", len(entries))
	}
	if e := entries[1]; e.word("title") != "Kuak & <b> ]]> \ufffd" || e.link("alternate") != w.URL+"/r/"+number || e.word("id") != "urn:uuid:"+shown {
		t.Errorf("got %+v", e)
	}
	if e := entries[0]; strings.Contains(e.word("title"), "Hidden") || len(e.all("summary")) != 0 {
		t.Errorf("hidden words: %+v", e)
	}
	if got := header.Get("Cache-Control"); got != "public, max-age=60" {
		t.Errorf("Cache-Control %q", got)
	}
}

// A feed with filters is a feed of its own: the link to itself is the address that was asked for, and the id does not depend on how it was written.
func TestFeedIsItsAddress(t *testing.T) {
	t.Parallel()
	w := setup(t)
	anybody := w.Anonymous()
	seen := map[string]string{}
	for query, id := range map[string]string{
		"":                              "",
		"?status=":                      "",
		"?issue_type=pothole,garbage":   "?issue_type=pothole%2Cgarbage",
		"?issue_type=pothole%2Cgarbage": "?issue_type=pothole%2Cgarbage",
		"?lang=tet&status=verified":     "?lang=tet&status=verified",
		"?status=verified&lang=tet":     "?lang=tet&status=verified",
		"?q=Kol%C3%A9gio&bbox=125.4,-8.7,125.8,-8.4": "?bbox=125.4%2C-8.7%2C125.8%2C-8.4&q=Kol%C3%A9gio",
	} {
		feed, _ := feedAt(t, anybody, query)
		address := w.URL + "/api/v1/public/feed.atom"
		if got := feed.link("self"); got != address+query {
			t.Errorf("%s: the link to itself is %s", query, got)
		}
		if got := feed.word("id"); got != address+id {
			t.Errorf("%s: the id is %s", query, got)
		}
		seen[feed.word("id")] = query
	}
	if len(seen) != 4 {
		t.Errorf("%d feeds: %v", len(seen), seen)
	}
	feed, _ := feedAt(t, anybody, `?q="<b>&lang=pt&severity=high`)
	if got := feed.link("self"); got != w.URL+"/api/v1/public/feed.atom?lang=pt&q=%22%3Cb%3E&severity=high" {
		t.Errorf("characters that no address has: %s", got)
	}
	if got := feed.link("alternate"); got != w.URL+"/map?lang=pt&q=%22%3Cb%3E" {
		t.Errorf("the page: %s", got)
	}
}

func TestFeedIsCachedByContentAndLanguage(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id, _ := file(w, w.Citizen(), map[string]any{"title": "Kuak"})
	w.Exec(`UPDATE reports SET status = 'verified' WHERE id = $1`, id)
	_, first := feedAt(t, w.Anonymous(), "")
	for range 2 {
		if got := w.Anonymous().With("If-None-Match", first.Get("ETag")).Get("/public/feed.atom"); got.Status != http.StatusNotModified || len(got.Body) > 0 {
			t.Errorf("without a change: %d", got.Status)
		}
	}
	w.Exec(`UPDATE reports SET title = 'Kuak boot', updated_at = updated_at + interval '1 second' WHERE id = $1`, id)
	changed := w.Anonymous().With("If-None-Match", first.Get("ETag")).Get("/public/feed.atom").Want(http.StatusOK)
	if changed.Header.Get("ETag") == first.Get("ETag") {
		t.Error("a change of the title leaves the ETag")
	}
	w.Exec(`UPDATE reports SET status = 'rejected' WHERE id = $1`, id)
	w.Anonymous().With("If-None-Match", changed.Header.Get("ETag")).Get("/public/feed.atom").Want(http.StatusOK)
	for _, asked := range []struct{ header, query, lang, title string }{
		{"", "", "en", "LafaekStreet: newest reports"}, {"tet", "", "tet", "LafaekStreet: relatóriu foun sira"}, {"pt-BR", "", "pt", "LafaekStreet: relatos mais recentes"},
		{"en", "?lang=TET", "tet", "LafaekStreet: relatóriu foun sira"}, {"pt", "?lang=fr", "pt", "LafaekStreet: relatos mais recentes"},
	} {
		feed, header := feedAt(t, w.Anonymous().With("Accept-Language", asked.header), asked.query)
		if feed.attr["lang"] != asked.lang || header.Get("Content-Language") != asked.lang || feed.word("title") != asked.title || !strings.Contains(strings.Join(header.Values("Vary"), ","), "Accept-Language") {
			t.Errorf("%+v: xml:lang %q, title %q, headers %v", asked, feed.attr["lang"], feed.word("title"), header)
		}
	}
}
