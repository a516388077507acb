package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// downloads has a tab save files in a folder of its own, which it returns.
func downloads(t *testing.T, tab context.Context) string {
	t.Helper()
	dir := t.TempDir()
	run(t, tab, browser.Downloads(dir))
	return dir
}

// downloaded waits for a file and returns its content as JSON.
func downloaded(t *testing.T, dir, name string) object {
	t.Helper()
	for range 200 {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		var out object
		if err == nil && json.Unmarshal(raw, &out) == nil {
			return out
		}
		time.Sleep(50 * time.Millisecond)
	}
	found, _ := os.ReadDir(dir)
	t.Fatalf("no %s; there are %v", name, found)
	return nil
}

// fixedReport is a report of c that is marked as fixed.
func fixedReport(w *testenv.System, c *testenv.Client) (string, string) {
	id, number := file(w, c, object{"title": "Mended?"})
	w.Exec(`UPDATE reports SET status = 'fixed', resolved_at = now() WHERE id = $1`, id)
	return id, number
}

// A person appeals once, disputes a repair with words and a picture, withdraws, and saves a receipt.
func TestMeAppealDisputeWithdrawAndReceipt(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	c, moderator := w.Citizen(), w.Staff(identity.Moderator)
	fixed, _ := fixedReport(w, c)
	rejected, _ := file(w, c, object{"title": "No hole"})
	moderator.Post("/reports/"+rejected+"/status", object{"status": "rejected", "reason_code": "irrelevant"}).Want(http.StatusOK)
	pending, number := file(w, c, object{"title": "By mistake"})
	tab := tabOf(t, w, c, "/me?lang=en", 360, 740)
	dir := downloads(t, tab)
	run(t, tab, press("receipt"))
	if got := downloaded(t, dir, number+"-receipt.json"); got["note"] != c.Get("/reports/"+pending).Object().At("receipt.note") || got["salt"] == nil || got["payload"] == nil {
		t.Errorf("receipt %v", got)
	}
	run(t, tab, press("appeal"), typed("reason", "The hole is under the water."), press("appeal-send"), chromedp.WaitVisible(by("appealed")), says("A person will decide"),
		until(`document.querySelector('[data-testid=appeal]') === null`))
	if got := c.Get("/reports/" + rejected).Object().Text("appeal.reason"); got != "The hole is under the water." {
		t.Errorf("appeal %q", got)
	}
	picture := filepath.Join(t.TempDir(), "a.jpg")
	if err := os.WriteFile(picture, w.JPEG(120), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, tab, press("dispute"), chromedp.WaitVisible(by("note")), press("dispute-send"), says("say what is not fixed"))
	browser.Screenshot(t, tab, "me-dispute-360")
	browser.AccessibleInThemes(t, tab, "dispute")
	run(t, tab, typed("note", "It is open again"), chromedp.SetUploadFiles(by("picture"), []string{picture}), press("dispute-send"),
		until(`document.querySelector('[data-testid=dispute]') === null`), says("In progress"))
	if got := w.Text(`SELECT c.content || ' ' || (d.image_id IS NOT NULL)::text FROM report_disputes d JOIN report_comments c ON c.id = d.comment_id WHERE d.report_id = $1`, fixed); got != "It is open again true" {
		t.Errorf("dispute %q", got)
	}
	run(t, tab, press("withdraw"), typed("reason", "It was another street"), press("withdraw-send"), until(`document.querySelectorAll("[data-testid=list] > li").length === 2`),
		chromedp.Navigate(w.URL+"/me?lang=en#reports/"+number), chromedp.WaitVisible(by("removed")), says("You withdrew this report"), says("All my reports"))
	if got := w.Text(`SELECT removal_note FROM reports WHERE id = $1`, pending); got != "It was another street" {
		t.Errorf("withdrawn because %q", got)
	}
}

// A dialog keeps what was typed when the session ends meanwhile: the person signs in again and it is sent.
func TestMeKeepsAnAppealWhenTheSessionEnds(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	c := w.Citizen()
	id, _ := file(w, c, nil)
	w.Staff(identity.Moderator).Post("/reports/"+id+"/status", object{"status": "rejected", "reason_code": "irrelevant"}).Want(http.StatusOK)
	tab := tabOf(t, w, c, "/me?lang=en", 360, 740)
	run(t, tab, press("appeal"), typed("reason", "Look again"))
	c.Post("/auth/logout", nil).Want(http.StatusOK)
	address := w.Text(`SELECT email FROM users WHERE id = $1`, c.ID)
	const dialog = `.dialog ~ .dialog `
	run(t, tab, press("appeal-send"), chromedp.WaitVisible(dialog+by("email")), says("You are signed out"), chromedp.SendKeys(dialog+by("email"), address), chromedp.Click(dialog+by("email-send")),
		chromedp.WaitVisible(dialog+by("code")))
	run(t, tab, chromedp.SendKeys(dialog+by("code"), mailedCode(t, w, address)), chromedp.Click(dialog+by("code-send")), chromedp.WaitVisible(by("appealed")))
	if got := w.Text(`SELECT appeal_reason FROM reports WHERE id = $1`, id); got != "Look again" {
		t.Errorf("appeal %q", got)
	}
}
