package web_test

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/lafaekstreet/backend/infra/local/browser"
)

// A moderator hides and shows words, pictures and comments, dismisses flags, edits, corrects, and reaches the reporter.
func TestDeskModeratesAReport(t *testing.T) {
	t.Parallel()
	d := newDeskReport(t)
	d.citizen.Post("/reports/"+d.id+"/comments", object{"content": "<b>Lalais!</b>"}).Want(http.StatusCreated)
	d.Citizen().Post("/reports/"+d.id+"/flag", object{"reason": "personal_data", "note": "It has a phone number."}).Want(http.StatusAccepted)
	tab := d.open(d.moderator, 1280, 900)
	deskShows(t, tab, "One person says that this should not be shown", "It has a phone number.", "<b>Lalais!</b>")
	atDesk(t, tab, deskDoes("dismiss"))
	if n := d.Int(`SELECT count(*) FROM report_flags WHERE report_id = $1 AND outcome = 'dismissed'`, d.id); n != 1 {
		t.Error("the flag is not dismissed")
	}
	for _, thing := range []struct{ name, in, reason string }{
		{"words", `.open-columns section:nth-of-type(1) `, `SELECT words_hidden_reason FROM reports WHERE id = $1`},
		{"picture", `.picture `, `SELECT hidden_reason FROM report_images WHERE report_id = $1`},
		{"comment", deskID("comments") + ` `, `SELECT hidden_reason FROM report_comments WHERE report_id = $1`},
	} {
		within := func(name string, fill ...chromedp.Action) chromedp.Tasks {
			all := deskDoes(name, fill...)
			all[0] = chromedp.Click(thing.in + deskID(name))
			return all
		}
		atDesk(t, tab, within("hide", deskChooses("reason", "personal_data")), chromedp.WaitVisible(thing.in+deskID("show")))
		if got := d.Text(`SELECT coalesce((`+thing.reason+`), '')`, d.id); got != "personal_data" {
			t.Errorf("the %s is hidden because of %q", thing.name, got)
		}
		atDesk(t, tab, within("show"), chromedp.WaitVisible(thing.in+deskID("hide")))
		if got := d.Text(`SELECT coalesce((`+thing.reason+`), '')`, d.id); got != "" {
			t.Errorf("the %s is not shown again", thing.name)
		}
	}
	atDesk(t, tab, deskDoes("edit", deskChooses("title", ""), deskWrites("title", "Very deep hole"), deskWrites("reason", "Clearer.")))
	deskShows(t, tab, "Very deep hole", "As the reporter wrote it", "Deep hole", "Clearer.")
	atDesk(t, tab, deskDoes("correct", deskChooses("issue_type", "road_damage"), deskChooses("severity", "high"), deskWrites("note", "I was there.")))
	deskShows(t, tab, "Road damage", "High", "Verified", "I was there.")
	atDesk(t, tab, chromedp.SendKeys(deskID("add-note"), "Ask the suco chief."), chromedp.Click(deskID("add-note-send")),
		browser.Poll(`document.querySelector('`+deskID("notes")+`').textContent.includes("Ask the suco chief.")`, nil),
		chromedp.SendKeys(deskID("add-comment"), "We come on Tuesday."), chromedp.Click(deskID("add-comment-send")),
		browser.Poll(`document.querySelector('`+deskID("comments")+`').textContent.includes("We come on Tuesday.")`, nil),
		chromedp.Click(deskID("contact")), chromedp.WaitVisible(`a[href^="mailto:"]`))
	if d.Int(`SELECT count(*) FROM audit_log WHERE action = 'report.read_reporter' AND entity_id = $1`, d.id) != 1 {
		t.Error("the look at the contact is not recorded")
	}
	atDesk(t, tab, deskDoes("reject", deskChooses("reason", "irrelevant"), deskWrites("note", "It is a private road.")))
	d.wantStatus("rejected")
	if got := d.Text(`SELECT reason_code FROM reports WHERE id = $1`, d.id); got != "irrelevant" {
		t.Errorf("it is rejected because of %s", got)
	}
	deskShows(t, tab, "It is a private road.")
	atDesk(t, tab, deskDoes("return"))
	d.wantStatus("pending")
}

// A possible duplicate is shown beside the report, and chosen there; another one is named by its number.
func TestDeskComparesDuplicates(t *testing.T) {
	t.Parallel()
	d := newDeskReport(t)
	original, number := d.file("The same hole")
	d.Exec(`INSERT INTO duplicate_candidates (report_id, candidate_id, similarity, distance_meters) VALUES ($1, $2, 0.93, 41)`, d.id, original)
	tab := d.open(d.moderator, 412, 800)
	var shown string
	atDesk(t, tab, chromedp.Click(deskID("compare")), chromedp.WaitVisible(dialogID("compare-duplicate")), chromedp.Text("[role=dialog]", &shown))
	for _, want := range []string{"41 m away", "93 %", d.number, number, "Deep hole", "The same hole"} {
		if !strings.Contains(shown, want) {
			t.Errorf("the comparison does not show %q: %s", want, shown)
		}
	}
	atDesk(t, tab, chromedp.Click(dialogID("compare-duplicate")), chromedp.WaitVisible(dialogID("duplicate-send")), chromedp.Click(dialogID("duplicate-send")), chromedp.WaitNotPresent("[role=dialog]"))
	if d.Int(`SELECT count(*) FROM reports WHERE id = $1 AND duplicate_of = $2`, d.id, original) != 1 {
		t.Error("the report is no duplicate")
	}
	atDesk(t, tab, deskDoes("return"), deskDoes("duplicate", deskWrites("number", number)))
	d.wantStatus("duplicate")
}

