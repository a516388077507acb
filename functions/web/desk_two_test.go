package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/shared/identity"
)

// Two people have the same report open. Each learns what the other did, and loses nothing that was typed.
func TestDeskTellsWhatOthersDid(t *testing.T) {
	t.Parallel()
	d := newDeskReport(t)
	other := d.Staff(identity.Moderator)
	d.Exec(`UPDATE users SET full_name = 'Bela Cruz' WHERE id = $1`, other.ID)
	mine, hers := d.open(d.moderator, 412, 800), d.open(other, 412, 800)
	// She verifies while I type a rejection.
	atDesk(t, mine, chromedp.SendKeys(deskID("add-note"), "Half a note"), chromedp.Click(deskID("reject")), chromedp.WaitVisible(dialogID("reject-send")),
		deskChooses("reason", "unsafe"), deskWrites("note", "Too dangerous."))
	atDesk(t, hers, deskDoes("verify"))
	var said, kept string
	atDesk(t, mine, chromedp.Click(dialogID("reject-send")), chromedp.WaitVisible(`[role=dialog] [role=alert]`), chromedp.Text(`[role=dialog] [role=alert]`, &said),
		chromedp.Value(dialogID("note"), &kept))
	d.wantStatus("verified")
	if !strings.Contains(said, "Bela Cruz (moderator): Status: Verified") || !strings.Contains(said, "Nothing was sent") || kept != "Too dangerous." {
		t.Errorf("it says %q and keeps %q", said, kept)
	}
	deskShows(t, mine, "Verified")
	atDesk(t, mine, chromedp.Click(dialogID("reject-send")), chromedp.WaitNotPresent("[role=dialog]"))
	d.wantStatus("rejected")
	// She comes back to her tab, and is told. It changes when she wants it.
	var half, before string
	look := chromedp.Evaluate(`document.dispatchEvent(new Event("visibilitychange"))`, nil)
	atDesk(t, hers, look, chromedp.WaitVisible(deskID("news")), chromedp.Text(deskID("news"), &said), chromedp.Text(".open-report h2 + p", &before),
		chromedp.Click(deskID("news-show")), chromedp.WaitVisible(deskID("return")), chromedp.WaitNotPresent(deskID("news")))
	if !strings.Contains(said, "Ana Costa (moderator): Status: Rejected") || !strings.Contains(before, "Verified") {
		t.Errorf("she reads %q while the report is %q", said, before)
	}
	atDesk(t, mine, chromedp.Value(deskID("add-note"), &half))
	if half != "Half a note" {
		t.Errorf("of the note %q is left", half)
	}
	// What has no rule is explained with what is possible.
	d.Exec(`UPDATE reports SET status = 'fixed', removed_at = NULL, removed_by = NULL, reason_code = NULL, rejection_reason = NULL WHERE id = $1`, d.id)
	atDesk(t, hers, chromedp.Click(deskID("return")), chromedp.WaitVisible(dialogID("return-send")), chromedp.Click(dialogID("return-send")),
		chromedp.WaitVisible(`[role=dialog] [role=alert]`), chromedp.Text(`[role=dialog] [role=alert]`, &said))
	if !strings.Contains(said, "You may change it to: Rejected.") {
		t.Errorf("it says %q", said)
	}
}

// What was typed outlasts a reload and a session that ended; then it is sent as it was.
func TestDeskKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	d := newDeskReport(t)
	tab := d.open(d.moderator, 412, 800)
	chromedp.ListenTarget(tab, func(event any) { // the page asks before it is left
		if _, ok := event.(*page.EventJavascriptDialogOpening); ok {
			go func() { _ = chromedp.Run(tab, page.HandleJavaScriptDialog(true)) }() // the test fails by itself if it stays
		}
	})
	var note, reason string
	atDesk(t, tab, chromedp.SendKeys(deskID("add-note"), "Half a note"), chromedp.Click(deskID("reject")), chromedp.WaitVisible(dialogID("reject-send")), deskWrites("note", "Why not"),
		chromedp.Reload())
	atDesk(t, tab, chromedp.WaitVisible(deskID("open-report")), chromedp.Value(deskID("add-note"), &note),
		chromedp.Click(deskID("reject")), chromedp.WaitVisible(dialogID("reject-send")), chromedp.Value(dialogID("note"), &reason))
	if note != "Half a note" || reason != "Why not" {
		t.Errorf("after a reload: %q, %q", note, reason)
	}
	d.Exec(`DELETE FROM refresh_tokens`)
	atDesk(t, tab, chromedp.Evaluate(`import(document.querySelector('script[src$="/core.js"]').src).then((core) => { core.session.token = "ended"; })`, nil, awaited), deskChooses("reason", "offensive"), chromedp.Click(dialogID("reject-send")), chromedp.WaitVisible(dialogID("sign-in")))
	d.wantStatus("pending")
	atDesk(t, tab, chromedp.Value(dialogID("note"), &reason))
	if reason != "Why not" {
		t.Errorf("after the session ended: %q", reason)
	}
	// Somebody else at the same tab does not read it.
	signIn(t, d.System, tab, d.Staff(identity.Moderator))
	atDesk(t, tab, chromedp.Navigate(d.URL+"/desk?lang=en&report="+d.number), chromedp.WaitVisible(deskID("open-report")), chromedp.Value(deskID("add-note"), &note))
	if note != "" {
		t.Errorf("somebody else reads %q", note)
	}
}

