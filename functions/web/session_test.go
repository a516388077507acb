package web_test

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/infra/local/browser"
)

// A citizen signs in by a code from a mail; the session outlasts a reload, and ends with the sign-out.
func TestSignInByCodeOutlastsAReload(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	tab := browser.Open(t, 360, 740)
	script := func(text string) chromedp.Action {
		return chromedp.Evaluate(`import(document.querySelector('script[src$="/core.js"]').src).then((core) => import(document.querySelector('script[src$="/sign_in.js"]').src).then((s) => { `+text+` }))`, nil)
	}
	const address = "alda@example.tl"
	err := chromedp.Run(tab, chromedp.Navigate(w.URL+"/welcome?lang=en"), chromedp.WaitReady(`script[src$="/sign_in.js"]`),
		script(`document.querySelector("main").append(s.signInByCode((u) => { document.title = "in " + u.email; }))`),
		chromedp.WaitVisible(`[data-testid=email]`), chromedp.SendKeys(`[data-testid=email]`, address), chromedp.Click(`[data-testid=email-send]`),
		chromedp.WaitVisible(`[data-testid=code]`))
	if err != nil {
		t.Fatal(err)
	}
	var title, again, readable string
	var cookies []*network.Cookie
	err = chromedp.Run(tab, chromedp.SendKeys(`[data-testid=code]`, mailedCode(t, w, address)), chromedp.Click(`[data-testid=code-send]`),
		chromedp.Poll(`document.title.startsWith("in ")`, nil), chromedp.Title(&title), chromedp.Reload(), chromedp.WaitReady(`script[src$="/sign_in.js"]`),
		script(`core.session.resume().then((u) => { document.title = "again " + u.email; })`),
		chromedp.Poll(`document.title.startsWith("again ")`, nil), chromedp.Title(&again), chromedp.Evaluate(`document.cookie`, &readable),
		chromedp.ActionFunc(func(ctx context.Context) (err error) {
			cookies, err = network.GetCookies().WithURLs([]string{w.URL + "/api/v1/auth/web-session"}).Do(ctx)
			return err
		}))
	if err != nil {
		t.Fatal(err)
	}
	if title != "in "+address || again != "again "+address || strings.Contains(readable, "session") {
		t.Errorf("%q, %q, a script reads %q", title, again, readable)
	}
	found := false
	for _, c := range cookies {
		if c.Name == "lafaekstreet_session" {
			found = true
			if !c.HTTPOnly || c.SameSite != network.CookieSameSiteStrict || c.Path != "/api/v1/auth/web-session" || c.Session {
				t.Errorf("cookie %+v", c)
			}
		}
	}
	if !found {
		t.Errorf("no cookie in %v", cookies)
	}
	err = chromedp.Run(tab, script(`core.session.end().then(() => { core.session.user = null; return core.session.resume({ always: true }); }).then((u) => { document.title = "out " + u; })`),
		chromedp.Poll(`document.title === "out null"`, nil))
	if err != nil {
		t.Fatal(err)
	}
}
