package web_test

import (
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/shared/identity"
)

// An administrator makes a key, sees it once, and revokes it. The page is not left before the key is kept.
func TestAdministrationOfAPIKeys(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	a := openAdmin(t, w, w.Staff(identity.Admin), "#api_keys")
	a.says("There is no API key yet.")
	a.click("api-key-new")
	const name = `<img src=x onerror=alert(1)> Dili`
	a.set(`[name=name]`, name)
	a.set(`[name=contact_email]`, "keys@example.tl")
	a.set(`[name=per_minute]`, "0")
	a.click("api-key-send") // refused by the browser
	a.set(`[name=per_minute]`, "120")
	a.click("api-key-send")
	a.do(chromedp.WaitVisible(a.id("secret")))
	sum := sha256.Sum256([]byte(a.text(a.id("secret"))))
	if n := w.Int(`SELECT count(*) FROM api_keys WHERE secret_hash = $1 AND name = $2 AND per_minute = 120`, sum[:], name); n != 1 {
		t.Errorf("%d keys have the hash of what the page shows", n)
	}
	browser.AccessibleInThemes(t, a.tab, "admin api key")
	browser.Screenshot(t, a.tab, "admin-api-key")
	a.do(chromedp.Evaluate(`location.hash = "#audit"`, nil))
	a.says("Leave without saving?")
	a.do(chromedp.Click(`[role=dialog] button:not([type=submit])`), chromedp.WaitNotPresent(`[role=dialog]`))
	a.click("api-key-kept")
	a.click("api-key-done")

	a.do(chromedp.WaitVisible(a.id("revoke")))
	if row := a.text(a.id("row")); !strings.Contains(row, name) || !strings.Contains(row, "keys@example.tl · 120 a minute · reports: 0") || !strings.Contains(row, "never used") || strings.Contains(row, "lsk_") {
		t.Errorf("the row reads %s", row)
	}
	a.click("revoke")
	a.says("Revoke the key of " + name)
	a.click("revoke-send")
	a.says("The API key was revoked.")
	a.do(chromedp.WaitNotPresent(a.id("revoke")))
	if row := a.text(a.id("row")); !strings.Contains(row, "Revoked") || w.Int(`SELECT count(*) FROM api_keys WHERE revoked_at IS NOT NULL`) != 1 {
		t.Errorf("the row reads %s", row)
	}
	browser.AccessibleInThemes(t, a.tab, "admin api keys")
	a.open("#audit", "Revoked an API key")
	a.says("Made an API key")
	a.says("Name of the other system")
	a.says("Requests a minute")
}

// The answer with the key is lost. The page sends the request again, and says that the key cannot be shown.
func TestAdministrationSaysThatAKeyWasLost(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	a := openAdmin(t, w, w.Staff(identity.Admin), "#api_keys/new")
	a.set(`[name=name]`, "Dili")
	a.set(`[name=contact_email]`, "keys@example.tl")
	a.do(chromedp.Evaluate(`(() => { const real = window.fetch; let lose = true;
		window.fetch = async (...of) => { const answer = await real(...of); if (lose && String(of[0]).includes("api-keys")) { lose = false; throw new TypeError("lost"); } return answer; }; })()`, nil))
	a.click("api-key-send")
	a.do(chromedp.WaitVisible(`form > .error`))
	a.click("api-key-send")
	a.says("lost on the way")
	if n := w.Int(`SELECT count(*) FROM api_keys`); n != 1 {
		t.Errorf("%d keys were made", n)
	}
}
