package web_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/shared/identity"
)

// by is the selector of a data-testid.
func by(testid string) string { return `[data-testid="` + testid + `"]` }

// press clicks the first visible element with a data-testid.
func press(testid string) chromedp.Action { return browser.Press(by(testid)) }

// typed types a text into the first visible element with a data-testid.
func typed(testid, text string) chromedp.Action {
	return chromedp.Tasks{chromedp.WaitVisible(by(testid)), chromedp.SendKeys(by(testid), text, chromedp.NodeVisible)}
}

// until waits until an expression is true on the page, also on a tab in the background.
func until(format string, args ...any) chromedp.Action {
	return browser.Poll(fmt.Sprintf(format, args...), nil, chromedp.WithPollingInterval(100*time.Millisecond))
}

// says waits until the visible text of the page contains text.
func says(text string) chromedp.Action { return until(`document.body.innerText.includes(%q)`, text) }

// run runs actions on a tab and fails the test where one fails. It says what the page showed then.
func run(t *testing.T, tab context.Context, actions ...chromedp.Action) {
	t.Helper()
	limited, cancel := context.WithTimeout(tab, browser.Patience)
	defer cancel()
	for i, a := range actions {
		if err := chromedp.Run(limited, a); err != nil {
			var text string
			browser.Screenshot(t, tab, t.Name())
			_ = chromedp.Run(tab, chromedp.Evaluate(`location.href + "\n" + document.body.innerText`, &text)) // the tab may be gone
			t.Fatalf("step %d: %v\n%s", i+1, err, text)
		}
	}
}

// A person without the app signs in on the page, is told that the list is empty, and signs out again.
func TestMeSignInAndOut(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	const address = "alda@example.tl"
	tab := tabOf(t, w, nil, "/me?lang=en", 360, 740)
	run(t, tab, typed("email", address), press("email-send"), chromedp.WaitVisible(by("code")))
	browser.Screenshot(t, tab, "me-code-360")
	run(t, tab, typed("code", "000000"), press("code-send"), until(`document.querySelector("[role=alert]:not([hidden])") !== null`),
		chromedp.Evaluate(`document.querySelector("[data-testid=code]").value = ""`, nil), typed("code", mailedCode(t, w, address)), press("code-send"),
		says("No reports yet"), says("You have no name here"), chromedp.Reload(), says("No reports yet"))
	browser.Screenshot(t, tab, "me-empty-360")
	browser.AccessibleInThemes(t, tab, "empty")
}

// The list says of each report what became of it, filters, and goes on page by page.
func TestMyReports(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	c, moderator := w.Citizen(), w.Staff(identity.Moderator)
	agency := w.Agency("DILI-ROADS")
	var many []object
	for n := range 20 {
		many = append(many, object{"client_id": uuid.NewString(), "issue_type": "waste", "title": fmt.Sprintf("Hole %d", n), "latitude": -8.5569, "longitude": 125.5603})
	}
	c.Post("/reports/batch", object{"reports": many}).Want(http.StatusOK)
	hostile, _ := file(w, c, object{"title": `<img src=x onerror=alert(1)>` + strings.Repeat("w", 60), "suco": `"><script>alert(1)</script>`})
	assigned, number := file(w, c, nil)
	w.Verify(assigned)
	moderator.Post("/reports/"+assigned+"/assign", object{"agency_id": agency, "due_at": "2027-01-05T00:00:00Z"}).Want(http.StatusOK)
	w.Exec(`UPDATE reports SET due_at = due_at - interval '1 year' WHERE id = $1`, assigned)
	rejected, _ := file(w, c, object{"title": "No hole"})
	moderator.Post("/reports/"+rejected+"/status", object{"status": "rejected", "reason_code": "other", "note": "We see no hole"}).Want(http.StatusOK)
	w.Exec(`UPDATE reports SET confirmations_count = 1, comments_count = 2 WHERE id = $1`, hostile)
	tab := tabOf(t, w, c, "/me?lang=en", 360, 740)
	run(t, tab, until(`document.querySelectorAll("[data-testid=list] > li").length === 20`), says("All (23)"), says("one other person sees it too · 2 comments"), says("Overdue"), says("to be fixed by 5 January 2026"), says("We see no hole"))
	browser.Screenshot(t, tab, "me-reports-360")
	browser.AccessibleInThemes(t, tab, "reports")
	run(t, tab, press("more"), until(`document.querySelectorAll("[data-testid=list] > li").length === 23`), until(`document.activeElement.closest("li") === document.querySelectorAll("[data-testid=list] > li")[20]`),
		chromedp.SetValue(by("filter"), "verified"), chromedp.Evaluate(`document.querySelector("[data-testid=filter]").dispatchEvent(new Event("change", { bubbles: true }))`, nil),
		until(`document.querySelectorAll("[data-testid=list] > li").length === 1 && document.querySelector("[data-testid=list] a").pathname === "/r/%s"`, number))
}
