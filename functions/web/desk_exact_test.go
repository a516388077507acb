package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/shared/identity"
)

// inProgress has the agency begin.
func (d *deskReport) inProgress() {
	d.t.Helper()
	d.moderator.Post("/reports/"+d.id+"/status", object{"status": "verified"}).Want(http.StatusOK)
	d.moderator.Post("/reports/"+d.id+"/assign", object{"agency_id": d.agency}).Want(http.StatusOK)
	d.official.Post("/reports/"+d.id+"/status", object{"status": "in_progress"}).Want(http.StatusOK)
}

// loseAnswer has the page lose the first answer to a request of this method whose address ends so. The server has done its work.
func loseAnswer(method, end string) chromedp.Action {
	return chromedp.Evaluate(`{ const real = fetch; let once = true; window.fetch = async (...a) => {
		const answer = await real(...a);
		if (once && a[1] && a[1].method === "`+method+`" && String(a[0]).endsWith("`+end+`")) { once = false; throw new TypeError("lost"); }
		return answer;
	}; }`, nil)
}

// Words that somebody else changed while they were edited are not overwritten: the person is told first. A note or a comment whose
// answer was lost is there once. A text that was sent is not in the form again.
func TestDeskOverwritesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	d := newDeskReport(t)
	other := d.Staff(identity.Moderator)
	tab := d.open(d.moderator, 412, 800)
	atDesk(t, tab, chromedp.Click(deskID("edit")), chromedp.WaitVisible(dialogID("edit-send")), deskChooses("title", ""), deskWrites("title", "My title"))
	other.Patch("/reports/"+d.id, object{"title": "Her title"}).Want(http.StatusOK)
	var said, mine, left, again string
	atDesk(t, tab, chromedp.Click(dialogID("edit-send")), chromedp.WaitVisible(`[role=dialog] [role=alert]`), chromedp.Text(`[role=dialog] [role=alert]`, &said), chromedp.Value(dialogID("title"), &mine))
	if got := d.Text(`SELECT title FROM reports WHERE id = $1`, d.id); got != "Her title" || !strings.Contains(said, "Nothing was sent") || mine != "My title" {
		t.Errorf("the title is %q, the page says %q and keeps %q", got, said, mine)
	}
	atDesk(t, tab, chromedp.Click(dialogID("edit-send")), chromedp.WaitNotPresent("[role=dialog]"))
	if got := d.Text(`SELECT title FROM reports WHERE id = $1`, d.id); got != "My title" {
		t.Errorf("the title is %q", got)
	}

	for _, name := range []string{"note", "comment"} {
		atDesk(t, tab, loseAnswer("POST", "/"+name+"s"), chromedp.SendKeys(deskID("add-"+name), "Once"), chromedp.Click(deskID("add-"+name+"-send")),
			browser.Poll(`!document.querySelector('`+deskID("add-"+name)+`').closest("form").querySelector("[role=alert]").hidden`, nil),
			chromedp.Click(deskID("add-"+name+"-send")), browser.Poll(`document.querySelector('`+deskID("add-"+name)+`').value === ""`, nil))
	}
	if got := d.Int(`SELECT count(*) FROM report_comments WHERE content = 'Once'`)*10 + d.Int(`SELECT count(*) FROM report_notes WHERE content = 'Once'`); got != 11 {
		t.Errorf("comments and notes: %d", got)
	}
	atDesk(t, tab, deskDoes("reject", deskChooses("reason", "other"), deskWrites("note", "Not a road.")), deskDoes("return"), chromedp.Click(deskID("reject")), chromedp.WaitVisible(dialogID("reject-send")),
		chromedp.Value(dialogID("note"), &left), chromedp.KeyEvent(kb.Escape), chromedp.WaitNotPresent("[role=dialog]"))
	if left != "" {
		t.Fatalf("what was sent is in the form again: %q", left)
	}
	atDesk(t, tab, chromedp.Reload(), chromedp.WaitVisible(deskID("add-note")), chromedp.Value(deskID("add-note"), &again))
	if again != "" {
		t.Errorf("what was sent is in the form again: %q", again)
	}
}

// Before a report is closed with a picture, its official learns what others did meanwhile. Pressed again, it is fixed with that one
// picture.
func TestDeskTellsBeforeAReportIsClosed(t *testing.T) {
	t.Parallel()
	d := newDeskReport(t)
	d.inProgress()
	tab := d.open(d.official, 412, 800)
	atDesk(t, tab, chromedp.Click(deskID("fix")), chromedp.WaitVisible(dialogID("fix-send")), deskWrites("note", "Filled."), chromedp.SetUploadFiles(dialogID("photo"), []string{d.writeJPEG()}))
	d.moderator.Patch("/reports/"+d.id, object{"title": "Two holes"}).Want(http.StatusOK)
	var said string
	atDesk(t, tab, chromedp.Click(dialogID("fix-send")), chromedp.WaitVisible(`[role=dialog] [role=alert]`), chromedp.Text(`[role=dialog] [role=alert]`, &said))
	d.wantStatus("in_progress")
	if !strings.Contains(said, "Ana Costa (moderator)") {
		t.Errorf("it says %q", said)
	}
	atDesk(t, tab, chromedp.Click(dialogID("fix-send")), chromedp.WaitNotPresent("[role=dialog]"))
	d.wantStatus("fixed")
	if n := d.Int(`SELECT count(*) FROM report_images WHERE report_id = $1 AND kind = 'resolution'`, d.id); n != 1 {
		t.Errorf("%d pictures of the repair", n)
	}
}

// Boxes belong to the picture that they were drawn on, and wait there until they are sent.
func TestDeskKeepsBoxesOfEachPicture(t *testing.T) {
	t.Parallel()
	d := newDeskReport(t)
	d.inProgress()
	d.official.Form("/reports/"+d.id+"/images", map[string]string{"kind": "resolution"}, "file", "b.jpg", d.JPEG(91)).Want(http.StatusCreated)
	d.ProcessUpload(d.Text(`SELECT upload_id FROM report_images WHERE report_id = $1 AND id <> $2`, d.id, d.image))
	second := d.Text(`SELECT id FROM report_images WHERE report_id = $1 AND id <> $2`, d.id, d.image)
	tab := d.open(d.moderator, 412, 800)
	redact := func(n string) chromedp.Action {
		return chromedp.Tasks{chromedp.Click(`.picture:nth-of-type(` + n + `) ` + deskID("redact")), chromedp.WaitVisible(dialogID("box-add"))}
	}
	var first, other, again int
	boxes := func(n *int) chromedp.Action {
		return chromedp.Tasks{chromedp.Evaluate(`document.querySelectorAll("[data-testid=box]").length`, n), chromedp.KeyEvent(kb.Escape), chromedp.WaitNotPresent("[role=dialog]")}
	}
	atDesk(t, tab, redact("1"), chromedp.Click(dialogID("box-add")), boxes(&first), redact("2"), boxes(&other), redact("1"), boxes(&again))
	if first != 1 || other != 0 || again != 1 {
		t.Fatalf("boxes: %d, on the other picture %d, later %d", first, other, again)
	}
	atDesk(t, tab, redact("1"), deskChooses("reason", "personal_data"), chromedp.Click(dialogID("redact-send")), chromedp.WaitNotPresent("[role=dialog]"))
	if got := d.Text(`SELECT (boxes IS NOT NULL)::text || ' ' || (SELECT boxes IS NOT NULL FROM report_images WHERE id = $2) FROM report_images WHERE id = $1`, d.image, second); got != "true false" {
		t.Errorf("black parts: %s", got)
	}
}
