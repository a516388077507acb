package web_test

import (
	"context"
	"encoding/base32"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/credential"
)

// The first administrator signs in by password and second factor. Somebody who has forgotten the password chooses a new one by a
// code from a mail, and is told to switch the second factor on. A citizen is told whom the page is for.
func TestSignInToTheDesk(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	made := d.Anonymous().Post("/admin/setup", object{"setup_token": "local-admin-setup", "email": "chefe@example.tl", "password": "ponte-Comoro-77", "full_name": "Chefe"}).Want(http.StatusCreated).Object()
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(made.Text("secret"))
	if err != nil {
		t.Fatal(err)
	}
	tab := browser.Open(t, 360, 740)
	run(t, tab, chromedp.Navigate(d.URL+"/desk?lang=en"), chromedp.WaitVisible(`main a[href="/admin"]`), signInOnPage("chefe@example.tl", "wrong-Comoro-77"), until(`document.querySelector("[role=alert]:not([hidden])")`),
		chromedp.SetValue(`[autocomplete=current-password]`, "ponte-Comoro-77"), press("sign-in"), chromedp.WaitVisible(`[autocomplete="one-time-code"]`+by("code")),
		chromedp.SendKeys(by("code"), credential.TOTPCode(secret, credential.TOTPStep(time.Now())+1)), press("code-send"), chromedp.WaitVisible(by("queue-new")))
	if who := value[string](t, tab, `document.getElementById("who").innerText + document.querySelector("main").innerText`); !strings.Contains(who, "Chefe · administrator") || strings.Contains(who, "second factor") {
		t.Errorf("signed in as %q", who)
	}
	run(t, tab, chromedp.Click(`//div[@id="who"]//button[.="Sign out"]`), chromedp.WaitVisible(by("sign-in")))

	run(t, tab, chromedp.SetValue(by("email"), d.moderator.Email), chromedp.Click(`//button[.="Forgot the password?"]`), chromedp.WaitVisible(by("email-send")), press("email-send"),
		chromedp.WaitVisible(by("code")))
	run(t, tab, chromedp.SendKeys(by("code"), mailedCode(t, d.System, d.moderator.Email)), chromedp.SendKeys(`[autocomplete=new-password]`, newPassword), press("code-send"),
		chromedp.WaitVisible(by("sign-in")), chromedp.SendKeys(`[autocomplete=current-password]`, newPassword), press("sign-in"), chromedp.WaitVisible(by("queue-new")),
		chromedp.WaitVisible(`a[href="/me#account"]`))

	run(t, tab, chromedp.Click(`//div[@id="who"]//button[.="Sign out"]`), chromedp.WaitVisible(by("sign-in")))
	signIn(t, d.System, tab, d.citizen)
	run(t, tab, chromedp.Navigate(d.URL+"/desk"), chromedp.WaitVisible(`main a[href="/me"]`))
	if text := value[string](t, tab, `document.querySelector("main").innerText`); !strings.Contains(text, "This page is for staff") || !strings.Contains(text, d.citizen.Email) {
		t.Errorf("a citizen reads %q", text)
	}
}

