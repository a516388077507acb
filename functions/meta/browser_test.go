package meta_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/functions/auth"
	"github.com/lafaekstreet/backend/functions/meta"
	"github.com/lafaekstreet/backend/functions/users"
	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

// TestDocumentationRendersInABrowser shows that the pages load nothing from other sites: the tab can reach only this function.
func TestDocumentationRendersInABrowser(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, meta.Open)
	tab := browser.Open(t, 1200, 800)
	err := chromedp.Run(tab,
		chromedp.Navigate(w.URL+"/docs"), chromedp.WaitVisible(`.opblock-tag`),
		// To draw the whole document takes ReDoc most of a minute on a busy machine: that it has begun is enough.
		chromedp.Navigate(w.URL+"/redoc"), browser.Poll(`typeof Redoc === "object" && document.querySelector("redoc").childElementCount > 0`, nil),
	)
	if err != nil {
		t.Error(err)
	}
}

// Swagger UI signs in with e-mail and password, and sends a call with the access token that it got.
func TestSwaggerSignsIn(t *testing.T) {
	t.Parallel()
	w := testenv.New(t)
	w.Env["TOKEN_SIGNING_KEY"] = w.Signer.SigningKey()
	w.Serve(meta.Open, auth.Open, users.Open)
	const email, secret = "maria@example.tl", "monte-Ramelau-2963"
	w.Anonymous().Post("/auth/register", map[string]any{"email": email, "password": secret, "full_name": "Maria"}).Want(http.StatusCreated)
	w.Exec(`UPDATE users SET email_verified_at = now() WHERE email = $1`, email)

	tab := browser.Open(t, 360, 740)
	const dialog, call = `.auth-container form`, `#operations-users-get_current_user_api_v1_users_me_get`
	var answer string
	err := chromedp.Run(tab,
		chromedp.Navigate(w.URL+"/docs#/users/get_current_user_api_v1_users_me_get"),
		chromedp.Click(`.scheme-container .authorize`, chromedp.NodeVisible),
		chromedp.SendKeys(`#oauth_username`, email, chromedp.NodeVisible), chromedp.SendKeys(`#oauth_password`, secret),
		chromedp.Click(`//input[@id="oauth_password"]/ancestor::div[contains(@class,"auth-container")]//button[contains(@class,"authorize")]`),
		chromedp.WaitVisible(`//button[text()="Logout"]`),
		chromedp.Click(`.btn-done`, chromedp.NodeVisible), chromedp.WaitNotPresent(dialog),
		chromedp.Click(call+` .try-out__btn`, chromedp.NodeVisible), chromedp.Click(call+` .execute`, chromedp.NodeVisible),
		chromedp.Text(call+` .live-responses-table tbody .response-col_status`, &answer, chromedp.NodeVisible),
	)
	if err != nil || !strings.Contains(answer, "200") {
		t.Errorf("the call answered %q, %v", answer, err)
	}
	browser.Screenshot(t, tab, "swagger-called")
	var width int
	err = chromedp.Run(tab, chromedp.Navigate("about:blank"), chromedp.Navigate(w.URL+"/docs#/reports/post-reports"),
		chromedp.WaitVisible(`.opblock.is-open .responses-wrapper .response`), chromedp.Evaluate(`document.documentElement.scrollWidth`, &width))
	if err != nil || width > 360 {
		t.Errorf("with an open call the page is %d pixels wide on a phone of 360, %v", width, err)
	}
	browser.Screenshot(t, tab, "swagger-phone")
}

// Every guide is usable on a phone, by keyboard and by a screen reader, in the light and in the dark theme.
func TestGuidesAreAccessible(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, meta.Open)
	tab := browser.Open(t, 360, 740)
	var pages []string
	err := chromedp.Run(tab, chromedp.Navigate(w.URL+"/docs/guides"),
		chromedp.Evaluate(`[...document.querySelectorAll("main li a")].map((a) => a.getAttribute("href"))`, &pages))
	if err != nil || len(pages) == 0 {
		t.Fatalf("the list has %d guides, %v", len(pages), err)
	}
	for _, path := range append(pages, "/docs/guides") {
		var size int
		err := chromedp.Run(tab, chromedp.Navigate(w.URL+path), chromedp.Evaluate(`document.documentElement.outerHTML.length`, &size))
		if err != nil || size > 80<<10 {
			t.Fatalf("%s: %d bytes, %v", path, size, err)
		}
		browser.AccessibleInThemes(t, tab, path)
		browser.Screenshot(t, tab, fmt.Sprintf("guide-%s", strings.ReplaceAll(strings.TrimPrefix(path, "/docs/"), "/", "-")))
	}
}
