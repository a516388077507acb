package web_test

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/infra/local/browser"
)

// A page whose script was lost says what to do, and a page whose script runs does not.
func TestAPageWithoutItsScriptSaysSo(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	tab := browser.Open(t, 360, 740)
	for _, path := range []string{"/report", "/me", "/desk", "/admin", "/welcome"} {
		var said string
		if err := chromedp.Run(tab, chromedp.Navigate(w.URL+path+"?lang=en"), chromedp.WaitNotPresent("#starting")); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if err := chromedp.Run(tab, network.Enable(), network.SetCacheDisabled(true), network.SetBypassServiceWorker(true), network.SetBlockedURLs([]string{"*core.js"}), chromedp.Navigate(w.URL+path+"?lang=en"),
			chromedp.TextContent("#starting", &said, chromedp.NodeReady), network.SetBlockedURLs(nil)); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if said != "The page is loading. If this stays, load it again. It needs JavaScript." {
			t.Errorf("%s says %q", path, said)
		}
	}
}

// After a sign-out, the back button shows nothing of what was for the person: neither on the page nor among its drafts.
func TestTheBackButtonShowsNothingOfAnotherPerson(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	number := d.report("status = 'verified'")
	tab := tabOf(t, d.System, d.moderator, "/desk?lang=en&kind=new", 1280, 800)
	var shown, drafts string
	err := chromedp.Run(tab, rowsAre(1), chromedp.Evaluate(`sessionStorage.setItem("desk:x:note", "secret")`, nil),
		chromedp.Click(`//button[text()="Sign out"]`, chromedp.BySearch), chromedp.WaitVisible(`[data-testid=email]`),
		chromedp.NavigateBack(), chromedp.WaitVisible(`[data-testid=email]`), chromedp.Text("body", &shown), chromedp.Evaluate(`JSON.stringify(sessionStorage)`, &drafts))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(shown, number) || strings.Contains(drafts, "secret") {
		t.Errorf("the page says %q, drafts %s", shown, drafts)
	}
}
