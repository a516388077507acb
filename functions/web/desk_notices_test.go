package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// What people said or decided since stands above the report: that it is not fixed, who handed it back and why. What the AI found is
// folded where a person decided otherwise.
func TestDeskSaysFirstWhatHappened(t *testing.T) {
	t.Parallel()
	d := newDeskReport(t)
	d.Exec(`WITH a AS (INSERT INTO ai_analyses (id, run_id, report_id, stage, model, prompt_version, input_hash, status, is_relevant, relevance_confidence, relevance_reason)
		VALUES (gen_random_uuid(), gen_random_uuid(), $1, 'relevance', 'm', 'v', '', 'completed', false, 0.7, 'No damage is seen.') RETURNING id)
		UPDATE reports SET ai_analysis_id = (SELECT id FROM a) WHERE id = $1`, d.id)
	for _, step := range []struct{ status, note string }{{"verified", ""}, {"in_progress", ""}, {"fixed", "Filled."}} {
		if step.status == "in_progress" {
			d.moderator.Post("/reports/"+d.id+"/assign", object{"agency_id": d.agency}).Want(http.StatusOK)
		}
		who := d.official
		if step.status == "verified" {
			who = d.moderator
		}
		who.Post("/reports/"+d.id+"/status", object{"status": step.status, "note": step.note}).Want(http.StatusOK)
	}
	picture := d.citizen.Form("/reports/pre-upload-image", nil, "file", "b.jpg", d.JPEG(60)).Want(http.StatusCreated).Object().Text("upload_id")
	d.ProcessUpload(picture)
	d.citizen.Post("/reports/"+d.id+"/dispute", object{"note": "The hole is still there.", "upload_id": picture}).Want(http.StatusOK)
	tab := d.open(d.official, 412, 800)
	deskShows(t, tab, "A citizen says that it is not fixed", "A person decided otherwise than the AI")
	atDesk(t, tab, chromedp.WaitVisible(`//div[@data-testid="disputed"]//p[.="The hole is still there."]`), chromedp.WaitVisible(deskID("disputed")+" img"), chromedp.WaitVisible(deskID("overruled")+`:not([open]) summary`),
		deskDoes("hand-back", deskWrites("note", "A national road.")),
		chromedp.WaitNotPresent(deskID("open-report")), chromedp.WaitVisible(deskID("list"))) // it is no work of theirs any more
	other := d.open(d.moderator, 412, 800)
	deskShows(t, other, "Handed back by Rui Alves", "A national road.")
	d.moderator.Post("/reports/"+d.id+"/status", object{"status": "verified"})
	again := d.open(d.official, 412, 800)
	var said string
	atDesk(t, again, chromedp.Click(deskID("start")), chromedp.WaitVisible(dialogID("start-send")), chromedp.Text("[role=dialog]", &said))
	if !strings.Contains(said, "Your agency handed this report back") {
		t.Errorf("it asks %q", said)
	}
}
