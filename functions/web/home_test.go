package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/functions/web"
	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

// visitor is a browser without a session that follows no redirect.
func visitor(w *testenv.System) *testenv.Client {
	return w.Anonymous().With("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
}

// The start page can be read without a script: newest reports first, figures, the doors to the other pages.
func TestStartPage(t *testing.T) {
	t.Parallel()
	w := setup(t)
	empty := string(visitor(w).Get("//?lang=en").Want(http.StatusOK).Body)
	if !strings.Contains(empty, "Nobody has reported anything yet") || !strings.Contains(empty, "0 open · 0 fixed · 0 new this month") {
		t.Errorf("with no report: %s", empty)
	}
	c := w.Citizen()
	var numbers []string
	for n := range 12 {
		id, number := file(w, c, object{"title": fmt.Sprintf("Hole %d", n)})
		w.Exec(`UPDATE reports SET created_at = now() + $2 * interval '1 second' WHERE id = $1`, id, n)
		numbers = append(numbers, number)
	}
	page := string(visitor(w).Get("//?lang=en").Want(http.StatusOK).Body)
	last := -1
	for n := 11; n >= 2; n-- {
		at := strings.Index(page, `href="/r/`+numbers[n]+`"`)
		if at <= last {
			t.Errorf("%s is at %d, after %d", numbers[n], at, last)
		}
		last = at
	}
	if strings.Contains(page, numbers[1]) {
		t.Error("more than ten reports")
	}
	for _, want := range []string{"12 open · 0 fixed · 12 new this month", `href="/report"`, `href="/map"`, `href="/me" data-testid="sign-in"`, `data-testid="find"`, `href="tel:112"`, `href="/verify"`, "Public for ever"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(page, "Nobody has reported") {
		t.Error("says that there are no reports")
	}
}

// A number leads to its report in whatever form it is typed; anything else leads to the map.
func TestFindLeadsToAReportOrToTheMap(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, number := file(w, w.Citizen(), nil)
	short := strings.TrimLeft(number[len("LS-2026-"):], "0")
	before := fmt.Sprintf("LS-%d-000777", time.Now().UTC().Add(9*time.Hour).Year()-1)
	id, _ := file(w, w.Citizen(), nil)
	w.Exec(`UPDATE reports SET report_number = $2 WHERE id = $1`, id, before)
	for typed, to := range map[string]string{
		number: "/r/" + number, strings.ToLower(strings.ReplaceAll(number, "-", "+")): "/r/" + number, short: "/r/" + number, "777": "/r/" + before,
		"Rua+de+Comoro": "/map?q=Rua+de+Comoro", "%22%3E%3Cscript%3E": "/map?q=%22%3E%3Cscript%3E", "//evil.example": "/map?q=%2F%2Fevil.example",
	} {
		got := visitor(w).Get("//?q=" + typed).Want(http.StatusSeeOther)
		if got.Header.Get("Location") != to {
			t.Errorf("%s leads to %s, want %s", typed, got.Header.Get("Location"), to)
		}
	}
	visitor(w).Get("//?q=++").Want(http.StatusOK)
}

// "Near me" opens the map where the phone is. Where the phone does not tell, the page says so, and the next press opens the map.
func TestNearMe(t *testing.T) {
	t.Parallel()
	w := setup(t)
	file(w, w.Citizen(), object{"title": "Buraco na estrada de Comoro, em frente da escola"})
	tab := browser.Open(t, 360, 740)
	var said, at string
	if err := chromedp.Run(tab, chromedp.Navigate(w.URL+"/?lang=tet")); err != nil {
		t.Fatal(err)
	}
	browser.Screenshot(t, tab, "home-360-tet")
	err := chromedp.Run(tab,
		chromedp.Evaluate(`navigator.geolocation.getCurrentPosition = (ok, failed) => failed({ code: 1 })`, nil),
		chromedp.Click("#near"), chromedp.WaitVisible("#near-failed"), chromedp.Text("#near-state", &said),
		chromedp.Click("#near"), chromedp.WaitNotPresent("#near"))
	if err != nil || !strings.Contains(said, "Telefone la hatete") {
		t.Fatalf("%q, %v", said, err)
	}
	err = chromedp.Run(tab, browser.At(-8.55, 125.57, 20),
		chromedp.Navigate(w.URL+"/"), chromedp.Click("#near"), chromedp.WaitNotPresent("#near"), chromedp.Evaluate(`location.hash`, &at))
	if err != nil || !strings.HasPrefix(at, "#15/-8.55") {
		t.Errorf("the map opens at %q, %v", at, err)
	}
}

// While the database is away, a person reads a page in their language, and an app a problem document.
func TestPagesWithoutADatabase(t *testing.T) {
	t.Parallel()
	w := testenv.New(t)
	w.Env["DATABASE_URL"] = "postgres://nobody:x@127.0.0.1:1/nothing?connect_timeout=1"
	w.Serve(web.Open)
	for _, path := range []string{"//", "//map"} {
		got := visitor(w).With("Cookie", "lang=pt").Get(path).Want(http.StatusServiceUnavailable)
		if body := string(got.Body); !strings.Contains(body, "Agora não conseguimos mostrar esta página") || !strings.Contains(body, `<html lang="pt">`) {
			t.Errorf("%s: %s", path, body)
		}
	}
	if got := w.Anonymous().Get("//").Want(http.StatusServiceUnavailable); got.Object().Text("code") != "unavailable" {
		t.Errorf("for a program: %s", got.Body)
	}
}

// Whoever opens too many pages reads how long to wait, and can press "try again".
func TestAPageForTooManyRequests(t *testing.T) {
	t.Parallel()
	w := testenv.New(t)
	w.Env["RATE_LIMIT_VIEW_PER_MINUTE"] = "1"
	w.Serve(web.Open)
	visitor(w).Get("//welcome").Want(http.StatusOK)
	got := visitor(w).With("Accept-Language", "tet").Get("//welcome").Want(http.StatusTooManyRequests)
	if body := string(got.Body); !strings.Contains(body, "Favór hein uitoan") || !strings.Contains(body, "Koko fali iha segundu") || got.Header.Get("Retry-After") == "" {
		t.Errorf("%v %s", got.Header, body)
	}
}
