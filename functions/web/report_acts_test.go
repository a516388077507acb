package web_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/infra/local/browser"
)

// A visitor writes a comment, signs in inside the page, and the comment goes on as it was typed. Then they confirm and flag; the
// page knows them again after a reload. What needs a connection says so and can be pressed again.
func TestAVisitorTakesPartInAReport(t *testing.T) {
	t.Parallel()
	s := newStory(t, nil)
	const address = "alda@example.tl"
	offline := func(on bool) chromedp.Action {
		return network.EmulateNetworkConditions(on, 0, -1, -1)
	}
	tab := tabOf(t, s.w, nil, "/r/"+s.number+"?lang=en", 360, 740)
	run(t, tab, typed("comment-text", "Hau haree ohin."), chromedp.Reload(), until(`document.querySelector("[data-testid=comment-text]") && document.querySelector("[data-testid=comment-text]").value === "Hau haree ohin."`),
		press("comment"), typed("email", address), press("email-send"), chromedp.WaitVisible(by("code")))
	run(t, tab, typed("code", mailedCode(t, s.w, address)), press("code-send"), until(`[...document.querySelectorAll("#comments li")].some((li) => li.innerText.includes("Hau haree ohin."))`),
		press("confirm"), typed("note", "Deeper now."), press("confirm-send"), says("You see it too"), says("1 person sees it too. 1 person follows it."), says("Deeper now."))
	run(t, tab, press("flag"), until(`document.activeElement.dataset.testid === "reason"`), chromedp.SetValue(by("reason"), "unsafe"), press("flag-send"), says("A moderator will look at it."),
		until(`document.activeElement.dataset.testid === "flag"`))
	run(t, tab, chromedp.Reload(), says("You see it too"), says("Stop following"), press("follow"), says("You no longer follow this report."), until(`document.activeElement.dataset.testid === "follow"`),
		network.Enable(), offline(true), press("follow"), says("There is no connection."), offline(false), press("follow"), says("Stop following"))
	browser.AccessibleInThemes(t, tab, "the page of a report with comments")
	// A browser that cannot share copies the link, or shows it.
	run(t, tab, press("share"), until(`document.body.innerText.includes("The link was copied.") || (document.querySelector(".dialog input") || {}).value === %q`, s.w.URL+"/r/"+s.number+"?lang=en"))
	for sql, want := range map[string]int{
		`SELECT count(*) FROM report_comments WHERE content IN ('Hau haree ohin.', 'Deeper now.')`: 2,
		`SELECT count(*) FROM report_confirmations`:                                                1,
		`SELECT count(*) FROM report_flags WHERE reason_code = 'unsafe'`:                           1,
		`SELECT count(*) FROM report_follows`:                                                      1,
	} {
		if got := s.w.Int(sql); got != want {
			t.Errorf("%s: %d, want %d", sql, got, want)
		}
	}
}

// The reporter sees that it is their report, has its receipt, and says that it is not fixed. Somebody else is told who may say
// that. A printed sheet has the code and no buttons.
func TestTheReporterOnTheirReport(t *testing.T) {
	t.Parallel()
	s := newStory(t, nil)
	s.official.Post("/reports/"+s.id+"/status", object{"status": "fixed", "note": "Filled."}).Want(http.StatusOK)
	s.w.Citizen().Post("/reports/"+s.id+"/comments", object{"content": "Obrigadu."}).Want(http.StatusCreated)
	stranger := tabOf(t, s.w, s.w.Citizen(), "/r/"+s.number+"?lang=en", 360, 740)
	run(t, stranger, press("dispute"), typed("note", "No."), press("dispute-send"), says("Only who reported this problem"), says("You can send the same words as a comment"), until(`document.querySelector("[data-testid=note]").value === "No."`))
	browser.Screenshot(t, stranger, "shown-refused")
	browser.AccessibleInThemes(t, stranger, "a dialog of the page of a report")

	run(t, stranger, press("as-comment"), says("Your comment is here now."), until(`[...document.querySelectorAll("#comments li")].some((li) => li.innerText.includes("No."))`),
		until(`document.querySelector("#status").innerText === "Fixed" && document.querySelector("[data-testid=dispute]")`))

	tab := tabOf(t, s.w, s.reporter, "/r/"+s.number+"?lang=en", 360, 740)
	var printed bool
	run(t, tab, says("Your report"), chromedp.WaitVisible(by("receipt")), emulation.SetEmulatedMedia().WithMedia("print"),
		chromedp.Evaluate(`getComputedStyle(document.querySelector("#actions")).display === "none" && document.querySelector("[data-testid=qr]").offsetWidth > 100
			&& document.querySelector(".sketch").offsetWidth > 200 && getComputedStyle(document.querySelector(".flag")).display === "none"`, &printed),
		emulation.SetEmulatedMedia().WithMedia("screen"), press("dispute"), typed("note", "The hole is open again."), press("dispute-send"), says("The report is in progress again."),
		until(`document.querySelector("#status").innerText === "In progress" && !document.querySelector("[data-testid=dispute]")`),
		// The steps are redrawn, and the page that this browser keeps for a minute has the change.
		until(`document.querySelector("#comments").innerText.includes("The hole is open again.") && document.querySelector(".history > li:last-child").innerText.includes("citizen says that it is not fixed") && document.querySelector(".ladder [aria-current]").innerText === "In progress"`),
		chromedp.Evaluate(`(async () => { while (!(await (await fetch(location.href, { cache: "force-cache" })).text()).includes("The hole is open again.")) await new Promise((r) => setTimeout(r, 100)); })()`, nil, awaited))
	if !printed {
		t.Error("the printed sheet has buttons, or no code")
	}
	staff := tabOf(t, s.w, s.moderator, "/r/"+s.number, 360, 740)
	run(t, staff, chromedp.WaitVisible(`[data-testid=at-desk][href="/desk?report=`+s.number+`"]`))
	if status := s.w.Text(`SELECT status FROM reports WHERE id = $1`, s.id); status != "in_progress" {
		t.Errorf("the report is %s", status)
	}
}

