package web_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/serviceworker"
	"github.com/chromedp/chromedp"
)

// stubbed makes the answers of the server, and stops the clock. put stores an entry that waits, tried sends it and says what became
// of it: its state, the seconds that it waits, and how many requests there were.
const stubbed = `
	const now = 1e12, real = Date.now;
	Date.now = () => now;
	let answers = [], seen = [];
	window.fetch = async (address, options = {}) => {
		seen.push({ address, form: options.body instanceof FormData ? Object.fromEntries(options.body) : {}, token: (options.headers || {}).Authorization });
		const [status, body = "{}", headers = {}] = answers.shift() || [0];
		if (!status) throw new TypeError("no connection");
		return new Response(body, { status, headers });
	};
	const put = (id, changes = {}) => outbox.change(id, () => ({ client_id: id, owner: "alda", state: "waiting", created: "2026-01-01T00:00:00Z", edited: 1, fields: { latitude: -8.5, longitude: 125.5, is_anonymous: true }, picture: null, not_before: 0, ...changes }));
	let token = "old", renewed = true, signedIn = "alda";
	const alda = { owner: "alda", lang: "tet", token: () => token, renew: async () => { if (!renewed) throw { status: 401 }; token = "new"; return signedIn; } };
	const tried = async (name, given, changes, options) => {
		[answers, seen, token] = [given, [], "old"];
		await put(name, changes);
		const e = await outbox.send(name, alda, options);
		const wait = e.not_before > now ? (e.not_before - now) / 1000 : 0;
		return [name, e.state, wait, seen.length].join(" ") + (e.fields.created_offline ? " offline" : "") + (e.lease ? " leased" : "");
	};
`