// The boxes that are drawn by pointer are those that the same person makes by keyboard: fractions of the picture.
func TestDeskRedactsByPointerAndByKeyboard(t *testing.T) {
	t.Parallel()
	d := newDeskReport(t)
	tab := d.open(d.moderator, 1280, 900)
	var area struct{ X, Y, Width, Height float64 }
	mouse := func(kind input.MouseType, x, y float64) chromedp.Action {
		return input.DispatchMouseEvent(kind, area.X+x*area.Width, area.Y+y*area.Height).WithButton(input.Left).WithButtons(1).WithClickCount(1)
	}
	atDesk(t, tab, chromedp.Click(deskID("redact")), chromedp.WaitVisible(dialogID("redact-area")),
		browser.Poll(`document.querySelector("[role=dialog] img").complete`, nil),
		chromedp.Evaluate(`(() => { const b = document.querySelector('`+deskID("redact-area")+`').getBoundingClientRect(); return {x: b.left, y: b.top, width: b.width, height: b.height}; })()`, &area))
	if area.Width < 100 {
		t.Fatalf("the picture is %v", area)
	}
	atDesk(t, tab, mouse(input.MousePressed, 0.25, 0.25), mouse(input.MouseMoved, 0.4, 0.4), mouse(input.MouseMoved, 0.5, 0.75), mouse(input.MouseReleased, 0.5, 0.75))
	// By keyboard: add one at 40 %, move it, make it larger; add another one and take it away.
	keys := chromedp.Tasks{chromedp.Focus(dialogID("box-add")), chromedp.KeyEvent(kb.Enter)}
	for range 3 {
		keys = append(keys, chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(kb.ArrowDown, chromedp.KeyModifiers(input.ModifierShift)))
	}
	keys = append(keys, chromedp.Focus(dialogID("box-add")), chromedp.KeyEvent(kb.Enter), chromedp.KeyEvent(kb.Delete))
	// One is drawn towards the left and the top, moved, made larger at its corner, and its height is typed.
	const corner = `(() => { const a = document.querySelector('[data-testid="redact-area"]').getBoundingClientRect(), c = [...document.querySelectorAll(".box .corner")].pop().getBoundingClientRect();
		return { x: (c.left + c.width / 2 - a.left) / a.width, y: (c.top + c.height / 2 - a.top) / a.height }; })()`
	var at struct{ X, Y float64 }
	drawn := chromedp.Tasks{mouse(input.MousePressed, 0.9, 0.95), mouse(input.MouseMoved, 0.8, 0.9), mouse(input.MouseMoved, 0.7, 0.8), mouse(input.MouseReleased, 0.7, 0.8),
		mouse(input.MousePressed, 0.8, 0.87), mouse(input.MouseMoved, 0.75, 0.86), mouse(input.MouseMoved, 0.7, 0.85), mouse(input.MouseReleased, 0.7, 0.85), chromedp.Evaluate(corner, &at),
		chromedp.ActionFunc(func(ctx context.Context) error {
			return chromedp.Tasks{mouse(input.MousePressed, at.X, at.Y), mouse(input.MouseMoved, at.X+0.02, at.Y), mouse(input.MouseMoved, at.X+0.05, at.Y+0.02), mouse(input.MouseReleased, at.X+0.05, at.Y+0.02)}.Do(ctx)
		}), chromedp.Evaluate(`(() => { const i = [...document.querySelectorAll("[data-testid=box-height]")].pop(); i.value = "20"; i.dispatchEvent(new Event("input")); })()`, nil)}
	var boxes int
	atDesk(t, tab, keys, drawn, chromedp.Evaluate(`document.querySelectorAll("[data-testid=box]").length`, &boxes),
		deskChooses("reason", "personal_data"), chromedp.Click(dialogID("redact-send")), chromedp.WaitNotPresent("[role=dialog]"))
	var got []struct{ X, Y, Width, Height float64 }
	if err := json.Unmarshal([]byte(d.Text(`SELECT boxes::text FROM report_images WHERE id = $1`, d.image)), &got); err != nil || len(got) != 3 || boxes != 3 {
		t.Fatalf("%d boxes, stored %v, %v", boxes, got, err)
	}
	near := func(a, b float64) bool { return math.Abs(a-b) < 0.015 }
	if b := got[0]; !near(b.X, 0.25) || !near(b.Y, 0.25) || !near(b.Width, 0.25) || !near(b.Height, 0.5) {
		t.Errorf("drawn: %+v", b)
	}
	if b := got[1]; !near(b.X, 0.43) || !near(b.Y, 0.4) || !near(b.Width, 0.2) || !near(b.Height, 0.23) {
		t.Errorf("by keyboard: %+v", b)
	}
	if b := got[2]; !near(b.X, 0.6) || !near(b.Y, 0.78) || !near(b.Width, 0.25) || !near(b.Height, 0.2) {
		t.Errorf("moved and made larger: %+v", b)
	}
	if got := d.Text(`SELECT after ->> 'reason_code' FROM audit_log WHERE action = 'image.redact'`); got != "personal_data" {
		t.Errorf("redacted because of %s", got)
	}
	deskShows(t, tab, "It is being made.")
}