// Each queue has as many rows as its tab says, newest first. Queue, filters and the open report stand in the address: a reload and
// the back button keep them. An official sees the queues of the agency.
func TestQueuesOfTheDesk(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	reviews := d.reviews(35)
	far := d.report("status = 'verified', ai_status = 'completed', municipality_code = 'TL-BA', issue_type = 'bridge'")
	d.report("status = 'verified', ai_status = 'completed', assigned_agency_id = '%s', assigned_user_id = '%s', due_at = now() - interval '1 day', flags_count = 1", d.roads, d.official.ID)
	d.report("status = 'in_progress', ai_status = 'completed', assigned_agency_id = '%s', due_at = now() + interval '9 days'", d.lights)
	for _, c := range []struct {
		who  *testenv.Client
		want map[string]int
	}{
		{d.moderator, map[string]int{"new": 1, "needs_review": 35, "flagged": 1, "assigned": 2, "mine": 0, "overdue": 1}},
		{d.official, map[string]int{"new": 0, "needs_review": 35, "flagged": 1, "assigned": 1, "mine": 1, "overdue": 1}},
	} {
		tab := tabOf(t, d.System, c.who, "/desk?lang=en", 1280, 900)
		for kind, n := range c.want {
			run(t, tab, press("queue-"+kind), until(`location.search.includes("kind=%s")`, kind), rowsAre(min(n, 30)))
			run(t, tab, until(`document.querySelector('[data-testid=queue-%s] .n').textContent === "%d"`, kind, n))
			if n == 0 {
				run(t, tab, until(`[...document.querySelectorAll(".empty")].some((e) => e.textContent.includes("Nothing waits here"))`))
			}
		}
		if c.who == d.official {
			continue
		}
		run(t, tab, press("queue-needs_review"), until(`document.querySelector('[data-testid=row]') && location.search.includes("needs_review")`), rowsAre(30), chromedp.Click(`//section[@class="list"]//button[.="Show more"]`), rowsAre(35))
		if got := value[[]string](t, tab, numbersShown); strings.Join(got, " ") != strings.Join(reviews, " ") {
			t.Errorf("in two pages: %v", got)
		}
		run(t, tab, chromedp.Reload(), rowsAre(30))

		// A filter stands in the address; the back button takes it away.
		run(t, tab, press("queue-new"), rowsAre(1), chromedp.Click(".filters summary"), until(`document.querySelector("[name=municipality]").options.length > 10`),
			chromedp.SetValue("[name=issue_type]", "flooding"), chromedp.Click(`//form[@role="search"]//button[.="Show"]`), until(`document.querySelector(".empty")`))
		if address := value[string](t, tab, `location.search`); address != "?kind=new&issue_type=flooding" {
			t.Errorf("the address is %s", address)
		}
		run(t, tab, chromedp.Reload(), chromedp.WaitReady(by("list")), until(`document.querySelector(".empty")`), chromedp.NavigateBack(), rowsAre(1))
		run(t, tab, press("row"), until(`location.search === "?kind=new&report=%s"`, far), chromedp.Reload(), chromedp.WaitReady(by("list")), until(`document.querySelector("[data-testid=report]").innerText.includes("Hole %s")`, far),
			chromedp.Navigate(d.URL+"/desk?kind=new&severity=7"), chromedp.WaitReady(by("list")), until(`document.querySelector(".note.bad button:last-child")`), chromedp.Click(".note.bad button:last-child"), rowsAre(1))

		// A number opens the report. The server is busy once: it is said, and the list can be asked for again.
		run(t, tab, chromedp.SendKeys(by("find"), reviews[3]+kb.Enter), until(`document.querySelector("[data-testid=report]").innerText.includes("Hole %s")`, reviews[3]),
			chromedp.Evaluate(`{ const real = fetch; let once = true; window.fetch = (...a) => once && String(a[0]).includes("/staff/queue") ? (once = false, Promise.resolve(new Response('{"detail": "Busy."}', { status: 503, headers: { "Content-Type": "application/problem+json", "Retry-After": "5" } }))) : real(...a); }`, nil),
			chromedp.Click(`//div[@class="tools no-print"]//button[.="Load again"]`), until(`document.querySelector(".note.bad") && document.querySelector(".note.bad").innerText.includes("Busy.")`), rowsAre(1),
			chromedp.Click(".note.bad button"), until(`!document.querySelector(".note.bad")`), rowsAre(1))
	}
}

// Rows never move by themselves. What came meanwhile is said, and shown on demand.
func TestDeskSaysWhatIsNew(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.reviews(2)
	tab := tabOf(t, d.System, d.moderator, "/desk?lang=en&kind=needs_review", 360, 740)
	run(t, tab, rowsAre(2))
	newest := d.report("ai_status = 'needs_review', created_at = now() + interval '1 minute'")
	run(t, tab, chromedp.Evaluate(`document.dispatchEvent(new Event("visibilitychange"))`, nil), chromedp.WaitVisible(by("fresh")), rowsAre(2))
	if text := value[string](t, tab, `document.querySelector("[data-testid=fresh]").textContent + " " + document.querySelector("[data-testid=queue-needs_review] .n").textContent`); text != "1 new: show 3" {
		t.Errorf("it says %q", text)
	}
	run(t, tab, press("fresh"), rowsAre(3), until(`%s[0] === %q`, numbersShown, newest), until(`!document.querySelector("[data-testid=fresh]")`))
}