// What becomes of a report depends on the answer: it was sent, it waits for as long as the server says, or it needs the person and
// is a draft again. Nobody's report is sent in the name of somebody else, and none while another tab sends it.
func TestAnswersToAReport(t *testing.T) {
	t.Parallel()
	w := setup(t)
	tab := tabOf(t, w, nil, "/report", 360, 740)
	var got []string
	run(t, tab, chromedp.WaitVisible(id("next")), onPage(stubbed+`
		const out = [];
		const arrived = [201, '{"report_number":"LS-2026-000001"}'], problem = (status, code, after) => [status, JSON.stringify({ code }), after ? { "Retry-After": after } : {}];
		out.push(await tried("created", [arrived]));
		out.push([seen[0].form.client_id, seen[0].form.is_anonymous, seen[0].form.latitude, seen[0].token].join(" "));
		out.push(await tried("repeated", [[200, '{"report_number":"LS-2026-000001"}']]));
		out.push(await tried("not_ours", [[200, '{"ok":true}']]));
		out.push(await tried("no_link", []));
		out.push(await tried("broken_answer", [[201, '{"report_num']]));
		out.push(await tried("renewed", [problem(401, "token_expired"), arrived]), seen[1].token);
		signedIn = "rui";
		out.push(await tried("somebody_else", [problem(401, "token_expired"), arrived]));
		renewed = false;
		out.push(await tried("signed_out", [problem(401, "token_expired"), arrived]));
		out.push(await tried("slow", [problem(408)]), await tried("limit", [problem(429, "rate_limited", "120")]), await tried("down", [problem(503, "unavailable", "60")]), await tried("fault", [problem(500)]));
		out.push(await tried("in_progress", [problem(409, "request_in_progress")]));
		for (const [status, code] of [[409, "client_id_reused"], [410, "gone"], [422, "invalid_input"], [403, "account_suspended"], [413, "too_large"]]) out.push(await tried(code, [problem(status, code)]));
		out.push(await tried("not_due", [arrived], { not_before: now + 1 }), await tried("pressed", [arrived], { not_before: now + 1 }, { now: true }));
		out.push(await tried("of_bea", [arrived], { owner: "bea" }, { now: true, adopt: true }));
		out.push(await tried("of_nobody", [arrived], { owner: "" }), await tried("adopted", [arrived], { owner: "" }, { adopt: true }));
		out.push(await tried("elsewhere", [arrived], { lease: { by: "another tab", until: now + 1 } }, { now: true }), await tried("abandoned", [arrived], { lease: { by: "another tab", until: now - 1 } }));
		out.push(await tried("draft", [arrived], { state: "draft" }, { now: true }));
		Date.now = real;
		return out;`, &got))
	want := []string{
		"created sent 0 1", "created true -8.5 Bearer old", "repeated sent 0 1", "not_ours waiting 15 1", "no_link waiting 15 1 offline", "broken_answer waiting 15 1 offline", "renewed sent 0 2", "Bearer new",
		"somebody_else waiting 15 1", "signed_out waiting 15 1", "slow waiting 15 1", "limit waiting 120 1", "down waiting 60 1", "fault waiting 15 1", "in_progress waiting 15 1",
		"client_id_reused draft 0 1", "gone draft 0 1", "invalid_input draft 0 1", "account_suspended draft 0 1", "too_large draft 0 1",
		"not_due waiting 0.001 0", "pressed sent 0.001 1", "of_bea waiting 0 0", "of_nobody waiting 0 0", "adopted sent 0 1",
		"elsewhere waiting 0 0 leased", "abandoned sent 0 1", "draft draft 0 0",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// In the background only what the signed-in person has sent goes out, and the browser is asked to try again while something waits.
// A receipt is kept while the log cannot be asked.
func TestReportsAreSentInTheBackground(t *testing.T) {
	t.Parallel()
	w := setup(t)
	tab := tabOf(t, w, nil, "/report", 360, 740)
	var got []string
	run(t, tab, chromedp.WaitVisible(id("next")), onPage(stubbed+`
		const out = [], session = [200, '{"access_token":"fresh","user":{"email":"alda","preferred_language":"pt"}}'];
		const states = async () => [...await outbox.list("alda"), ...await outbox.list("bea")].filter((e, i, all) => all.findIndex((x) => x.client_id === e.client_id) === i).map((e) => e.client_id + " " + e.state).sort().join(", ");
		const pass = async (...given) => {
			[answers, seen] = [given, []];
			const ended = await outbox.sendInBackground().then(() => "done", () => "again");
			out.push(ended + " " + seen.length + ": " + await states());
		};
		for (const [id, changes] of [["a", {}], ["b", { owner: "bea" }], ["c", { owner: "" }], ["d", { state: "draft" }]]) await put(id, changes);
		await pass([401]);
		await pass();
		await pass(session, [503]);
		await put("a");
		await pass(session, [201, '{"report_number":"LS-2026-000001"}']);
		out.push(seen[1].token + " " + seen[1].form.client_id);
		await put("a", { state: "sent", sent_at: now, log_index: 7 });
		answers = [];
		await outbox.tidy("alda");
		out.push(await states());
		answers = [[404]];
		await outbox.tidy("alda");
		out.push(await states());
		answers = [[200]];
		await outbox.tidy("alda");
		out.push(await states());
		Date.now = real;
		return out;`, &got))
	const others = "b waiting, c waiting, d draft"
	want := []string{"done 1: a waiting, " + others, "again 1: a waiting, " + others, "again 2: a waiting, " + others, "done 2: a sent, " + others, "Bearer fresh a", "a sent, " + others, "a sent, " + others, others}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A report that waits is sent by the service worker when the link is back, with no page of the form open.
func TestServiceWorkerSendsWhatWaits(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	c := w.Citizen()
	tab := tabOf(t, w, c, "/report?lang=en", 360, 740)
	registered := make(chan serviceworker.RegistrationID, 10)
	chromedp.ListenTarget(tab, func(event any) {
		if e, ok := event.(*serviceworker.EventWorkerRegistrationUpdated); ok {
			for _, r := range e.Registrations {
				select {
				case registered <- r.RegistrationID:
				default:
				}
			}
		}
	})
	run(t, tab, workerReady, serviceworker.Enable(), onPage(`
		await outbox.change("11111111-1111-4111-8111-111111111111", (e) => ({ client_id: "11111111-1111-4111-8111-111111111111", owner: "`+c.Email+`", state: "waiting", created: "2026-01-01T00:00:00Z", edited: 1,
			fields: { latitude: -8.5569, longitude: 125.5603, issue_type: "drainage", description: "Left waiting" }, picture: null, not_before: Date.now() + 30e3 }));`, nil),
		chromedp.Navigate(w.URL+"/welcome"), chromedp.Evaluate(`new Promise((resolve) => { const open = indexedDB.open("lafaekstreet-reports"); open.onsuccess = () => {
			const store = open.result.transaction("reports", "readwrite").objectStore("reports"), asked = store.getAll();
			asked.onsuccess = () => { for (const e of asked.result) store.put({ ...e, not_before: 0 }); };
			store.transaction.oncomplete = () => { open.result.close(); resolve(); };
		}; })`, nil, awaited))
	worker := <-registered
	err := chromedp.Run(tab, chromedp.ActionFunc(func(ctx context.Context) error {
		return serviceworker.DispatchSyncEvent(w.URL, worker, "reports", false).Do(cdp.WithExecutor(ctx, chromedp.FromContext(ctx).Target))
	}))
	if err != nil {
		t.Fatal(err)
	}
	w.WaitUntil(`SELECT count(*) = 1 FROM reports WHERE description = 'Left waiting' AND user_id = $1`, c.ID)
}
