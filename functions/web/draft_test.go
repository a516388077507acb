package web_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// inModule runs a script with what a module of the page exports as "m", and waits for it.
func inModule(name, script string, out any) chromedp.Action {
	return chromedp.Evaluate(`import(document.querySelector('script[src$="/`+name+`"]').src).then(async (m) => { `+script+` })`, out, awaited)
}

// What another tab has changed or sent meanwhile stays as it is; what was typed here becomes a draft of its own. A new draft belongs
// to whoever is signed in. Somebody else who signs in finds an empty form.
func TestTwoTabsOverwriteNoDraft(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	c := w.Citizen()
	tab := tabOf(t, w, c, "/report?lang=en", 360, 740)
	var got string
	run(t, tab, until(`document.querySelector("#progress").textContent !== ""`), inModule("core.js", `for (let i = 0; i < 200 && !m.session.user; i++) await new Promise((r) => setTimeout(r, 50));`, nil),
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
