package ogc_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"golang.org/x/net/html"

	"github.com/lafaekstreet/backend/infra/local/browser"
)

// The reader chooses the language on any page. Without a choice, the browser's language decides.
func TestPagesInThreeLanguages(t *testing.T) {
	t.Parallel()
	s := withData(t)
	for lang, want := range map[string]string{"en": "Municipalities", "pt-BR": "Municípios", "tet": "Munisípiu sira"} {
		got := s.nobody.With("Accept", "text/html").With("Accept-Language", lang).Get("//ogc/collections").Want(http.StatusOK)
		if body := string(got.Body); !strings.Contains(body, want) || !strings.Contains(body, `<html lang="`+strings.TrimSuffix(lang, "-BR")+`">`) {
			t.Errorf("%s: %.300s", lang, body)
		}
		chosen := s.nobody.With("Accept", "text/html").With("Cookie", "lang="+strings.TrimSuffix(lang, "-BR")).Get("//ogc/collections").Want(http.StatusOK)
		if !strings.Contains(string(chosen.Body), want) {
			t.Errorf("%s was chosen: %.300s", lang, chosen.Body)
		}
		if title := s.nobody.With("Accept-Language", lang).Get("//ogc/collections/municipalities").Object().Text("title"); title != want {
			t.Errorf("%s: the title is %q", lang, title)
		}
	}
}

// Text of people never becomes markup, whatever it says.
func TestTextOfPeopleIsNeverMarkup(t *testing.T) {
	t.Parallel()
	s := setup(t)
	c := s.Citizen()
	attacks := []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</title><svg onload=alert(1)>`, `{{time of the answer}} %s`, `&lt;b&gt;`}
	for _, attack := range attacks {
		id := s.file(c, object{"title": attack, "description": attack + " again", "latitude": -8.5, "longitude": 125.5})
		s.Verify(id)
		s.Exec(`UPDATE reports SET street = $2, suco = $2 WHERE id = $1`, id, attack)
		for _, path := range []string{"/collections/reports/items", "/collections/reports/items/" + id} {
			page := s.pageOf(t, path) // it fails for a script, a picture and a handler
			if said := strings.ReplaceAll(page.text, "\u00a0", " "); !strings.Contains(said, strings.TrimPrefix(attack, "{{time of the answer}}")) {
				t.Errorf("%s does not say %q", path, attack)
			}
		}
		if got := s.get("/collections/reports/items/" + id).Text("properties.description"); got != attack+" again" {
			t.Errorf("%q became %q", attack, got)
		}
	}
	page := s.get("/collections/reports/items")
	if instant(t, page.Text("timeStamp")).IsZero() || len(ids(page)) != len(attacks) {
		t.Errorf("the page is %v", page.Values)
	}
	for _, query := range []string{"?municipality=%3Cscript%3E", "?suco=%22%3E%3Cscript%3Ealert(1)%3C/script%3E"} {
		got := s.nobody.With("Accept", "text/html").Get("//ogc/collections/reports/items" + query)
		root, err := html.Parse(strings.NewReader(string(got.Body)))
		if err != nil {
			t.Fatal(err)
		}
		for n := range root.Descendants() {
			if n.Type == html.ElementNode && n.Data == "script" {
				t.Errorf("%s makes a script", query)
			}
		}
	}
}

// The pages fit on the screen of a small phone, and a screen reader and a keyboard reach everything, in both themes.
func TestPagesOnAPhone(t *testing.T) {
	t.Parallel()
	s := withData(t)
	tab := browser.Open(t, 360, 740)
	for name, path := range map[string]string{"landing": "", "api": "/api?f=html", "collection": "/collections/reports", "items": "/collections/reports/items?limit=3", "item": "/collections/municipalities/items/TL-DI"} {
		var width int
		if err := chromedp.Run(tab, chromedp.Navigate(s.URL+"/ogc"+path), chromedp.Evaluate(`document.documentElement.scrollWidth`, &width)); err != nil || width > 360 {
			t.Errorf("%s is %d pixels wide, %v", path, width, err)
		}
		browser.AccessibleInThemes(t, tab, path)
		browser.Screenshot(t, tab, "ogc-"+name)
	}
}
