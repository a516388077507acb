package web_test

import (
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/infra/local/browser"
)

// The main actions are in sight from the start, and stay where they are after a decision. "Next report" leads on.
func TestMainActionsOfTheDeskStayInSight(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{1280, 800}, {768, 1024}} {
		d := newDesk(t)
		numbers := d.reviews(3)
		tab := tabOf(t, d.System, d.moderator, "/desk?lang=en&kind=needs_review&report="+numbers[0], size[0], size[1])
		const inSight = `(() => { const b = document.querySelector("[data-testid=%s]").getBoundingClientRect(); return b.top >= 0 && b.bottom <= innerHeight && b.height > 0; })()`
		run(t, tab, chromedp.WaitVisible(by("verify")), until(inSight, "verify"), until(inSight, "reject"))
		at := value[float64](t, tab, `document.querySelector("[data-testid=reject]").getBoundingClientRect().right`)
		browser.Screenshot(t, tab, "desk-bar")
		run(t, tab, press("verify"), press("verify-send"), until(`!document.querySelector("[role=dialog]") && !document.querySelector("[data-testid=verify]")`))
		if now := value[float64](t, tab, `document.querySelector("[data-testid=reject]").getBoundingClientRect().right`); now != at {
			t.Errorf("the button that rejects was at %v and is at %v", at, now)
		}
		// The list says how many are left, as the queue does.
		run(t, tab, until(`document.querySelector(".list-head [role=status]").textContent === "2 reports" && document.querySelector("[data-testid=queue-needs_review] .n").textContent === "2"`),
			press("next-report"), until(`location.search.includes("%s")`, numbers[1]))
	}
}

// "Same as another" shows the reports of the kind near by, the nearest first, and says what was chosen before it is sent.
func TestDeskShowsWhatIsNearBy(t *testing.T) {
	t.Parallel()
	d := newDeskReport(t)
	original, number := d.file("The same hole")
	d.Exec(`UPDATE reports SET latitude = latitude + 0.0004 WHERE id = $1`, original)
	_, far := d.file("Another hole")
	d.Exec(`UPDATE reports SET latitude = latitude + 0.01 WHERE report_number = $1`, far)
	tab := d.open(d.moderator, 1280, 900)
	atDesk(t, tab, chromedp.Click(deskID("duplicate")), chromedp.WaitVisible(dialogID("near")))
	var near int
	atDesk(t, tab, chromedp.Evaluate(`document.querySelectorAll("[data-testid=near]").length`, &near), chromedp.Click(dialogID("near")),
		chromedp.WaitVisible(`//div[@data-testid="chosen"][contains(., "The same hole") and contains(., "45 m away") and contains(., "`+number+`")]`))
	browser.Screenshot(t, tab, "desk-same")
	if near != 1 {
		t.Errorf("%d reports are near by", near)
	}
	atDesk(t, tab, chromedp.Click(dialogID("duplicate-send")), chromedp.WaitNotPresent("[role=dialog]"))
	if d.Int(`SELECT count(*) FROM reports WHERE id = $1 AND duplicate_of = $2`, d.id, original) != 1 {
		t.Error("the report is no duplicate")
	}
	d.citizen.Get("/reports/" + d.id).Want(http.StatusOK)
}
