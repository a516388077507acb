package web_test

import (
	"context"
	"encoding/base32"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/shared/credential"
	"github.com/lafaekstreet/backend/shared/identity"
)

// inTwoParts has the server answer an export in two parts.
const inTwoParts = `{ const real = fetch, json = (body) => new Response(JSON.stringify(body), { headers: { "Content-Type": "application/json" } });
	window.fetch = async (...a) => {
		if (String(a[0]).endsWith("/users/me/export?cursor=c%2F1")) return json({ records: { sessions: [{ id: "last" }] } });
		const answer = await real(...a);
		return String(a[0]).endsWith("/users/me/export") ? json({ ...await answer.json(), next_cursor: "c/1" }) : answer;
	};
}`

// A person changes name, mails and language, ends sessions, and saves what is kept about them.
func TestMeAccount(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	c := w.Citizen()
	for range 2 {
		w.Exec(`INSERT INTO sessions (id, user_id, expires_at, platform, model) VALUES (gen_random_uuid(), $1, now() + interval '1 day', 'web', '<b>Chrome, Android')`, c.ID)
	}
	w.Exec(`UPDATE users SET notification_prefs = '{"push": false, "muted": ["alert"]}' WHERE id = $1`, c.ID)
	tab := tabOf(t, w, c, "/me?lang=en#account", 360, 740)
	dir := downloads(t, tab)
	sessions := func() int {
		return w.Int(`SELECT count(*) FROM sessions WHERE user_id = $1 AND revoked_at IS NULL`, c.ID)
	}
	run(t, tab, chromedp.WaitVisible(`[name=full_name]`), says("Browser: <b>Chrome, Android"), until(`document.querySelectorAll("[data-testid=sessions] > li").length === 3`))
	browser.Screenshot(t, tab, "me-account-360")
	browser.AccessibleInThemes(t, tab, "account")
	set := func(name, value string) chromedp.Action {
		return chromedp.Evaluate(`(() => { const el = document.querySelector("[name=`+name+`]"); el.value = "`+value+`"; el.dispatchEvent(new Event("input", { bubbles: true })); })()`, nil)
	}
	run(t, tab, set("full_name", "<i>Ana"), set("phone_number", "no number"), press("profile-save"), until(`document.querySelector("[name=phone_number][aria-invalid]") !== null && document.activeElement.name === "phone_number"`),
		set("phone_number", "+67077001122"), press("profile-save"), says("Saved."), chromedp.Click(`[name=muted][value=comment_added]`), press("mails-save"),
		until(`document.querySelectorAll("#toasts > div").length === 2`), press("end"), until(`document.querySelectorAll("[data-testid=sessions] > li").length === 2`))
	if got := w.Text(`SELECT full_name || ' ' || phone_number || ' ' || share_contact || ' ' || notification_prefs::text FROM users WHERE id = $1`, c.ID); got != `<i>Ana +67077001122 false {"push": false, "email": true, "muted": ["alert", "comment_added"]}` {
		t.Errorf("account %s", got)
	}
	if sessions() != 2 {
		t.Errorf("%d sessions", sessions())
	}
	run(t, tab, press("end-others"), until(`document.querySelectorAll("[data-testid=sessions] > li").length === 1`), chromedp.Evaluate(inTwoParts, nil), press("export"))
	got := downloaded(t, dir, "lafaekstreet-export.json")
	kept, _ := got["records"].(object)["sessions"].([]any)
	if got["profile"].(object)["full_name"] != "<i>Ana" || len(kept) < 2 || kept[len(kept)-1].(object)["id"] != "last" || got["next_cursor"] != nil {
		t.Errorf("export %v, sessions %v", got["profile"], kept)
	}
	run(t, tab, chromedp.Click(`details summary`), chromedp.SendKeys(`[name=current_password]`, "not the one"), chromedp.SendKeys(`[name=new_password]`, "three blue boats"), press("password-save"),
		until(`document.querySelector("[name=current_password]").closest("form").querySelector("[role=alert]:not([hidden])") !== null`),
		chromedp.Evaluate(`document.querySelector("[name=preferred_language]").value = "pt"`, nil), press("profile-save"), chromedp.WaitVisible(`html[lang=pt] [name=full_name]`), says("Sobre mim"))
	if sessions() != 1 {
		t.Errorf("%d sessions", sessions())
	}
}