// A bulk change says what became of each report. What was refused stays selected. A request whose answer was lost is sent again
// and changes nothing twice.
func TestBulkOnTheDesk(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	numbers := d.reviews(5)
	tab := tabOf(t, d.System, d.moderator, "/desk?lang=en&kind=needs_review", 1280, 900)
	run(t, tab, rowsAre(5), chromedp.Click(`li:nth-child(1) .tick input`),
		chromedp.Evaluate(`document.querySelector("li:nth-child(4) .tick input").dispatchEvent(new MouseEvent("click", { bubbles: true, shiftKey: true }))`, nil), until(`document.querySelector(".bulk strong").textContent === "4 selected"`))
	d.moderator.Patch("/reports/"+numbers[1], object{"street": "Rua 1"}).Want(http.StatusOK) // a colleague was there first
	const lost = `{ const real = fetch; let once = true; window.fetch = async (...a) => { const answer = await real(...a); if (once && String(a[0]).includes("bulk-")) { once = false; throw new TypeError("lost"); } return answer; }; }`
	run(t, tab, chromedp.Evaluate(lost, nil), press("bulk-verify"), chromedp.SendKeys(by("note"), "Seen on Monday."), press("bulk-verify-send"),
		until(`document.querySelector("[role=dialog] [role=alert]:not([hidden])")`), press("bulk-verify-send"), chromedp.WaitVisible(by("bulk-result")))
	said := value[string](t, tab, `document.querySelector("[data-testid=bulk-result]").innerText`)
	if !strings.Contains(said, "3 done. 1 refused") || !strings.Contains(said, numbers[1]+":") {
		t.Errorf("it says %q", said)
	}
	if got := value[string](t, tab, `[...document.querySelectorAll(".tick input:checked")].map((i) => i.closest("li").dataset.number).join() + document.querySelector(".bulk strong").textContent`); got != numbers[1]+"1 selected" {
		t.Errorf("selected: %s", got)
	}
	if got := d.Text(`SELECT string_agg(status || ' ' || (SELECT count(*) FROM report_status_history h WHERE h.report_id = r.id AND h.new_status = 'verified' AND h.note = 'Seen on Monday.'), ', ' ORDER BY report_number) FROM reports r`); got != "verified 1, pending 0, verified 1, verified 1, pending 0" {
		t.Errorf("after a lost answer: %s", got)
	}

	// Rejecting asks for a reason; assigning names an agency, a person of it and a day.
	run(t, tab, press("bulk-reject"), chromedp.SetValue(by("reason"), "unsafe"), press("bulk-reject-send"), until(`document.querySelector("[data-testid=bulk-result]").innerText.includes("1 done.")`), rowsAre(1))
	if got := d.Text(`SELECT reason_code FROM reports WHERE report_number = $1`, numbers[1]); got != "unsafe" {
		t.Errorf("rejected because of %s", got)
	}
	run(t, tab, chromedp.Click(`.list-head input`), press("bulk-assign"), chromedp.SetValue(`[name=agency_id]`, d.roads.String()),
		chromedp.Evaluate(`document.querySelector("[name=agency_id]").dispatchEvent(new Event("change"))`, nil), chromedp.SetValue(`[name=user_id]`, d.official.ID.String()),
		chromedp.SetValue(`[name=due_at]`, "2030-01-15"), press("bulk-assign-send"), until(`document.querySelector(".bulk").hidden`))
	if got := d.Text(`SELECT assigned_user_id || ' ' || (due_at AT TIME ZONE 'Asia/Dili')::date FROM reports WHERE report_number = $1`, numbers[4]); got != d.official.ID.String()+" 2030-01-15" {
		t.Errorf("assigned: %s", got)
	}
}

