package pages_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/lafaekstreet/backend/infra/local/browser"
)

// file has a citizen report a hole with a picture, and returns the report's number. Nobody is signed in before.
func (p person) file(address string) string {
	p.Helper()
	p.do("open the form", p.open("/report?lang=en"))
	p.do("choose a picture", chromedp.SetUploadFiles(`[data-testid=photo]`, []string{p.photograph()}, chromedp.NodeReady), press("next"))
	p.do("say where", press("locate"), browser.Poll(`document.body.innerText.includes("-8.55")`, nil), press("next"))
	p.do("say what", chromedp.Click(`input[value=pothole]`), write("words", "A deep hole in front of the school."), press("next"))
	var similar bool
	p.do("look at it", browser.Poll(`["other", "send"].some((n) => { const e = document.querySelector("[data-testid=" + n + "]"); return e && e.offsetParent; })`, nil),
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

// staff are the people who work for the town.
type staff struct{ admin, moderator, official string }

const password = "monte-Ramelau-2963"

// employ has an administrator set the system up, with a second factor, and invite a moderator and an official of an agency that is
// responsible for everything.
func (p person) employ() staff {
	p.Helper()
	all := staff{"admin@example.tl", "moderator@example.tl", "official@example.tl"}
	var secret string
	p.do("set up", p.open("/admin?lang=en"), press("first-setup"), write("setup-token", setupToken), write("setup-name", "Admin"), write("email", all.admin),
		write("setup-password", password), press("setup-send"), chromedp.WaitVisible(named("qr")), chromedp.Text(named("secret"), &secret), chromedp.Click(named("codes-saved")))
	p.do("sign in with the code of the app", write("code", p.code(strings.ReplaceAll(secret, " ", ""))), press("code-send"), says("Signed in as Admin"))
	var agency string
	p.do("make an agency", chromedp.Evaluate(`import(document.querySelector('script[src$="/core.js"]').src).then((core) => core.api("POST", "/admin/agencies",
		{ body: { code: "WORKS", name: "Public Works", agency_type: "national", contact_email: "works@example.tl" } })).then((a) => a.id)`, &agency, awaited))
	invite := func(address, name string, more ...chromedp.Action) {
		p.do("invite "+address, p.open("/admin?lang=en"), p.open("/admin?lang=en#people"), press("invite"), write("invite-email", address), write("invite-name", name), chromedp.Tasks(more), press("invite-send"), chromedp.WaitNotPresent(`[role=dialog]`))
	}
	invite(all.moderator, "Mateus Pinto")
	invite(all.official, "Ana Soares", chromedp.SetValue(named("invite-role"), "government_official"), chromedp.Evaluate(`document.querySelector("[data-testid=invite-role]").dispatchEvent(new Event("change"))`, nil),
		chromedp.SetValue(named("invite-agency"), agency))
	return all
}

// accept chooses a password by the link of an invitation, which leads to the desk.
func (p person) accept(address string) {
	p.Helper()
	p.do("follow the link of the invitation", p.open(p.mailed(address, welcome)+"&lang=en"), write("email", address),
		chromedp.SendKeys(`input[type=password]`, password), chromedp.Click(`form button[type=submit]`), chromedp.WaitVisible(named("queue-new")))
}

// openFrom opens a report from a queue of the desk, as soon as it is there.
func (p person) openFrom(queue, number string) {
	p.Helper()
	p.until(number+" in "+queue, func() bool {
		var there bool
		p.do("look into "+queue, p.open("/desk?lang=en"), press("queue-"+queue), browser.Poll(`location.search.includes("`+queue+`") && document.querySelector("[data-testid=list]")`, nil), chromedp.Sleep(300*time.Millisecond),
			chromedp.Evaluate(`document.querySelector("main").innerText.includes("`+number+`")`, &there))
		return there
	})
	p.do("open "+number, chromedp.Click(`//li[contains(., "`+number+`")]//*[@data-testid="row"]`, chromedp.BySearch))
}

// act presses the control of an action, fills the dialog and confirms it.
func (p person) act(name string, fill ...chromedp.Action) {
	p.Helper()
	p.do(name, press(name), chromedp.Tasks(fill), press(name+"-send"), chromedp.WaitNotPresent(`[role=dialog]`))
}

// status waits until a report has a status.
func (w *town) status(number, want string) {
	w.Helper()
	w.until(number+" becomes "+want, func() bool { return w.report(number).Text("status") == want })
}

// TestTheStoryOfAReport is told by four people at their browsers: an administrator sets the system up, a citizen without an account
// reports a hole, a moderator has to look at it, an official says that it is repaired, and the citizen says that it is not.
func TestTheStoryOfAReport(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	all := w.visitor(1280).employ()
	moderator, official, citizen := w.visitor(1280), w.visitor(768), w.visitor(360)
	moderator.accept(all.moderator)
	official.accept(all.official)

	w.api.Post("//_local/ai", object{"answers": []object{{"is_relevant": true, "confidence": 0.3}}}).Want(200)
	const address = "rosa@example.tl"
	number := citizen.file(address)
	moderator.openFrom("needs_review", number)
	moderator.act("verify")
	w.status(number, "verified")
	if r := w.report(number); r.Text("source") != "web" || r.Text("description") != "A deep hole in front of the school." || len(r.Items("images")) != 1 {
		t.Errorf("the report is %v", r.Values)
	}

	official.openFrom("assigned", number)
	official.act("start")
	official.act("fix", write("note", "Filled with gravel."))
	w.status(number, "fixed")
	citizen.do("read the page of the report", citizen.open("/r/"+number+"?lang=en"), says("A deep hole in front of the school."), says("Filled with gravel."), says("Public Works"))
	citizen.act("dispute", write("note", "The rain took it away."))
	w.status(number, "in_progress")
	citizen.do("the own page", citizen.open("/me?lang=en"), says(number), says("In progress"))
	official.openFrom("assigned", number)
	official.do("the reason", says("The rain took it away."))
}
