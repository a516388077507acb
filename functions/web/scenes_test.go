package web_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// cast are the people and reports that the scenes need.
type cast struct {
	w                        *testenv.System
	citizen, moderator, boss *testenv.Client
	official                 *testenv.Client
	number, pending, removed string
}

// newCast fills a system with a little of everything.
func newCast(t *testing.T) *cast {
	t.Helper()
	w := setupAll(t)
	c := &cast{w: w, citizen: w.Citizen(), moderator: w.Staff(identity.Moderator), boss: w.Staff(identity.Admin)}
	agency := w.Agency("DILI-ROADS")
	c.official = w.Staff(identity.Official, agency)
	picture := c.citizen.Form("/reports/pre-upload-image", nil, "file", "a.jpg", w.JPEG(90)).Want(http.StatusCreated).Object().Text("upload_id")
	w.ProcessUpload(picture)
	id, number := file(w, c.citizen, object{"title": "Kuak boot iha estrada oin eskola nian", "description": "Motor barak monu iha ne'e.\nAat liu hafoin udan.", "images": []object{{"upload_id": picture}},
		"municipality": "Dili", "suco": "Comoro", "street": "Avenida Nicolau Lobato"})
	w.Verify(id)
	c.moderator.Post("/reports/"+id+"/assign", object{"agency_id": agency, "note": "Favór ida"}).Want(http.StatusOK)
	c.official.Post("/reports/"+id+"/status", object{"status": "in_progress", "note": "Ekipa sei ba tersa-feira"}).Want(http.StatusOK)
	c.citizen.Post("/reports/"+id+"/comments", object{"content": "Obrigadu barak!"}).Want(http.StatusCreated)
	c.number = number
	_, c.pending = file(w, c.citizen, object{"issue_type": "street_light", "latitude": -8.55, "longitude": 125.58})
	gone, removed := file(w, c.citizen, object{"issue_type": "waste"})
	c.moderator.Post("/reports/"+gone+"/status", object{"status": "rejected", "reason_code": "irrelevant"}).Want(http.StatusOK)
	c.removed = removed
	for i, kind := range []string{"bridge", "flooding", "drainage", "sidewalk"} {
		one, _ := file(w, c.citizen, object{"issue_type": kind, "title": "", "latitude": -8.56 - float64(i)/100, "longitude": 125.57 + float64(i)/100})
		if i%2 == 0 {
			w.Verify(one)
		}
	}
	return c
}

// scene is a page in one state.
type scene struct {
	name string
	path string
	who  *testenv.Client // nil for a visitor
	// act brings the page into the state; nil for the page as it comes.
	act chromedp.Action
}

// scenes are the pages in every state that a person meets often.
func (c *cast) scenes() []scene {
	return []scene{
		{"home", "/", nil, nil},
		{"report-form", "/report", nil, nil},
		{"report-form-place", "/report", nil, chromedp.Tasks{chromedp.Click(id("next")), place("-6.2, 106.8")}},
		{"report-form-send", "/report", nil, fillIn("Valeta taka")},
		{"report-form-sign-in", "/report", nil, chromedp.Tasks{fillIn(""), chromedp.Click(id("send")), chromedp.WaitVisible(id("email"))}},
		{"report-form-kind", "/report", nil, chromedp.Tasks{chromedp.Click(id("next")), place("-8.5569, 125.5603"), chromedp.Click(id("next")), chromedp.WaitVisible(id("words"))}},
		{"report-form-waits", "/report", c.citizen, chromedp.Tasks{fillInAt("-8.8, 125.8", "Valeta taka"), chromedp.Evaluate(`Object.defineProperty(navigator, "onLine", { value: false })`, nil), chromedp.Evaluate(`window.fetch = () => Promise.reject(new TypeError("no link"))`, nil), chromedp.Click(id("send")), chromedp.WaitVisible("#done")}},
		{"report-page", "/r/" + c.number, nil, nil},
		{"report-page-pending", "/r/" + c.pending, nil, nil},
		{"report-page-removed", "/r/" + c.removed, nil, nil},
		{"report-page-unknown", "/r/LS-2020-000001", nil, nil},
		{"map", "/map", nil, nil},
		{"stats", "/stats", nil, nil},
		{"stats-sheet", "/stats?municipality=TL-DI&quarter=2026-Q4", nil, nil},
		{"nothing-here", "/nothing-here", nil, nil},
		{"welcome", "/welcome?token=x", nil, nil},
		{"welcome-used", "/welcome", nil, nil},
		{"me-signed-out", "/me", nil, nil},
		{"me", "/me", c.citizen, nil},
		{"desk-signed-out", "/desk", nil, nil},
		{"desk", "/desk", c.moderator, nil},
		{"desk-official", "/desk", c.official, nil},
		{"admin-signed-out", "/admin", nil, nil},
		{"admin", "/admin", c.boss, nil},
		{"admin-agencies", "/admin#agencies/new", c.boss, nil},
		{"admin-settings", "/admin#settings", c.boss, nil},
		{"admin-api-keys", "/admin#api_keys", c.boss, nil},
		{"admin-webhooks", "/admin#webhooks/new", c.boss, nil},
		{"admin-audit", "/admin#audit", c.boss, nil},
		{"verify", "/verify", nil, nil},
	}
}

