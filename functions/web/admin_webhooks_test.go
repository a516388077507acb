package web_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/shared/identity"
)

// An administrator makes a webhook on a phone, keeps its secret, looks at its calls, makes one again, rotates, switches off and deletes.
func TestAdministrationOfWebhooks(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	a := openAdmin(t, w, w.Staff(identity.Admin), "#webhooks")
	a.do(chromedp.EmulateViewport(360, 740))
	a.says("There is no webhook yet.")
	a.click("webhook-new")
	a.set(`[name=url]`, "https://127.0.0.1/hook")
	a.click("webhook-send")
	a.says("expected a public address")
	a.set(`[name=url]`, "https://8.8.8.8/hook?<img/src=x/onerror=alert(1)>")
	a.do(chromedp.Click(`[name=events][value="comment.added"]`))
	a.click("webhook-send")
	a.do(chromedp.WaitVisible(a.id("secret")))
	if secret := a.text(a.id("secret")); !strings.HasPrefix(secret, "whsec_") || w.Int(`SELECT cardinality(events) FROM webhooks WHERE enabled`) != 6 {
		t.Errorf("the page shows %s", secret)
	}
	browser.AccessibleInThemes(t, a.tab, "admin webhook secret")
	a.do(chromedp.Evaluate(`location.hash = "#audit"`, nil))
	a.says("Leave without saving?")
	a.do(chromedp.Click(`[role=dialog] button:not([type=submit])`), chromedp.WaitNotPresent(`[role=dialog]`))
	w.Exec(`INSERT INTO reports (id, report_number, content_hash, issue_type, latitude, longitude) VALUES (gen_random_uuid(), 'LS-2026-000901', '', 'pothole', -8.5, 125.5)`)
	w.Exec(`INSERT INTO webhook_deliveries (id, webhook_id, report_id, event_type, occurred_at, state, settled_at, last_status, failure_reason, attempts)
		SELECT gen_random_uuid(), w.id, r.id, 'report.verified', now(), 'parked', now(), 503, 'status', 28 FROM webhooks w, reports r WHERE r.report_number = 'LS-2026-000901'`)
	a.click("webhook-kept")
	a.click("webhook-done")

	a.do(chromedp.WaitVisible(a.id("redrive")))
	if call := a.text(a.id("call")); !strings.Contains(call, "Report verified") || !strings.Contains(call, "LS-2026-000901") || !strings.Contains(call, "attempts: 28") || !strings.Contains(call, "answer 503") {
		t.Errorf("the call reads %s", call)
	}
	browser.AccessibleInThemes(t, a.tab, "admin webhook")
	var wide bool
	a.do(chromedp.Evaluate(`document.documentElement.scrollWidth > 360`, &wide))
	if wide {
		t.Error("the page is wider than a phone of 360 pixels")
	}
	a.click("redrive")
	a.says("The call is made again.")
	a.do(chromedp.WaitNotPresent(a.id("redrive")))
	a.says("waiting: 1, given up: 0")
	a.click("webhook-rotate")
	a.click("rotate-send")
	a.do(chromedp.WaitVisible(a.id("secret")))
	a.click("webhook-kept")
	a.click("webhook-done")
	a.do(chromedp.WaitNotPresent(a.id("secret")))
	a.click("webhook-toggle")
	a.says("Switch on")
	if got := w.Text(`SELECT concat(w.enabled, ' ', w.previous_secret IS NOT NULL, ' ', d.state, ' ', d.failure_reason) FROM webhooks w JOIN webhook_deliveries d ON d.webhook_id = w.id`); got != "f t parked switched_off" {
		t.Errorf("switched off: %s", got)
	}
	a.click("webhook-remove")
	a.click("webhook-remove-send")
	a.says("There is no webhook yet.")
	a.open("#audit", "Deleted a webhook")
	a.says("Gave a webhook another secret")
	a.open("#audit?entity=webhook", "Repair disputed") // the events by the names of the form
	a.says("Receiver")
	var about string
	a.do(chromedp.Value(`[name=entity]`, &about))
	if about != "webhook" {
		t.Errorf("the log is said to be about %q", about)
	}
}