// An official works on what is their agency's, and reads the rest.
func TestDeskOfAnOfficial(t *testing.T) {
	t.Parallel()
	d := newDeskReport(t)
	d.moderator.Post("/reports/"+d.id+"/status", object{"status": "verified"}).Want(http.StatusOK)
	d.moderator.Post("/reports/"+d.id+"/assign", object{"agency_id": d.agency}).Want(http.StatusOK)
	tab := d.open(d.official, 412, 800)
	if got := deskOffers(t, tab); got != "start duplicate assign hand-back correct edit sheet" {
		t.Errorf("offered: %s", got)
	}
	var fields []string
	atDesk(t, tab, chromedp.Click(deskID("edit")), chromedp.WaitVisible(dialogID("edit-send")),
		chromedp.Evaluate(`[...document.querySelectorAll("[role=dialog] [name]")].map((el) => el.name)`, &fields))
	if got := strings.Join(fields, " "); got != "severity street address reason" {
		t.Errorf("an official may edit %s", got)
	}
	elsewhere := d.Agency("WATER")
	d.moderator.Post("/reports/"+d.id+"/assign", object{"agency_id": elsewhere}).Want(http.StatusOK)
	atDesk(t, tab, chromedp.Click(dialogID("edit-send")), chromedp.WaitNotPresent("[role=dialog]"))
	if got := deskOffers(t, tab); got != "sheet" {
		t.Errorf("of another agency's report: %s", got)
	}
	// The server decides: its refusal is said where the person acts.
	d.moderator.Post("/reports/"+d.id+"/assign", object{"agency_id": d.agency}).Want(http.StatusOK)
	again := d.open(d.official, 412, 800)
	d.Exec(`UPDATE reports SET assigned_agency_id = $2 WHERE id = $1`, d.id, elsewhere)
	var said string
	atDesk(t, again, chromedp.Click(deskID("start")), chromedp.WaitVisible(dialogID("start-send")), chromedp.Click(dialogID("start-send")),
		chromedp.WaitVisible(`[role=dialog] [role=alert]`), chromedp.Text(`[role=dialog] [role=alert]`, &said))
	if !strings.Contains(said, "another agency") {
		t.Errorf("it says %q", said)
	}
}

// A report is repaired with a picture alone: it is sent once, and counts when it can be seen.
func TestDeskShowsTheRepair(t *testing.T) {
	t.Parallel()
	d := newDeskReport(t)
	d.moderator.Post("/reports/"+d.id+"/status", object{"status": "verified"}).Want(http.StatusOK)
	d.moderator.Post("/reports/"+d.id+"/assign", object{"agency_id": d.agency}).Want(http.StatusOK)
	d.official.Post("/reports/"+d.id+"/status", object{"status": "in_progress"}).Want(http.StatusOK)
	tab := d.open(d.official, 412, 800)
	atDesk(t, tab, chromedp.Click(deskID("fix")), chromedp.WaitVisible(dialogID("fix-send")), chromedp.Click(dialogID("fix-send")), chromedp.WaitVisible(`[role=dialog] [role=alert]`),
		chromedp.SetUploadFiles(dialogID("photo"), []string{d.writeJPEG()}), chromedp.Click(dialogID("fix-send")))
	// It looks for the picture more than once.
	atDesk(t, tab, browser.Poll(`performance.getEntriesByType("resource").filter((e) => e.name.endsWith("/log")).length > 3`, nil))
	d.wantStatus("in_progress")
	d.ProcessUpload(d.Text(`SELECT upload_id::text FROM report_images WHERE report_id = $1 AND kind = 'resolution'`, d.id))
	atDesk(t, tab, chromedp.WaitNotPresent("[role=dialog]"))
	d.wantStatus("fixed")
	if n := d.Int(`SELECT count(*) FROM report_images WHERE report_id = $1 AND kind = 'resolution'`, d.id); n != 1 {
		t.Errorf("%d pictures of the repair", n)
	}
	deskShows(t, tab, "The repair")
}
