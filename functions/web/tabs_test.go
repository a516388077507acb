package web_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// fakeServer answers the requests of a page: who is the person of the cookie, and expired has every call but those of the session
// answer 401 to the token "old". seen has the calls.
const fakeServer = `
	const json = (status, body) => new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
	self.server = { who: "b", expired: false, seen: [] };
	window.fetch = async (address, { method, headers }) => {
		if (address.endsWith("/auth/web-session")) {
			if (!server.who) return json(401, { code: "token_invalid" });
			return json(200, { access_token: "of-" + server.who, user: { id: server.who, email: server.who + "@example.tl", role: "citizen" } });
		}
		if (address.endsWith("/email-code/verify")) return json(200, { kind: "tokens", refresh_token: "r", user: {} });
		server.seen.push(method + " " + address + " " + headers.Authorization);
		return server.expired && headers.Authorization === "Bearer old" ? json(401, { code: "token_expired" }) : json(200, {});
	};
	const alda = { access_token: "old", user: { id: "a", email: "a@example.tl", role: "citizen" } };
`

// Tabs of a browser share who is signed in. A tab never sends in the name of somebody else who signed in meanwhile.
func TestTabsShareASession(t *testing.T) {
	t.Parallel()
	w := setup(t)
	tab := tabOf(t, w, nil, "/welcome?lang=en", 360, 740)
	var got []string
	run(t, tab, chromedp.WaitReady(`script[src$="/sign_in.js"]`), inModule("core.js", fakeServer+`
		const { session, api } = m, out = [];
		let told = "";
		session.watch((user) => { told = user ? user.id : "nobody"; });
		const now = () => (session.user ? session.user.id : "nobody") + " " + session.token + " " + told;
		const tell = async (newValue) => { dispatchEvent(new StorageEvent("storage", { key: "signed_in", newValue })); await new Promise((r) => setTimeout(r, 100)); out.push(now()); };
		session.take(alda);
		out.push(now());
		await tell(null);
		session.take(alda);
		await tell("b");
		const call = async (who) => {
			session.take(alda);
			[server.who, server.expired, server.seen] = [who, true, []];
			const answered = await api("POST", "/x", { body: {} }).then(() => "ok", (e) => e.status);
			out.push(answered + " " + server.seen.map((s) => s.split(" ").pop()).join() + " " + now());
		};
		await call("a");
		await call("b");
		await call("");
		return out;`, &got))
	want := []string{"a old a", "nobody  nobody", "b of-b b", "ok old,of-a a of-a a", "401 old b of-b b", "401 old nobody  nobody"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	// Signing in again as somebody else does not send what the first person wrote.
	run(t, tab, chromedp.Evaluate(`Promise.all(["core.js", "sign_in.js"].map((n) => import(document.querySelector('script[src$="/' + n + '"]').src))).then(([core, signIn]) => {
			core.session.take({ access_token: "old", user: { id: "a", email: "a@example.tl", role: "citizen" } });
			[server.who, server.seen] = ["", []];
			signIn.asUser(() => core.api("POST", "/x", { body: {} })).then(() => { document.title = "sent"; }, (e) => { document.title = "refused " + e.status; });
		})`, nil, awaited), chromedp.WaitVisible(dialogID("email")), chromedp.SendKeys(dialogID("email"), "b@example.tl"), chromedp.Click(dialogID("email-send")),
		chromedp.WaitVisible(dialogID("code")), chromedp.Evaluate(`server.who = "b"`, nil), chromedp.SendKeys(dialogID("code"), "123456"), chromedp.Click(dialogID("code-send")), until(`document.title.startsWith("refused") || document.title === "sent"`))
	if title := value[string](t, tab, `document.title + " " + server.seen.filter((s) => s.includes("/x")).length`); title != "refused 401 1" {
		t.Errorf("what the first person wrote: %s", title)
	}
}