// Of an appeal, a moderator reads the words and decides once.
func TestDeskDecidesAppeals(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"grant": "verified", "uphold": "rejected"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDeskReport(t)
			d.moderator.Post("/reports/"+d.id+"/status", object{"status": "rejected", "reason_code": "irrelevant"}).Want(http.StatusOK)
			d.citizen.Post("/reports/"+d.id+"/appeal", object{"reason": "It is a road, seen from above."}).Want(http.StatusOK)
			tab := d.open(d.moderator, 412, 800)
			deskShows(t, tab, "It is a road, seen from above.", "Please decide")
			if got := deskOffers(t, tab); got != "grant uphold edit sheet" {
				t.Errorf("offered: %s", got)
			}
			atDesk(t, tab, deskDoes(name, deskWrites("note", "I have looked again.")))
			d.wantStatus(want)
			if strings.Contains(deskOffers(t, tab), "uphold") {
				t.Error("the appeal is still open")
			}
		})
	}
}

// A picture can be looked at closely by buttons and by keyboard. The focus returns to where it was.
func TestDeskLooksClosely(t *testing.T) {
	t.Parallel()
	d := newDeskReport(t)
	tab := d.open(d.moderator, 360, 740)
	var scales [4]string
	var moved, focus string
	scale := func(i int) chromedp.Action { return chromedp.AttributeValue(".zoom", "data-scale", &scales[i], nil) }
	atDesk(t, tab, chromedp.Click(deskID("zoom")), chromedp.Click(deskID("zoom-in")), scale(0), chromedp.Focus(".zoom"), chromedp.KeyEvent("+"), scale(1),
		chromedp.KeyEvent(kb.ArrowLeft), chromedp.Evaluate(`document.querySelector(".zoom img").style.transform`, &moved), chromedp.KeyEvent("-"), scale(2),
		chromedp.KeyEvent("0"), scale(3), chromedp.KeyEvent(kb.Escape), chromedp.WaitNotPresent("[role=dialog]"),
		browser.Poll(`document.activeElement.dataset.testid`, &focus))
	if scales != [4]string{"1.50", "2.25", "1.50", "1.00"} || !strings.HasPrefix(moved, "translate(60px, 0px)") || focus != "zoom" {
		t.Errorf("scales %v, moved %s, then the focus is on %q", scales, moved, focus)
	}
}

// A comment that somebody flagged is hidden or kept, where it stands.
func TestDeskDecidesFlagsOfComments(t *testing.T) {
	t.Parallel()
	d := newDeskReport(t)
	d.Verify(d.id)
	comment := d.citizen.Post("/reports/"+d.id+"/comments", object{"content": "Rude words"}).Want(http.StatusCreated).Object().Text("id")
	d.Citizen().Post("/reports/"+d.id+"/comments/"+comment+"/flag", object{"reason": "offensive"}).Want(http.StatusAccepted)
	tab := d.open(d.moderator, 412, 800)
	atDesk(t, tab, chromedp.WaitVisible(deskID("comments")+" "+deskID("dismiss")))
	deskShows(t, tab, "Somebody flagged this. Reason: Insults people.")
	atDesk(t, tab, deskDoes("dismiss"), chromedp.WaitNotPresent(deskID("comments")+" "+deskID("dismiss")))
	if d.Int(`SELECT count(*) FROM report_flags WHERE comment_id = $1 AND outcome = 'dismissed'`, comment) != 1 {
		t.Error("the flag is not dismissed")
	}
}

// Staff read which system sent a report, and that the person whom it names confirmed nothing.
func TestDeskSaysWhichSystemSentAReport(t *testing.T) {
	t.Parallel()
	d := newDeskReport(t)
	key, _ := d.APIKey("FixMyStreet Dili")
	d.Exec(`UPDATE reports SET user_id = NULL, api_key_id = $2, source = 'open311' WHERE id = $1`, d.id, key)
	d.Exec(`INSERT INTO open311_contacts (report_id, full_name) VALUES ($1, 'Maria')`, d.id)
	tab := d.open(d.moderator, 360, 740)
	atDesk(t, tab, chromedp.Click(deskID("contact")), chromedp.WaitVisible(`a[href="mailto:ops@example.org"]`))
	deskShows(t, tab, "Maria", "FixMyStreet Dili", "Nobody has confirmed it.")
}
