package pages_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// file has a citizen report a hole with a picture, and returns the report's number. Nobody is signed in before.
func (p person) file(address string) string {
	p.Helper()
	p.do("open the form", p.open("/report?lang=en"))
	p.do("choose a picture", chromedp.SetUploadFiles(`[data-testid=photo]`, []string{p.photograph()}, chromedp.NodeReady), press("next"))
	p.do("say where", press("locate"), chromedp.Poll(`document.body.innerText.includes("-8.55")`, nil, chromedp.WithPollingTimeout(0)), press("next"))
	p.do("say what", chromedp.Click(`input[value=pothole]`), write("words", "A deep hole in front of the school."), press("next"))
	var similar bool
	p.do("look at it", chromedp.Poll(`["other", "send"].some((n) => { const e = document.querySelector("[data-testid=" + n + "]"); return e && e.offsetParent; })`, nil, chromedp.WithPollingTimeout(0)),
		chromedp.Evaluate(`Boolean(document.querySelector("[data-testid=other]").offsetParent)`, &similar))
	if similar {
		p.do("go on in spite of similar reports", press("other"))
	}
	p.do("send", press("send"))
	p.signInByCode(address)
	var number string
	p.do("read the number", chromedp.WaitVisible(`.number`), chromedp.Text(`.number`, &number))
	return strings.TrimSpace(number)
}

// TestTheStoryOfAReport is told by three people at their browsers.
func TestTheStoryOfAReport(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	citizen := w.visitor(360)
	number := citizen.file("rosa@example.tl")
	w.until("the verdict of the AI", func() bool { return w.report(number).Text("status") == "verified" })
	if r := w.report(number); r.Text("source") != "web" || r.Text("description") != "A deep hole in front of the school." || len(r.Items("images")) != 1 {
		t.Errorf("the report is %v", r.Values)
	}
	citizen.do("read the page of the report", citizen.open("/r/"+number), says("A deep hole in front of the school."))
}
