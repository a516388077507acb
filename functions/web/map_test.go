package web_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/lafaekstreet/backend/infra/local/browser"
)

// The list, its filters, places and further pages work without a script.
func TestMapPageWithoutScripts(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	w.Exec(`INSERT INTO place_names (id, name, municipality_code, place) VALUES (gen_random_uuid(), 'Ai-Mutin', 'TL-DI', ST_SetSRID(ST_MakePoint(125.55, -8.56), 4326))`)
	_, bridge := file(w, c, object{"issue_type": "bridge", "title": "Broken bridge"})
	w.Exec(`UPDATE reports SET municipality_code = 'TL-DI', status = 'verified', created_at = now() - interval '1 day'`)
	for n := range 25 {
		if n%8 == 0 {
			c = w.Citizen() // nobody may file more in an hour
		}
		file(w, c, nil)
	}
	look := func(query string) string {
		return string(w.Anonymous().Get("//map?lang=en" + query).Want(http.StatusOK).Body)
	}
	rows := func(body string) int { return strings.Count(body, `class="row"`) }
	first := look("")
	_, more, _ := strings.Cut(first, `id="more" href="/map?`)
	more, _, _ = strings.Cut(more, `"`)
	if rows(first) != 20 || !strings.Contains(first, "26 reports") || strings.Contains(first, bridge) || !strings.Contains(look("&"+strings.ReplaceAll(more, "&amp;", "&")), bridge) {
		t.Errorf("%d rows, more %q", rows(first), more)
	}
	for query, want := range map[string]int{"&issue_type=bridge": 1, "&municipality=Dili": 1, "&municipality=TL-DI&status=verified": 1, "&q=BROKEN": 1, "&q=nothing+like+it": 0, "&bbox=126,-9,127,-8": 0, "&date_to=2020-01-01": 0} {
		if n := rows(look(query)); n != want {
			t.Errorf("%s: %d rows, want %d", query, n, want)
		}
	}
	chosen := look("&issue_type=bridge&q=%22%3E%3Cb%3E")
	if !strings.Contains(chosen, `<option value="bridge" selected>`) || !strings.Contains(chosen, `value="&#34;&gt;&lt;b&gt;"`) || !strings.Contains(chosen, "<details open>") {
		t.Error("the filters are not kept", chosen)
	}
	for _, bad := range []string{"&status=nonsense", "&date_from=soon", "&q=ab", "&cursor=x", "&bbox=1,2"} {
		if body := look(bad); rows(body) != 20 || !strings.Contains(body, "could not be read") {
			t.Errorf("%s: %d rows without a word", bad, rows(body))
		}
	}
	if body := look("&q=ai+mutin"); !strings.Contains(body, `<a href="/map?bbox=125.5400%2C-8.5700%2C125.5600%2C-8.5500">Ai-Mutin, Dili</a>`) {
		t.Error("a place is not found by its name", body)
	}
	got := w.Anonymous().Get("//map?q=" + strings.ToLower(bridge)).Want(http.StatusSeeOther)
	if to := got.Header.Get("Location"); to != "/r/"+bridge {
		t.Errorf("a number leads to %q", to)
	}
}

// ready waits until the map is still.
var ready = chromedp.WaitReady(`body[data-ready="true"]`)

// On a phone the list is first. The map opens on a tap and shows the whole country; the list follows it; a report has a card.
func TestMapOpensOnATap(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	file(w, c, object{"latitude": -9.2, "longitude": 124.4})
	_, bridge := file(w, c, object{"issue_type": "bridge", "latitude": -8.5, "longitude": 125.6})
	tab := tabOf(t, w, nil, "/map?lang=pt", 360, 740)
	var hidden bool
	var box []float64
	var card, link, there string
	err := chromedp.Run(tab, chromedp.WaitVisible(`[data-testid=map-open]`), chromedp.Evaluate(`document.getElementById("place").hidden && !performance.getEntriesByType("resource").some((r) => r.name.includes("maplibre"))`, &hidden))
	if err != nil {
		t.Fatal(err)
	}
	browser.Screenshot(t, tab, "map-phone-list")
	err = chromedp.Run(tab, chromedp.Focus(`[data-testid=map-open]`), chromedp.KeyEvent(kb.Enter), ready)
	if err != nil {
		t.Fatal(err)
	}
	browser.Screenshot(t, tab, "map-phone")
	err = chromedp.Run(tab, chromedp.Evaluate(`location.hash.slice(1).split("/").map(Number)`, &box))
	if err != nil || !hidden {
		t.Fatalf("%v; the map was there before: %v", err, !hidden)
	}
	// The country is 3.4 degrees wide: 512 · 2^zoom · 3.4 / 360 pixels. It fits into the 328 of the map.
	if len(box) != 3 {
		t.Errorf("the address says %v", box)
	} else {
		if wide := 512 * math.Exp2(box[0]) * 3.4 / 360; wide > 328 || wide < 250 {
			t.Errorf("the country is %v pixels wide", wide)
		}
	}
	err = chromedp.Run(tab, chromedp.Navigate(w.URL+"/map?lang=pt&issue_type=bridge#15/-8.5/125.6"), ready,
		browser.Poll(`document.getElementById("total").textContent === "1 relato neste mapa"`, nil),
		chromedp.Evaluate(`document.querySelector("[data-testid=map]").scrollIntoView({ block: "center" }); true`, nil),
		tapMiddle(), chromedp.WaitVisible("#card a"), chromedp.Text("#card .title", &card), chromedp.AttributeValue("#card a", "href", &link, nil))
	if err != nil {
		t.Fatal(err)
	}
	browser.Screenshot(t, tab, "map-phone-card")
	if card != "Ponte" || link != "/r/"+bridge {
		t.Errorf("the card says %q and leads to %q", card, link)
	}
	err = chromedp.Run(tab, chromedp.WaitVisible(".map-pin"), chromedp.KeyEvent(kb.Escape), chromedp.WaitNotVisible("#card"), chromedp.WaitNotPresent(".map-pin"), chromedp.Click(`.languages a[lang="tet"]`), chromedp.WaitReady(`html[lang="tet"]`), chromedp.Location(&there))
	if err != nil {
		t.Fatal(err)
	}
	if there != w.URL+"/map?lang=tet&issue_type=bridge#15/-8.5/125.6" {
		t.Errorf("in another language the map is at %s", there)
	}
	browser.AccessibleInThemes(t, tab, "map on a phone")
}

