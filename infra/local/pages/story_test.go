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

// staff are the people who work for the town.
type staff struct{ admin, moderator, official string }

const password = "monte-Ramelau-2963"

// employ makes an administrator, a moderator, and an official of an agency that is responsible for everything.
func (w *town) employ() staff {
	w.Helper()
	all := staff{"admin@example.tl", "moderator@example.tl", "official@example.tl"}
	setup := w.api.Post("/admin/setup", object{"setup_token": setupToken, "email": all.admin, "password": password, "full_name": "Admin"}).Want(201).Object()
	challenge := w.api.Post("/auth/login", object{"email": all.admin, "password": password}).Want(200).Object().Text("challenge_id")
	tokens := w.api.Post("/auth/totp/verify", object{"challenge_id": challenge, "code": w.code(setup.Text("secret"))}).Want(200).Object()
	admin := w.api.WithToken(tokens.Text("access_token"))
	agency := admin.Post("/admin/agencies", object{"code": "WORKS", "name": "Public Works", "agency_type": "national", "contact_email": "works@example.tl"}).Want(201).Object().Text("id")
	admin.Post("/admin/users/invite", object{"email": all.moderator, "full_name": "Mateus Pinto", "role": "moderator"}).Want(201)
	admin.Post("/admin/users/invite", object{"email": all.official, "full_name": "Ana Soares", "role": "government_official", "agency_id": agency}).Want(201)
	return all
}

// accept chooses a password by the link of an invitation, which leads to the desk.
func (p person) accept(address string) {
	p.Helper()
	p.do("follow the link of the invitation", p.open(p.mailed(address, welcome)+"&lang=en"), write("email", address),
		chromedp.SendKeys(`input[type=password]`, password), chromedp.Click(`form button[type=submit]`), chromedp.WaitVisible(named("queue-new")))
}

// openFrom opens a report from a queue of the desk.
func (p person) openFrom(queue, number string) {
	p.Helper()
	p.do("open "+number+" from "+queue, p.open("/desk?lang=en"), press("queue-"+queue), says(number),
		chromedp.Click(`//li[contains(., "`+number+`")]//*[@data-testid="row"]`, chromedp.BySearch))
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

// TestTheStoryOfAReport is told by three people at their browsers: a citizen without an account reports a hole, a moderator has
// to look at it, an official says that it is repaired, and the citizen says that it is not.
func TestTheStoryOfAReport(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	all := w.employ()
	moderator, official, citizen := w.visitor(1280), w.visitor(768), w.visitor(360)
	moderator.accept(all.moderator)
	official.accept(all.official)

	w.api.Post("//_local/ai", object{"answers": []object{{"is_relevant": true, "confidence": 0.3}}}).Want(200)
	const address = "rosa@example.tl"
	number := citizen.file(address)
	w.until("a person has to look", func() bool { return w.report(number).Text("ai_status") != "queued" })
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
