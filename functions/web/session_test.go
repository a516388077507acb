package web_test

import (
	"context"
	"strings"
	"testing"
	"time"

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
		return chromedp.Evaluate(`import(document.querySelector('script[src$="/core.js"]').src).then((core) => { `+text+` })`, nil)
	}
	const address = "alda@example.tl"
	const signedIn = `core.session.watch((u) => { if (u) document.body.dataset.who = u.email; })`
	err := chromedp.Run(tab, chromedp.Navigate(w.URL+"/me?lang=en"), script(signedIn),
		chromedp.WaitVisible(`[data-testid=email]`), chromedp.SendKeys(`[data-testid=email]`, address), chromedp.Click(`[data-testid=email-send]`),
		chromedp.WaitVisible(`[data-testid=code]`))
	if err != nil {
		t.Fatal(err)
	}
	var title, again, readable string
	var cookies []*network.Cookie
	err = chromedp.Run(tab, chromedp.SendKeys(`[data-testid=code]`, mailedCode(t, w, address)), chromedp.Click(`[data-testid=code-send]`),
		chromedp.WaitReady(`body[data-who]`), chromedp.AttributeValue("body", "data-who", &title, nil), chromedp.Reload(), script(signedIn),
		chromedp.WaitReady(`body[data-who]`), chromedp.AttributeValue("body", "data-who", &again, nil), chromedp.Evaluate(`document.cookie`, &readable),
		chromedp.ActionFunc(func(ctx context.Context) error {
			var err error
			cookies, err = network.GetCookies().WithURLs([]string{w.URL + "/api/v1/auth/web-session"}).Do(ctx)
			return err
		}))
	if err != nil {
		t.Fatal(err)
	}
	if title != address || again != address || strings.Contains(readable, "session") {
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
	err = chromedp.Run(tab, script(`core.session.end().then(() => { core.session.user = null; return core.session.resume({ always: true }); }).then((u) => { document.body.dataset.out = u; })`),
		chromedp.WaitReady(`body[data-out="null"]`))
	if err != nil {
		t.Fatal(err)
	}
}

// Two tabs of one browser have one session: a sign-out in one is seen in the other, and so is the sign-in of somebody else.
func TestTabsOfABrowserHaveOneSession(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	ana, rui := w.Citizen(), w.Citizen()
	first := tabOf(t, w, ana, "/me?lang=en", 360, 740)
	second, cancel := chromedp.NewContext(first)
	t.Cleanup(cancel)
	second, stop := context.WithTimeout(second, browser.Patience)
	t.Cleanup(stop)
	who := `import(document.querySelector('script[src$="/core.js"]').src).then((core) => core.session.user ? core.session.user.id : "nobody")`
	is := func(tab context.Context, want string) {
		t.Helper()
		got := ""
		for range 100 {
			if err := chromedp.Run(tab, chromedp.Evaluate(who, &got, awaited)); err != nil {
				t.Fatal(err)
			}
			if got == want {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Fatalf("the tab is that of %s, want %s", got, want)
	}
	if err := chromedp.Run(second, chromedp.Navigate(w.URL+"/me?lang=en")); err != nil {
		t.Fatal(err)
	}
	is(first, ana.ID.String())
	is(second, ana.ID.String())
	end := `import(document.querySelector('script[src$="/core.js"]').src).then((core) => core.session.end()).then(() => "done")`
	var done string
	if err := chromedp.Run(first, chromedp.Evaluate(end, &done, awaited)); err != nil {
		t.Fatal(err)
	}
	is(first, "nobody")
	is(second, "nobody")
	signIn(t, w, first, rui)
	if err := chromedp.Run(first, chromedp.Evaluate(`localStorage.setItem("signed_in", "`+rui.ID.String()+`")`, nil)); err != nil {
		t.Fatal(err)
	}
	is(second, rui.ID.String())
}
