package web_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// inModule runs a script with what a module of the page exports as "m", and waits for it.
func inModule(name, script string, out any) chromedp.Action {
	return chromedp.Evaluate(`import(document.querySelector('script[src$="/`+name+`"]').src).then(async (m) => { `+script+` })`, out, awaited)
}

// What another tab has changed or sent meanwhile stays as it is; what was typed here becomes a draft of its own. A new draft belongs
// to the person who is signed in. If another person signs in, the form is empty.
func TestTwoTabsOverwriteNoDraft(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	c := w.Citizen()
	tab := tabOf(t, w, c, "/report?lang=en", 360, 740)
	var got string
	run(t, tab, until(`document.querySelector("#progress").textContent !== ""`), signedIn,
		inModule("new_report_draft.js", `const { draft, fresh } = m, { outbox } = self, ids = new Set();
			const type = async (words) => { draft.set("description", words); await draft.save(); ids.add(draft.entry.client_id); return draft.entry.client_id; };
			draft.take(fresh());
			const first = await type("mine");
			await outbox.change(first, (e) => ({ ...e, edited: e.edited + 1, fields: { description: "theirs" } }));
			const second = await type("mine, longer");
			await outbox.change(second, (e) => ({ ...e, state: "sent", sent_at: Date.now(), log_index: null }));
			await type("mine, longest");
			const kept = (await outbox.list("`+c.Email+`")).map((e) => e.fields.description + " " + e.state + " " + e.owner).sort();
			draft.renew();
			ids.add(draft.entry.client_id);
			return kept.join("|") + " " + ids.size;`, &got))
	want := strings.ReplaceAll("mine, longer sent EMAIL|mine, longest draft EMAIL|theirs draft EMAIL 4", "EMAIL", c.Email)
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	run(t, tab, chromedp.Reload(), until(`document.querySelector("#words").value !== ""`),
		inModule("core.js", `m.session.take({ access_token: "x", user: { id: "b", email: "bea@example.tl", role: "citizen" } });`, nil),
		until(`document.querySelector("#words").value === "" && !document.querySelector("#notice").hidden`))
}

// Who wants to stay anonymous is: the choice is kept with the draft and sent. A picture that is chosen last is sent too, although it
// is still being made small when the button is pressed.
func TestAReportIsAnonymousAndHasItsLastPicture(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	tab := tabOf(t, w, w.Citizen(), "/report?lang=en", 360, 740)
	run(t, tab, fillIn("No name please"), chromedp.Click("#anonymous"), inModule("new_report_draft.js", `await m.draft.save();`, nil), chromedp.Navigate(w.URL+"/welcome"),
		chromedp.Navigate(w.URL+"/report?lang=en#send"), chromedp.WaitVisible(id("send")))
	var still bool
	run(t, tab, chromedp.Evaluate(`document.querySelector("#anonymous").checked`, &still), chromedp.Evaluate(`document.querySelector("[data-testid=photo]").addEventListener("change", () => document.querySelector("[data-testid=send]").click())`, nil),
		choose(t, "last.jpg", photo(t, 1600, 1200, 1)), arrived)
	if got := w.Text(`SELECT is_anonymous::text || ' ' || (SELECT count(*) FROM report_images i WHERE i.report_id = r.id) FROM reports r`); got != "true 1" || !still {
		t.Errorf("anonymous and pictures: %s; kept: %v", got, still)
	}
}

// After the server says that it has an earlier version, the report is sent as a new one: under an id of its own.
func TestAReportIsSentAsANewOne(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	line := through(t, w)
	tab := tabOf(t, w, w.Citizen(), "/report?lang=en", 360, 740)
	line.lookAt(func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost || r.URL.Path != "/api/v1/reports" {
			return false
		}
		rw.Header().Set("Content-Type", "application/problem+json")
		rw.WriteHeader(http.StatusGone)
		_, _ = rw.Write([]byte(`{"code":"gone","detail":"It was removed."}`))
		return true
	})
	var before, after string
	ids := func(out *string) chromedp.Action {
		return inModule("new_report_draft.js", `return m.draft.entry.client_id;`, out)
	}
	run(t, tab, fillIn("Again"), ids(&before), chromedp.Click(id("send")), chromedp.WaitVisible("#send-extra button"),
		chromedp.ActionFunc(func(context.Context) error { line.answer.Store(nil); return nil }), chromedp.Click("#send-extra button"), arrived)
	after = w.Text(`SELECT client_id FROM reports`)
	if after == before {
		t.Errorf("sent again as %s", after)
	}
}
