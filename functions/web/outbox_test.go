package web_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

// another opens a second tab of the same browser. close closes it.
func another(t *testing.T, tab context.Context, address string) (context.Context, context.CancelFunc) {
	t.Helper()
	second, cancel := chromedp.NewContext(tab)
	t.Cleanup(cancel)
	if err := chromedp.Run(second, chromedp.EmulateViewport(360, 740), chromedp.Navigate(address)); err != nil {
		t.Fatal(err)
	}
	return second, cancel
}

// onPage runs a script with the module outbox.js of the page as "outbox", and waits for it.
func onPage(script string, out any) chromedp.Action {
	return chromedp.Evaluate(`(async () => { const outbox = self.outbox; `+script+` })()`, out, awaited)
}

// reportsOf is how many reports there are.
func reportsOf(w *testenv.System) int { return w.Int(`SELECT count(*) FROM reports`) }

// workerReady waits until the service worker has kept the form.
var workerReady = chromedp.Evaluate(`(async () => { await navigator.serviceWorker.ready; while (!(await caches.match("/report"))) await new Promise((r) => setTimeout(r, 100)); })()`, nil, awaited)

// signedIn waits until the page knows who is signed in. Before that it keeps what is written as nobody's.
var signedIn = inModule("core.js", `while (!m.session.user) await new Promise((r) => setTimeout(r, 50));`, nil)