// The keys go through the list and act on the report, never while somebody types. They can be switched off.
func TestKeysOfTheDesk(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	numbers := d.reviews(3)
	tab := tabOf(t, d.System, d.moderator, "/desk?lang=en&kind=needs_review", 1280, 900)
	focused := func() string {
		return value[string](t, tab, `(document.activeElement.closest(".rows > li") || { dataset: { number: document.activeElement.tagName } }).dataset.number`)
	}
	keys := func(keys string, want string) {
		t.Helper()
		for _, k := range keys {
			run(t, tab, chromedp.KeyEvent(string(k)))
		}
		if got := focused(); got != want {
			t.Fatalf("after %q the focus is at %s, want %s", keys, got, want)
		}
	}
	opened := func(number string) chromedp.Action {
		return until(`location.search.endsWith("report=%[1]s") && document.querySelector("[data-testid=report]").innerText.includes("Hole %[1]s")`, number)
	}
	run(t, tab, rowsAre(3))
	keys("jj", numbers[1])
	keys("kkk", numbers[0])
	keys(kb.ArrowDown, numbers[1])
	keys("x", numbers[1])
	run(t, tab, until(`document.querySelector(".bulk strong").textContent === "1 selected"`))
	keys("o", "SECTION") // the report
	run(t, tab, opened(numbers[1]))
	keys("j", numbers[2])
	run(t, tab, opened(numbers[2])) // the report beside the list follows
	keys("/vxjo", "INPUT")
	if typed := value[string](t, tab, `document.activeElement.value`); !strings.HasSuffix(typed, "vxjo") {
		t.Errorf("typed %q", typed)
	}
	run(t, tab, chromedp.Evaluate(`document.activeElement.blur()`, nil), chromedp.KeyEvent(kb.Escape), until(`!location.search.includes("report=")`))
	if got := focused(); got != numbers[2] {
		t.Errorf("after the report is closed the focus is at %s", got)
	}
	// A key of a report opens the row with the focus first.
	run(t, tab, chromedp.KeyEvent("v"), opened(numbers[2]), chromedp.WaitVisible(by("verify-send")), chromedp.KeyEvent(kb.Escape), until(`!document.querySelector("[role=dialog]")`),
		chromedp.KeyEvent("h"), chromedp.WaitVisible(by("hide-send")), chromedp.KeyEvent(kb.Escape), until(`!document.querySelector("[role=dialog]")`))
	run(t, tab, chromedp.KeyEvent("?"), chromedp.WaitVisible(`[role=dialog] .keys`), chromedp.Click(`[role=dialog] input`), chromedp.KeyEvent(kb.Escape), until(`!document.querySelector("[role=dialog]")`),
		chromedp.Reload(), rowsAre(3))
	keys("j", "BODY")
}

// A session that ends in mid-work says so, with the sign-in in place. What was typed is still there and is sent. Another person who
// signs in there gets a desk of their own, and nothing is sent in their name.
func TestSessionOfTheDeskEnds(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.reviews(2)
	d.withPassword(d.official)
	tab := tabOf(t, d.System, d.moderator, "/desk?lang=en&kind=needs_review", 360, 740)
	run(t, tab, rowsAre(2), chromedp.Click(`li:nth-child(1) .tick input`), press("bulk-reject"), chromedp.SetValue(by("reason"), "unsafe"), chromedp.SendKeys(by("note"), "A long reason."))
	d.withPassword(d.moderator) // all sessions end
	run(t, tab, press("bulk-reject-send"), signInOnPage(d.moderator.Email, newPassword), chromedp.WaitVisible(by("bulk-result")), rowsAre(1))
	if got := d.Text(`SELECT count(*) || ' ' || string_agg(note, ',') FROM report_status_history WHERE new_status = 'rejected'`); got != "1 A long reason." {
		t.Errorf("sent: %s", got)
	}

	run(t, tab, chromedp.Evaluate(`sessionStorage.setItem("typed", "secret")`, nil), chromedp.Click(`li:nth-child(1) .tick input`), press("bulk-verify"), chromedp.SendKeys(by("note"), "Another one."))
	d.Exec(`UPDATE sessions SET revoked_at = now() WHERE user_id = $1`, d.moderator.ID)
	run(t, tab, press("bulk-verify-send"), signInOnPage(d.official.Email, newPassword), chromedp.WaitVisible(`//div[@id="who"]/span[contains(., "Ana Soares")]`))
	if got := value[string](t, tab, `String(sessionStorage.getItem("typed")) + document.querySelectorAll("[role=dialog]").length`); got != "null0" {
		t.Errorf("another person finds %s", got)
	}
	if n := d.Int(`SELECT count(*) FROM report_status_history WHERE new_status = 'verified'`); n != 0 {
		t.Errorf("%d reports were verified in the name of another person", n)
	}
}