// What was typed into the account stays when the session ends, and signing out everywhere ends every session.
func TestMeKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	c := w.Citizen()
	address := w.Text(`SELECT email FROM users WHERE id = $1`, c.ID)
	w.Exec(`INSERT INTO sessions (id, user_id, expires_at, platform) VALUES (gen_random_uuid(), $1, now() + interval '1 day', 'android')`, c.ID) // of another device
	tab := tabOf(t, w, c, "/me?lang=en#reports", 360, 740)
	run(t, tab, says("No reports yet"), chromedp.Click(`#tabs a[href="#account"]`), until(`document.activeElement.tagName === "H1" && document.activeElement.textContent === "Account"`),
		chromedp.WaitVisible(`[name=full_name]`), chromedp.SendKeys(`[name=full_name]`, " Typed"),
		chromedp.NavigateBack(), says("No reports yet"), chromedp.NavigateForward(), until(`document.querySelector("[name=full_name]").value.endsWith(" Typed")`))
	c.Post("/auth/logout", nil)
	run(t, tab, press("profile-save"), says("You are signed out. What you wrote is still here"), typed("email", address), press("email-send"), chromedp.WaitVisible(by("code")))
	run(t, tab, typed("code", mailedCode(t, w, address)), press("code-send"), chromedp.WaitVisible(`[name=full_name]`), until(`document.querySelector("[name=full_name]").value.endsWith(" Typed")`),
		press("profile-save"), says("Saved."), press("sign-out-all"), chromedp.WaitVisible(by("email")))
	if n := w.Int(`SELECT count(*) FROM sessions WHERE user_id = $1 AND revoked_at IS NULL`, c.ID); n != 0 {
		t.Errorf("%d sessions", n)
	}
	// A suspended person is told so where they typed the code.
	suspended := w.Citizen()
	address = w.Text(`UPDATE users SET suspended_at = now() WHERE id = $1 RETURNING email`, suspended.ID)
	run(t, tab, typed("email", address), press("email-send"), chromedp.WaitVisible(by("code")))
	run(t, tab, typed("code", mailedCode(t, w, address)), press("code-send"), says("This account is suspended. If you think that this is a mistake"))
}

// Deleting the account says what goes and what stays, and needs a code from a mail and a word.
func TestMeDeletion(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	c := w.Citizen()
	file(w, c, nil)
	address := w.Text(`SELECT email FROM users WHERE id = $1`, c.ID)
	tab := tabOf(t, w, c, "/me?lang=en#account", 360, 740)
	run(t, tab, press("delete"), says("What goes: your name"), says("What stays: your reports, without your name"), says("Public for ever"))
	browser.Screenshot(t, tab, "me-delete-360")
	browser.AccessibleInThemes(t, tab, "deletion")
	run(t, tab, press("email-send"), says("A code was sent to "+address))
	run(t, tab, typed("code", mailedCode(t, w, address)), typed("word", "yes"), press("delete-send"), says("To delete the account, type DELETE"))
	if n := w.Int(`SELECT count(*) FROM users WHERE id = $1 AND deleted_at IS NULL`, c.ID); n != 1 {
		t.Fatal("deleted without the word")
	}
	run(t, tab, chromedp.Evaluate(`document.querySelector("[data-testid=word]").value = "delete"`, nil), press("delete-send"), says("Your account is deleted."), chromedp.Reload(), chromedp.WaitVisible(by("email")))
	if n := w.Int(`SELECT count(*) FROM users WHERE id = $1 AND deleted_at IS NOT NULL`, c.ID); n != 1 {
		t.Error("not deleted")
	}
}

// Staff are led to the desk and set up a second factor with recovery codes.
func TestMeOfStaffSetsUpASecondFactor(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	c := w.Staff(identity.Moderator)
	tab := tabOf(t, w, c, "/me?lang=en", 1280, 800)
	dir := downloads(t, tab)
	run(t, tab, chromedp.WaitVisible(`#view a[href="/desk"]`), chromedp.Click(`#tabs a[href="#account"]`), press("factor"), chromedp.WaitVisible(by("qr")), until(`document.querySelector("[data-testid=qr]").naturalWidth > 0`))
	var secret string
	run(t, tab, chromedp.Text(`code`, &secret))
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimSpace(secret))
	if err != nil {
		t.Fatal(err)
	}
	run(t, tab, typed("code", credential.TOTPCode(key, credential.TOTPStep(time.Now()))), press("code-send"), chromedp.WaitVisible(by("recovery")))
	browser.Screenshot(t, tab, "me-recovery-1280")
	browser.AccessibleInThemes(t, tab, "recovery")
	run(t, tab, press("recovery-save"), chromedp.ActionFunc(func(context.Context) error {
		for range 100 {
			if raw, err := os.ReadFile(dir + "/lafaekstreet-recovery-codes.txt"); err == nil && strings.Count(string(raw), "\r\n") >= 8 {
				return nil
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Error("no file with the codes")
		return nil
	}))
}