// A report that is written without a link is there after the browser's tab was closed and opened again, also without a link, and
// is sent once when the link is back. It is kept until the public log holds its receipt.
func TestReportIsWrittenWithoutALinkAndSentOnce(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	c := w.Citizen()
	line := through(t, w)
	seen := line.watch(t)
	tab := tabOf(t, w, c, "/welcome", 360, 740)
	first, closeTab := another(t, tab, w.URL+"/report?lang=en")
	var waits, keeping string
	run(t, first, workerReady, signedIn, chromedp.ActionFunc(func(context.Context) error { line.cut.Store(true); return nil }),
		choose(t, "a.jpg", photo(t, 320, 200, 1)), chromedp.WaitVisible("#picture-image"), fillIn("Blocked since Monday"), chromedp.Click(id("send")),
		chromedp.WaitVisible("#done"), chromedp.Text("#done", &waits), chromedp.Text("#keeping", &keeping))
	browser.Screenshot(t, first, "report-waits")
	if !strings.HasPrefix(waits, "There is no link. It is sent by itself") || !strings.Contains(keeping, "Safari deletes them after 7 days") {
		t.Errorf("the page says %q, %q", waits, keeping)
	}
	closeTab()
	second, _ := another(t, tab, w.URL+"/report")
	var list string
	if err := chromedp.Run(second, chromedp.WaitVisible("#entries .row"), chromedp.Text("#entries", &list)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(list, "Drainage") || reportsOf(w) != 0 {
		t.Errorf("after a restart: %q, %d reports", list, reportsOf(w))
	}
	line.cut.Store(false)
	err := chromedp.Run(second, chromedp.Sleep(0), browser.Poll(`(dispatchEvent(new Event("online")), document.querySelector("#entries").textContent.includes("LS-"))`, nil, chromedp.WithPollingInterval(500e6)))
	if err != nil {
		t.Fatal(err)
	}
	if got := w.Text(`SELECT concat_ws('|', count(*), bool_and(created_offline), max(description), max(source)) FROM reports`); got != "1|t|Blocked since Monday|web" || seen.count() != 1 || len(seen.picture) == 0 {
		t.Errorf("got %s by %d requests", got, seen.count())
	}

	const entries = `return (await outbox.list("` + "%" + `")).length;`
	left := func() int {
		var n int
		if err := chromedp.Run(second, onPage(strings.Replace(entries, "%", c.Email, 1), &n)); err != nil {
			t.Fatal(err)
		}
		return n
	}
	tidy := onPage(`await outbox.tidy("`+c.Email+`");`, nil)
	if err := chromedp.Run(second, tidy); err != nil {
		t.Fatal(err)
	}
	if n := left(); n != 1 {
		t.Errorf("before the log holds it, %d are kept", n)
	}
	w.PublishLog(int64(w.Int(`SELECT next FROM log_counter`)))
	if err := chromedp.Run(second, tidy); err != nil {
		t.Fatal(err)
	}
	if n := left(); n != 0 {
		t.Errorf("after the log holds it, %d are kept", n)
	}
}

// What is not in the public log after 24 hours is kept no longer.
func TestSentReportsAreKeptForADay(t *testing.T) {
	t.Parallel()
	w := setup(t)
	tab := tabOf(t, w, nil, "/report", 360, 740)
	var left []string
	err := chromedp.Run(tab, chromedp.WaitVisible(id("next")), onPage(`
		for (const [id, hours, state] of [["young", 23, "sent"], ["old", 25, "sent"], ["draft", 999, "draft"]]) {
			await outbox.change(id, () => ({ client_id: id, owner: "", state, created: "2026-01-01T00:00:00Z", fields: {}, log_index: null, sent_at: Date.now() - hours * 3600e3 }));
		}
		await outbox.tidy("");
		return (await outbox.list("")).map((e) => e.client_id).sort();`, &left))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(left, " ") != "draft young" {
		t.Errorf("left %q", left)
	}
}

// Two presses of a button, two tabs with one draft, and an answer that is lost on the way make one report.
func TestReportIsMadeOnce(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	c := w.Citizen()
	line := through(t, w)
	seen := line.watch(t)
	tab := tabOf(t, w, c, "/report?lang=en", 360, 740)
	twice := `(() => { const b = document.querySelector('[data-testid=send]'); b.click(); b.click(); })()`
	if err := chromedp.Run(tab, fillIn("Pressed twice"), chromedp.Evaluate(twice, nil), arrived); err != nil {
		t.Fatal(err)
	}
	if n := seen.count(); n != 1 || reportsOf(w) != 1 {
		t.Errorf("two presses: %d requests, %d reports", n, reportsOf(w))
	}

	// The answer to the first request is lost. The second gets the same report.
	lost := func(r *http.Request) bool { return r.Method == http.MethodPost && r.URL.Path == "/api/v1/reports" }
	line.lost.Store(&lost)
	err := chromedp.Run(tab, chromedp.Click(id("another")), fillInAt("-8.60, 125.60", "Answer lost"), chromedp.Click(id("send")), chromedp.WaitVisible("#done [role=status]"),
		chromedp.ActionFunc(func(context.Context) error { line.lost.Store(nil); return nil }), chromedp.Click("#done button"), arrived)
	if err != nil {
		t.Fatal(err)
	}
	if n := reportsOf(w); n != 2 {
		t.Errorf("lost answer: %d reports", n)
	}
	before := seen.count() // the browser itself repeats a request whose connection broke

	// Two tabs show the same draft; both send it while the first request is on its way.
	if err := chromedp.Run(tab, chromedp.Click(id("another")), fillInAt("-8.65, 125.65", "Two tabs")); err != nil {
		t.Fatal(err)
	}
	second, _ := another(t, tab, w.URL+"/report?lang=en")
	sending, both := make(chan struct{}), make(chan struct{})
	var once sync.Once
	line.lookAt(func(_ http.ResponseWriter, r *http.Request) bool {
		if lost(r) {
			seen.Lock()
			seen.n++
			seen.Unlock()
			once.Do(func() { close(sending) })
			<-both
		}
		return false
	})
	err = chromedp.Run(second, chromedp.WaitVisible("#notice button"), chromedp.Click(id("next")), chromedp.WaitVisible(id("locate")), chromedp.Click(id("next")),
		chromedp.WaitVisible(id("words")), chromedp.Click(id("next")), chromedp.WaitVisible(id("send")))
	if err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Run(tab, chromedp.Evaluate(`document.querySelector('[data-testid=send]').click()`, nil)); err != nil {
		t.Fatal(err)
	}
	<-sending
	// The second tab may know by now that the first one sends.
	err = chromedp.Run(second, chromedp.Evaluate(`(() => { const b = document.querySelector('[data-testid=send]'); if (b.offsetParent) b.click(); })()`, nil), chromedp.WaitVisible("#done [role=status]"),
		// Its queue leaves alone what another tab is sending. A second change comes after the first is stored.
		onPage(`const owner = "`+c.Email+`", e = (await outbox.list(owner)).find((e) => e.state === "waiting");
			outbox.send(e.client_id, { owner, lang: "en", token: () => "", renew: () => Promise.reject(new Error("no")) }, { now: true });
			await outbox.change(e.client_id, () => undefined);`, nil))
	close(both)
	if err != nil {
		t.Fatal(err)
	}
	browser.Screenshot(t, tab, "report-two-a")
	browser.Screenshot(t, second, "report-two-b")
	if err := chromedp.Run(tab, arrived); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Run(second, arrived); err != nil {
		t.Fatal(err)
	}
	if n := seen.count() - before; n != 1 || reportsOf(w) != 3 {
		t.Errorf("two tabs: %d requests, %d reports", n, reportsOf(w))
	}
}

// A draft is seen by the address that it was written under and by no other. What was written signed out belongs to who sends it.
func TestDraftBelongsToItsAddress(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	alda, bea := w.Citizen(), w.Citizen()
	tab := tabOf(t, w, alda, "/report?lang=en", 360, 740)
	seenBy := func(c *testenv.Client) string {
		t.Helper()
		if c != nil {
			signIn(t, w, tab, c)
		}
		var words, notice, list string
		err := chromedp.Run(tab, chromedp.Navigate(w.URL+"/report?lang=en"), chromedp.WaitVisible("#report"), browser.Poll(`document.querySelector("#words").value !== "" || document.querySelector("#entries").textContent !== ""`, nil),
			chromedp.Value("#words", &words), chromedp.TextContent("#notice", &notice), chromedp.TextContent("#entries", &list))
		if err != nil {
			t.Fatal(err)
		}
		return words + "|" + list
	}
	if err := chromedp.Run(tab, fillIn("Alda wrote this")); err != nil {
		t.Fatal(err)
	}
	const hidden = "|There are reports of another address on this phone. Sign in with that address to see them."
	if got := seenBy(bea); got != hidden {
		t.Errorf("another address sees %q", got)
	}
	if got := seenBy(alda); got != "Alda wrote this|" {
		t.Errorf("its address sees %q", got)
	}
	err := chromedp.Run(tab, chromedp.Evaluate(`import(document.querySelector('script[src$="/core.js"]').src).then((core) => core.session.end())`, nil, awaited))
	if err != nil {
		t.Fatal(err)
	}
	if got := seenBy(nil); got != hidden+"Sign in" {
		t.Errorf("after signing out one sees %q", got)
	}
	// Written signed out, sent as bea.
	err = chromedp.Run(tab, fillIn("Written by nobody"), chromedp.Click(id("send")), chromedp.WaitVisible(id("email")), chromedp.SendKeys(id("email"), bea.Email),
		chromedp.Click(id("email-send")), chromedp.WaitVisible(id("code")))
	if err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Run(tab, chromedp.SendKeys(id("code"), mailedCode(t, w, bea.Email)), chromedp.Click(id("code-send")), arrived); err != nil {
		t.Fatal(err)
	}
	if got := w.Text(`SELECT string_agg(u.email || ' ' || description, ',') FROM reports r JOIN users u ON u.id = r.user_id`); got != bea.Email+" Written by nobody" {
		t.Errorf("sent: %s", got)
	}
}

// A session that ended while somebody wrote costs nothing: the form asks to sign in again, and sends.
func TestReportOutlastsItsSession(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	c := w.Citizen()
	tab := tabOf(t, w, c, "/report?lang=en", 360, 740)
	if err := chromedp.Run(tab, fillIn("Session over"), browser.Poll(`document.querySelector("#sender").textContent !== ""`, nil)); err != nil {
		t.Fatal(err)
	}
	w.Exec(`UPDATE sessions SET revoked_at = now(), revoked_reason = 'logout'`)
	err := chromedp.Run(tab, chromedp.Click(id("send")), chromedp.WaitVisible(id("email")), chromedp.SendKeys(id("email"), c.Email), chromedp.Click(id("email-send")), chromedp.WaitVisible(id("code")))
	if err != nil {
		t.Fatal(err)
	}
	browser.Screenshot(t, tab, "report-session-over")
	if err := chromedp.Run(tab, chromedp.SendKeys(id("code"), mailedCode(t, w, c.Email)), chromedp.Click(id("code-send")), arrived); err != nil {
		t.Fatal(err)
	}
	if reportsOf(w) != 1 {
		t.Errorf("%d reports", reportsOf(w))
	}
}

// Where storage is switched off, the form says that nothing is kept, and sends.
func TestReportIsFiledWithoutStorage(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	const address = "alda@example.tl"
	tab := browser.Open(t, 360, 740)
	var keeping string
	err := chromedp.Run(tab, atStart(`for (const name of ["indexedDB", "localStorage", "sessionStorage"]) Object.defineProperty(window, name, { get() { throw new DOMException("off", "SecurityError"); } });
			Object.defineProperty(navigator, "serviceWorker", { value: undefined });`), chromedp.Navigate(w.URL+"/report?lang=en"), choose(t, "a.jpg", photo(t, 320, 200, 1)), chromedp.WaitVisible("#picture-image"), fillIn("Nothing is kept"),
		chromedp.Text("#keeping", &keeping), chromedp.Click(id("send")), chromedp.WaitVisible(id("email")), chromedp.SendKeys(id("email"), address), chromedp.Click(id("email-send")), chromedp.WaitVisible(id("code")))
	if err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Run(tab, chromedp.SendKeys(id("code"), mailedCode(t, w, address)), chromedp.Click(id("code-send")), arrived); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(keeping, "This browser keeps nothing") || reportsOf(w) != 1 {
		t.Errorf("the page says %q; %d reports", keeping, reportsOf(w))
	}
}

// The service worker keeps the form, the files that it names, and nothing else: no answer of the API, no other page. A new deploy
// replaces what the one before kept.
func TestServiceWorkerKeepsTheFormAlone(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	tab := tabOf(t, w, w.Citizen(), "/report?lang=en", 360, 740)
	var kept []string
	err := chromedp.Run(tab, workerReady, chromedp.Evaluate(`caches.open("report-old").then((c) => c.put("/report", new Response("old")))`, nil, awaited),
		chromedp.Reload(), fillIn("x"), browser.Poll(`caches.has("report-old").then((has) => !has)`, nil),
		chromedp.Evaluate(`(async () => { const out = []; for (const name of await caches.keys()) for (const r of await (await caches.open(name)).keys()) out.push(new URL(r.url).pathname); return out; })()`, &kept, awaited))
	if err != nil {
		t.Fatal(err)
	}
	form := false
	for _, path := range kept {
		form = form || path == "/report"
		if path != "/report" && !strings.HasPrefix(path, "/assets/") {
			t.Errorf("it keeps %s", path)
		}
	}
	if !form || len(kept) < 10 {
		t.Errorf("it keeps %q", kept)
	}
	r := w.Anonymous().Get("//report-worker.js").Want(http.StatusOK)
	if policy := r.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(string(r.Body), "{{") {
		t.Errorf("the worker has the policy %q and the body %s", policy, r.Body)
	}
}