// A button that stays is not replaced when the page learns who is signed in: a click during that would be lost.
func TestButtonsStayWhenTheSessionIsKnown(t *testing.T) {
	t.Parallel()
	s := newStory(t, nil)
	s.official.Post("/reports/"+s.id+"/status", object{"status": "fixed", "note": "Filled."}).Want(http.StatusOK)
	tab := browser.Open(t, 360, 740)
	signIn(t, s.w, tab, s.reporter)
	var gone []string
	run(t, tab, atStart(`window.gone = [];
		new MutationObserver((all) => all.forEach((m) => m.removedNodes.forEach((n) => n.dataset && n.dataset.testid && gone.push(n.dataset.testid)))).observe(document, { childList: true, subtree: true });`),
		chromedp.Navigate(s.w.URL+"/r/"+s.number+"?lang=en"), chromedp.WaitVisible(by("receipt")), chromedp.Evaluate(`window.gone`, &gone))
	if !slices.Equal(gone, []string{"flag", "follow"}) {
		t.Errorf("taken out of the page: %v; want what a reporter does not do", gone)
	}
}

// The page of a rejected report shows its reporter, and nobody else, what they sent and why it was rejected, and takes the appeal.
// What waits for a verdict is shown to its reporter.
func TestTheReporterOfWhatIsNotShown(t *testing.T) {
	t.Parallel()
	s := newStory(t, nil)
	_, pending := file(s.w, s.reporter, object{"title": "Foun"})
	s.reporter.Post("/reports/"+pending+"/comments", object{"content": "Besik eskola."}).Want(http.StatusCreated)
	s.moderator.Post("/reports/"+s.id+"/status", object{"status": "rejected", "reason_code": "offensive", "note": "Favór muda liafuan."}).Want(http.StatusOK)
	tab := tabOf(t, s.w, s.reporter, "/r/"+s.number+"?lang=en", 360, 740)
	run(t, tab, says("Kuak boot"), says("Favór muda liafuan."), press("appeal"), typed("reason", "La'ós insultu."), press("appeal-send"), says("You appealed on"),
		until(`!document.querySelector("[data-testid=appeal]")`), chromedp.WaitVisible(by("receipt")))
	browser.Screenshot(t, tab, "shown-appealed")
	browser.AccessibleInThemes(t, tab, "the reporter of a rejected report")
	if reason := s.w.Text(`SELECT appeal_reason FROM reports WHERE id = $1`, s.id); reason != "La'ós insultu." {
		t.Errorf("the appeal says %q", reason)
	}
	run(t, tab, chromedp.Navigate(s.w.URL+"/r/"+pending+"?lang=en"), says("Foun"), says("Only you and staff see all of it."), says("Besik eskola."))
	browser.AccessibleInThemes(t, tab, "the reporter of a pending report")
	other := tabOf(t, s.w, s.w.Citizen(), "/r/"+s.number+"?lang=en", 360, 740)
	run(t, other, chromedp.WaitVisible(by("tombstone")), quiet(), until(`!document.body.innerText.includes("Kuak boot") && !document.querySelector("[data-testid=appeal]")`))
}

// The first comments come with the page, further ones by a button, each once.
func TestFurtherComments(t *testing.T) {
	t.Parallel()
	s := newStory(t, nil)
	for i := range 25 {
		s.w.Exec(`INSERT INTO report_comments (id, report_id, author_id, content, is_official, created_at) VALUES (gen_random_uuid(), $1, $2, $3, false, now() + $4 * interval '1 second')`,
			s.id, s.reporter.ID, fmt.Sprintf("Comment %d.", i), i)
	}
	if n := strings.Count(s.page("en"), "<li data-comment="); n != 20 {
		t.Errorf("%d comments at first", n)
	}
	tab := tabOf(t, s.w, nil, "/r/"+s.number+"?lang=en", 360, 740)
	run(t, tab, press("more-comments"), says("Comment 24."), until(`document.querySelectorAll("#comments li").length === 25 && !document.querySelector("[data-testid=more-comments]")`))
}

// A word of 150 letters does not widen the page of a small phone, lines stay, and Arabic is written from the right.
func TestLongAndRightToLeftWords(t *testing.T) {
	t.Parallel()
	s := newStory(t, object{"title": "حفرة عميقة أمام المدرسة، رقم 12.", "description": strings.Repeat("abc", 50) + "\nsecond line", "street": strings.Repeat("Rua", 40)})
	s.reporter.Post("/reports/"+s.id+"/comments", object{"content": strings.Repeat("x", 300)}).Want(http.StatusCreated)
	tab := tabOf(t, s.w, nil, "/r/"+s.number+"?lang=tet", 360, 740)
	var wide []string
	run(t, tab, chromedp.WaitVisible(by("follow")), until(`getComputedStyle(document.querySelector("h1")).direction === "rtl"`),
		until(`document.querySelector("article .words").innerText.endsWith("\nsecond line")`),
		chromedp.Evaluate(`[...document.querySelectorAll("body *")].filter((el) => el.getBoundingClientRect().right > 360.5 && !el.matches(".skip, .only-read")).map((el) => el.tagName + "." + el.className)`, &wide))
	browser.Screenshot(t, tab, "shown-rtl")
	if len(wide) > 0 {
		t.Errorf("wider than the screen: %v", wide)
	}
}