// tapMiddle clicks into the middle of the map.
func tapMiddle() chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		var at []float64
		if err := chromedp.Evaluate(`(() => { const r = document.querySelector("[data-testid=map]").getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()`, &at).Do(ctx); err != nil {
			return err
		}
		return chromedp.MouseClickXY(at[0], at[1]).Do(ctx)
	})
}

// On a wide screen the map stands beside the list. A filter changes both. An outage is said, and what is there stays.
func TestMapSurvivesAnOutage(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	for _, latitude := range []float64{-8.551, -8.552} {
		file(w, c, object{"latitude": latitude, "longitude": 125.57})
	}
	file(w, c, object{"issue_type": "bridge", "latitude": -8.55, "longitude": 125.57})
	var lost atomic.Bool
	system, err := url.Parse(w.URL)
	if err != nil {
		t.Fatal(err)
	}
	through := httputil.NewSingleHostReverseProxy(system)
	link := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if lost.Load() {
			panic(http.ErrAbortHandler)
		}
		through.ServeHTTP(w, r)
	}))
	t.Cleanup(link.Close)
	tab := browser.Open(t, 1280, 800)
	shows := func(n int) chromedp.Action {
		return browser.Poll(fmt.Sprintf(`document.querySelectorAll("#list li").length === %d`, n), nil)
	}
	choose := func(kind string) chromedp.Action {
		return chromedp.Evaluate(`(() => { const s = document.getElementById("issue_type"); s.value = "`+kind+`"; s.dispatchEvent(new Event("change")); })()`, nil)
	}
	if err := chromedp.Run(tab, chromedp.Navigate(link.URL+"/map?lang=en#15/-8.55/125.57"), ready, shows(3)); err != nil {
		t.Fatal(err)
	}
	browser.Screenshot(t, tab, "map-wide")
	for _, back := range []struct {
		kind  string
		n     int
		first chromedp.Action
		again string // a request that was under way in the outage may fail after the first try
	}{{"bridge", 1, browser.Press("#trouble button"), `trouble.querySelector("button").click()`},
		{"pothole", 2, chromedp.Evaluate(`dispatchEvent(new Event("online"))`, nil), `dispatchEvent(new Event("online"))`}} {
		before := map[string]int{"bridge": 3, "pothole": 1}[back.kind]
		lost.Store(true)
		if err := chromedp.Run(tab, choose(back.kind), chromedp.WaitVisible("#trouble"), shows(before)); err != nil {
			t.Fatal(err)
		}
		browser.Screenshot(t, tab, "map-trouble")
		lost.Store(false)
		over := browser.Poll(`(() => { const trouble = document.getElementById("trouble"); if (!trouble.hidden) `+back.again+`; return trouble.hidden; })()`,
			nil, chromedp.WithPollingInterval(time.Second))
		if err := chromedp.Run(tab, back.first, over, shows(back.n)); err != nil {
			t.Fatal(err)
		}
	}
	browser.Accessible(t, tab, "map beside the list")
}

// A browser that cannot draw the map says so, loads no library, and has the list.
func TestMapWithoutWebGL(t *testing.T) {
	t.Parallel()
	w := setup(t)
	file(w, w.Citizen(), nil)
	tab := browser.Open(t, 1280, 800)
	var words string
	var rows int
	var loaded bool
	err := chromedp.Run(tab, atStart(`HTMLCanvasElement.prototype.getContext = () => null;`), chromedp.Navigate(w.URL+"/map?lang=tet"), chromedp.WaitVisible("#cannot"), chromedp.Text("#cannot", &words),
		chromedp.Evaluate(`document.querySelectorAll("[data-testid=list] .row").length`, &rows),
		chromedp.Evaluate(`performance.getEntriesByType("resource").some((r) => r.name.includes("maplibre"))`, &loaded))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(words, "la bele dezeña mapa") || rows != 1 || loaded {
		t.Errorf("%q, %d rows, library loaded: %v", words, rows, loaded)
	}
}

// The head and the footer of each page name the feed, in the language of the page; that of the map has its filters.
func TestPagesNameTheFeed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for path, want := range map[string]string{
		"//map?lang=tet": "/api/v1/public/feed.atom?lang=tet",
		"//?lang=pt":     "/api/v1/public/feed.atom?lang=pt",
		"//map?lang=en&status=verified&q=Kua%22k&bbox=x": "/api/v1/public/feed.atom?lang=en", // the page shows all reports: it cannot read the area
		"//map?lang=en&status=verified&q=Kua%22k":        "/api/v1/public/feed.atom?q=Kua%22k&amp;status=verified&amp;lang=en",
	} {
		body := string(w.Anonymous().Get(path).Want(http.StatusOK).Body)
		if !strings.Contains(body, `<link rel="alternate" type="application/atom+xml" title="LafaekStreet: `) || strings.Count(body, `href="`+want+`"`) != 2 {
			t.Errorf("%s does not name %s twice", path, want)
		}
	}
}
