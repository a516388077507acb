package ogc_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

// encodingTests are those of GeoJSON and HTML.
func encodingTests() []abstractTest {
	return []abstractTest{
		{"/conf/geojson/definition", func(t *testing.T, s *subject) {
			for _, r := range s.resources() {
				for accept, query := range map[string]string{r.mediaType: "", "*/*": "", "application/json": "", "text/html": "?f=json", "application/xml": "", "text/html, application/json": "", "text/html;q=0.5,application/json": "", "text/html;q=oops,*/*;q=0.1": ""} {
					if got := s.nobody.With("Accept", accept).Get("//ogc" + r.path + query).Want(http.StatusOK).Header.Get("Content-Type"); got != r.mediaType {
						t.Errorf("%s%s as %s: %s", r.path, query, accept, got)
					}
				}
			}
		}},
		{"/conf/geojson/content", func(t *testing.T, s *subject) {
			for _, r := range s.resources() {
				got := s.nobody.Get("//ogc" + r.path).Want(http.StatusOK)
				fits(t, r.schema, got.Body)
				if _, id, is := strings.Cut(r.path, "/items/"); is && got.Object().Text("id") != id {
					t.Errorf("%s has the id %s", r.path, got.Object().Text("id"))
				}
			}
		}},
		{"/conf/html/definition", func(t *testing.T, s *subject) {
			for _, r := range s.resources() {
				for accept, query := range map[string]string{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": "", "application/json": "?f=html", "*/*": "?f=html", "text/*": ""} {
					if got := s.nobody.With("Accept", accept).Get("//ogc" + r.path + query).Want(http.StatusOK).Header.Get("Content-Type"); got != "text/html; charset=utf-8" {
						t.Errorf("%s%s as %s: %s", r.path, query, accept, got)
					}
				}
			}
		}},
		{"/conf/html/content", func(t *testing.T, s *subject) {
			for _, r := range s.resources() {
				page := s.pageOf(t, r.path)
				if r.schema == "openapi" {
					continue // a page for people; /conf/oas30/oas-definition-1 looks at it
				}
				said := page.text
				for _, value := range values(s.get(r.path)) {
					if !strings.Contains(said, value) {
						t.Errorf("the page of %s does not say %q", r.path, value)
					}
				}
				for _, href := range hrefs(s.get(r.path)) {
					if !page.links[href] && !page.links[strings.TrimSuffix(href, "?f=html")] && href != s.URL+"/ogc"+r.path+"?f=html" {
						t.Errorf("the page of %s does not lead to %s", r.path, href)
					}
				}
			}
		}},
	}
}

// document is a page as a browser reads it: the text of its body, and where its links lead.
type document struct {
	text  string
	links map[string]bool
}

// pageOf reads a path as a browser does, and checks that it is HTML 5 without scripts.
func (s *subject) pageOf(t *testing.T, path string) document {
	t.Helper()
	got := s.nobody.With("Accept", "text/html,*/*;q=0.8").Get("//ogc" + path).Want(http.StatusOK)
	root, err := html.Parse(strings.NewReader(string(got.Body)))
	if err != nil || !strings.HasPrefix(string(got.Body), "<!doctype html>\n<html lang=") {
		t.Fatalf("%s: %v, %.100s", path, err, got.Body)
	}
	if policy := got.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") || strings.Contains(policy, "script") {
		t.Errorf("%s has the policy %s", path, policy)
	}
	out := document{links: map[string]bool{}}
	for n := range root.Descendants() {
		switch {
		case n.Type == html.TextNode && n.Parent.Data != "style" && n.Parent.Data != "title":
			out.text += n.Data + " "
		case n.Type == html.ElementNode && (n.Data == "script" || n.Data == "iframe" || n.Data == "img"):
			t.Errorf("%s has a <%s>", path, n.Data)
		case n.Type == html.ElementNode:
			for _, a := range n.Attr {
				if a.Key == "href" {
					out.links[a.Val] = true
				}
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
					t.Errorf("%s has <%s %s>", path, n.Data, a.Key)
				}
			}
		}
	}
	return out
}

// values are the texts and numbers of a document that its page must say: all but the addresses of links, the coordinates, the time
// of the answer and the words that GeoJSON itself needs.
func values(o apiclient.Object) []string {
	var out []string
	var walk func(name string, v any)
	walk = func(name string, v any) {
		switch v := v.(type) {
		case map[string]any:
			if v["type"] == "FeatureCollection" || v["type"] == "Feature" {
				delete(v, "type")
			}
			delete(v, "timeStamp")
			delete(v, "coordinates")
			for member, value := range v {
				walk(member, value)
			}
		case []any:
			for _, value := range v {
				walk(name, value)
			}
		case string:
			if name != "href" && (name != "title" || v != "This answer") && !strings.HasPrefix(v, "The same as") && name != "rel" && name != "type" {
				out = append(out, v)
			}
		case float64:
			raw, _ := json.Marshal(v)
			out = append(out, string(raw))
		}
	}
	walk("", any(o.Values))
	return out
}

// hrefs are the addresses of all links of a document.
func hrefs(o apiclient.Object) []string {
	var out []string
	for _, l := range o.Items("links") {
		out = append(out, l.Text("href"))
	}
	for _, inner := range o.Items("collections") {
		out = append(out, hrefs(inner)...)
	}
	return out
}

func sameJSON(a, b any) bool { return reflect.DeepEqual(a, b) && fmt.Sprint(a) == fmt.Sprint(b) }