// An official works on what is the agency's: no button rejects, and reports go to the agency alone.
func TestAnOfficialAtTheDesk(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.report("status = 'verified', ai_status = 'completed', assigned_agency_id = '%s'", d.roads)
	d.report("status = 'verified', ai_status = 'completed', assigned_agency_id = '%s'", d.lights)
	tab := tabOf(t, d.System, d.official, "/desk?lang=tet", 360, 740)
	run(t, tab, rowsAre(1), chromedp.Click(`li:nth-child(1) .tick input`), until(`!document.querySelector(".bulk").hidden`))
	if text := value[string](t, tab, `document.querySelector("main").innerText`); !strings.Contains(text, "Obras Públikas") || !strings.Contains(text, "Ana Soares") || strings.Contains(text, "Rejeita\n") {
		t.Errorf("an official reads %q", text)
	}
	run(t, tab, press("bulk-assign"))
	if choices := value[int](t, tab, `document.querySelector("[name=agency_id]").options.length`); choices != 2 {
		t.Errorf("an official chooses from %d agencies", choices-1)
	}
	// On a small screen the report is over the list; the way back leads to its row.
	run(t, tab, chromedp.KeyEvent(kb.Escape), until(`!document.querySelector("[role=dialog]")`), chromedp.Click(`//button[.="Hamoos hilin"]`), press("row"), chromedp.WaitVisible(by("back")), chromedp.WaitNotVisible(`.list`), chromedp.WaitNotVisible(`.queues`), press("back"),
		chromedp.WaitVisible(`.list`), until(`document.activeElement.dataset.testid === "row"`))
}

// The crew sheet has all that a crew needs, on paper: two reports on a page of A4.
func TestCrewSheet(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for range 2 {
		d.report("status = 'verified', ai_status = 'completed', assigned_agency_id = '%s', due_at = '2030-01-15T14:59:59Z', street = 'Rua de Motael', description = '%s'", d.roads, strings.Repeat("Deep hole. ", 20))
	}
	tab := tabOf(t, d.System, d.official, "/desk?lang=en&kind=assigned", 1280, 900)
	run(t, tab, rowsAre(2), chromedp.Click(`.list-head input`), press("sheet"), chromedp.WaitVisible(by("crew-sheet")),
		until(`[...document.querySelectorAll(".sheet img")].length >= 4 && [...document.querySelectorAll(".sheet img")].every((i) => i.complete && i.naturalWidth > 0)`))
	text := value[string](t, tab, `document.querySelector(".sheet").innerText`)
	for _, want := range []string{"LS-2026-000001", "LS-2026-000002", "Rua de Motael", "-8.55690, 125.56030", "15 January 2030", "Deep hole.", "Notes of the crew"} {
		if !strings.Contains(text, want) {
			t.Errorf("the sheet has no %q: %s", want, text)
		}
	}
	var pdf []byte
	run(t, tab, chromedp.ActionFunc(func(ctx context.Context) error {
		var err error
		pdf, _, err = page.PrintToPDF().WithPreferCSSPageSize(true).Do(ctx)
		return err
	}))
	if pages := strings.Count(string(pdf), "/Type /Page\n"); pages != 1 {
		t.Errorf("two reports take %d pages", pages)
	}
	run(t, tab, chromedp.KeyEvent(kb.Escape), chromedp.WaitVisible(by("queue-new")), until(`!document.querySelector(".sheet")`))
}

// The queue as a file: all of its reports, also where the API gives them in parts, with the names of the columns once.
func TestQueueAsAFile(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.Exec(`INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, title, latitude, longitude, status, ai_status)
		SELECT gen_random_uuid(), 'LS-2026-' || (100000 + n), $1, '', 'pothole', 'Dalan aát', -8.5, 125.5, 'verified', 'completed' FROM generate_series(1, 5020) n`, d.citizen.ID)
	tab := tabOf(t, d.System, d.moderator, "/desk?lang=en&kind=new", 1280, 900)
	run(t, tab, rowsAre(30), chromedp.Evaluate(`{ const real = URL.createObjectURL; URL.createObjectURL = (blob) => { new Response(blob).arrayBuffer().then((b) => { window.saved = new Uint8Array(b); }); return real(blob); }; }`, nil),
		press("csv"), until(`window.saved`))
	got := value[[]any](t, tab, `(() => { const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(saved), lines = text.trim().split("\n"); return [text.charCodeAt(0), lines.length, lines.filter((l) => l.includes("report_number")).length, new Set(lines.slice(1).map((l) => l.split(",")[0])).size]; })()`)
	if fmt.Sprint(got) != "[65279 5021 1 5020]" {
		t.Errorf("byte order mark, lines, headings, reports: %v", got)
	}
	if text := value[string](t, tab, `document.querySelector(".list-head").innerText`); !strings.Contains(text, "5020 reports") {
		t.Errorf("the list says %q", text)
	}
}