// show opens a scene in a tab, in a language, and waits until the page is quiet.
func (c *cast) show(tab context.Context, s scene, lang string) error {
	separator := "?"
	if strings.Contains(s.path, "?") {
		separator = "&"
	}
	path, hash, _ := strings.Cut(s.path, "#")
	if hash != "" {
		hash = "#" + hash
	}
	actions := chromedp.Tasks{chromedp.Navigate(c.w.URL + path + separator + "lang=" + lang + hash), quiet()}
	if s.act != nil {
		actions = append(actions, s.act, quiet())
	}
	return chromedp.Run(tab, actions)
}

// quiet waits until no element was changed and no request was sent for a third of a second.
func quiet() chromedp.Action {
	return chromedp.Evaluate(`new Promise((resolve) => {
		let timer = setTimeout(resolve, 350);
		const again = () => { clearTimeout(timer); timer = setTimeout(() => { seen.disconnect(); resolve(); }, 350); };
		const seen = new MutationObserver(again);
		seen.observe(document, { childList: true, subtree: true, attributes: true });
		new PerformanceObserver(again).observe({ entryTypes: ["resource"] });
	})`, nil, awaited)
}

// tabs opens one tab for each person of the scenes and gives each scene that of its person.
func (c *cast) tabs(t *testing.T, width int) func(who *testenv.Client) context.Context {
	t.Helper()
	open := map[*testenv.Client]context.Context{}
	return func(who *testenv.Client) context.Context {
		if tab, ok := open[who]; ok {
			return tab
		}
		tab := browser.Open(t, width, 800)
		c.onlyOurs(t, tab)
		if who != nil {
			signIn(t, c.w, tab, who)
		}
		open[who] = tab
		return tab
	}
}

// onlyOurs fails the test for a request to another origin than the site and its storage.
func (c *cast) onlyOurs(t *testing.T, tab context.Context) {
	t.Helper()
	storage := c.w.Env["AWS_ENDPOINT_URL"]
	chromedp.ListenTarget(tab, func(event any) {
		e, ok := event.(*network.EventRequestWillBeSent)
		if !ok {
			return
		}
		u := e.Request.URL
		if !strings.HasPrefix(u, c.w.URL+"/") && !strings.HasPrefix(u, storage+"/") && !strings.HasPrefix(u, "data:") && !strings.HasPrefix(u, "blob:") && u != "about:blank" {
			t.Errorf("a request leaves for %s", u)
		}
	})
	if err := chromedp.Run(tab, network.Enable()); err != nil {
		t.Fatal(err)
	}
}

func TestPagesAreAccessible(t *testing.T) {
	t.Parallel()
	c := newCast(t)
	tab := c.tabs(t, 360)
	for _, s := range c.scenes() {
		if err := c.show(tab(s.who), s, "tet"); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		browser.AccessibleInThemes(t, tab(s.who), s.name)
	}
}

// TestScreenshots takes a picture of each scene in each width, language and theme. `make screenshots` runs it; SCENES is a regular
// expression that chooses some.
func TestScreenshots(t *testing.T) {
	folder := os.Getenv("SCREENSHOTS")
	if folder == "" {
		return
	}
	chosen, err := regexp.Compile(os.Getenv("SCENES"))
	if err != nil {
		t.Fatal(err)
	}
	c := newCast(t)
	var all sync.WaitGroup
	for _, width := range []int{360, 768, 1280} {
		all.Go(func() {
			t.Run(fmt.Sprint(width), func(t *testing.T) {
				tab := c.tabs(t, width)
				for _, s := range c.scenes() {
					if !chosen.MatchString(s.name) {
						continue
					}
					for _, lang := range []string{"tet", "pt", "en"} {
						if err := c.show(tab(s.who), s, lang); err != nil {
							t.Fatalf("%s: %v", s.name, err)
						}
						for _, theme := range browser.Themes() {
							var png []byte
							if err := chromedp.Run(tab(s.who), browser.Theme(theme), chromedp.FullScreenshot(&png, 100)); err != nil {
								t.Fatalf("%s: %v", s.name, err)
							}
							if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%s-%d-%s-%s.png", s.name, width, lang, theme)), png, 0o600); err != nil {
								t.Fatal(err)
							}
						}
					}
				}
			})
		})
	}
	all.Wait()
}