// The reports of the list stand on a map. What is in view becomes a filter.
func TestMapOfTheDesk(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.report("status = 'verified', ai_status = 'completed'")
	far := d.report("status = 'verified', ai_status = 'completed', longitude = 126.9, latitude = -8.5")
	tab := tabOf(t, d.System, d.moderator, "/desk?lang=en&kind=new", 1280, 900)
	run(t, tab, rowsAre(2), press("map-open"), chromedp.WaitVisible(by("map-here")), chromedp.WaitVisible(".area canvas"))
	browser.Screenshot(t, tab, "desk-map")
	run(t, tab, press("map-here"), until(`location.search.includes("bbox=")`), rowsAre(2), chromedp.Navigate(d.URL+"/desk?kind=new&bbox=126.8,-8.6,127,-8.4"), chromedp.WaitReady(by("list")), until(`%s.join() === %q`, numbersShown, far),
		chromedp.Evaluate(`HTMLCanvasElement.prototype.getContext = () => null; document.querySelector("[data-testid=map-open]").click()`, nil), until(`document.querySelector(".area .note") && document.querySelector(".area .note").textContent.includes("cannot draw the map")`))
}

// The desk with the open report is small enough for a link of 50 kbit/s.
func TestDeskWithAReportIsSmall(t *testing.T) {
	t.Parallel()
	w := setup(t)
	total := weigh(t, w, "/desk?lang=tet")
	start := string(w.Anonymous().Get("//desk?lang=tet").Body)
	core := regexp.MustCompile(`/assets/[0-9a-f]+/core\.js`).FindString(start)
	seen := map[string]bool{}
	var add func(name string)
	add = func(name string) {
		path := strings.Replace(core, "core.js", name, 1)
		if seen[name] || strings.Contains(start, path) {
			return
		}
		seen[name] = true
		body := string(w.Anonymous().Get("/" + path).Want(http.StatusOK).Body)
		total += len(w.Anonymous().With("Accept-Encoding", "gzip").Get("/" + path).Body)
		for _, m := range regexp.MustCompile(`from "\./([a-z_]+\.js)"`).FindAllStringSubmatch(body, -1) {
			add(m[1])
		}
	}
	add("desk_report.js")
	t.Logf("%d bytes, with %d scripts of a report", total, len(seen))
	if total > 80_000 {
		t.Errorf("the desk weighs %d bytes with the scripts of a report", total)
	}
}

// List, selection, dialog, help and sheet are usable for everybody, on a small screen, in both themes.
func TestDeskIsAccessible(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.report("status = 'verified', ai_status = 'completed', severity = 'high', street = 'Avenida Presidente Nicolau Lobato', municipality = 'Dili', assigned_agency_id = '%s', assigned_user_id = '%s', due_at = now() - interval '2 days', flags_count = 1, confirmations_count = 3", d.roads, d.official.ID)
	tab := browser.Open(t, 360, 740)
	run(t, tab, chromedp.Navigate(d.URL+"/desk?lang=tet"), chromedp.WaitVisible(by("sign-in")))
	browser.AccessibleInThemes(t, tab, "door")
	browser.Screenshot(t, tab, "desk-door")
	signIn(t, d.System, tab, d.moderator)
	run(t, tab, chromedp.Navigate(d.URL+"/desk?kind=assigned"), rowsAre(1), chromedp.Click(".tick input"), chromedp.Click(".filters summary"))
	browser.AccessibleInThemes(t, tab, "list, filters, selection")
	browser.Screenshot(t, tab, "desk-list")
	if wide := value[int](t, tab, `document.documentElement.scrollWidth`); wide > 360 {
		t.Errorf("the page is %d px wide", wide)
	}
	run(t, tab, press("bulk-assign"))
	browser.AccessibleInThemes(t, tab, "assign")
	run(t, tab, chromedp.KeyEvent(kb.Escape), until(`!document.querySelector("[role=dialog]")`), press("keys"))
	browser.AccessibleInThemes(t, tab, "keys")
	run(t, tab, chromedp.KeyEvent(kb.Escape), until(`!document.querySelector("[role=dialog]")`), press("sheet"), chromedp.WaitVisible(by("crew-sheet")))
	browser.AccessibleInThemes(t, tab, "sheet")
}
