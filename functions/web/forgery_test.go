package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/lafaekstreet/backend/infra/local/browser"
)

// foreign is a page of another origin that tries everything which a browser lets it try with the cookies of this site.
const foreign = `<!doctype html><html lang="en"><title>x</title><body>
<iframe name="hidden" id="hidden"></iframe><iframe id="framed" src="SITE/desk"></iframe>
<form id="form" method="post" target="hidden" enctype="text/plain" action="SITE/api/v1/auth/web-session"><input name='{"a":"' value='"}'></form>
<script>
const at = "SITE/api/v1/auth/web-session";
const reached = [];
const attempt = (name, options) => fetch(at, { method: "POST", credentials: "include", ...options }).then((r) => reached.push(name + " " + r.type + " " + r.status), () => reached.push(name + " refused"));
window.done = Promise.all([
	attempt("header", { headers: { "Content-Type": "application/json", "X-LafaekStreet": "1" }, body: "{}" }),
	attempt("plain", { headers: { "Content-Type": "text/plain" }, body: "{}" }),
	attempt("blind", { mode: "no-cors", body: "{}" }),
	attempt("empty", { mode: "no-cors" }),
	attempt("delete", { method: "DELETE" }),
]).then(() => { document.getElementById("form").submit(); return new Promise((r) => setTimeout(r, 500)); }).then(() => reached);
</script>`

// TestAnotherOriginCannotUseASession opens a page of another origin in a browser where somebody is signed in. Its requests
// neither renew nor end the session, and it cannot show a page of the site in a frame.
func TestAnotherOriginCannotUseASession(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	c := w.Citizen()
	other := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		_, _ = rw.Write([]byte(strings.ReplaceAll(foreign, "SITE", w.URL)))
	}))
	t.Cleanup(other.Close)
	elsewhere := strings.Replace(other.URL, "127.0.0.1", "localhost", 1) // another site, not only another port
	tab := browser.Open(t, 800, 600)
	signIn(t, w, tab, c)
	var framing atomic.Int32
	chromedp.ListenTarget(tab, func(event any) {
		if e, ok := event.(*log.EventEntryAdded); ok && strings.HasPrefix(e.Entry.Text, "Framing ") {
			framing.Add(1)
		}
	})
	rotated := w.Int(`SELECT count(*) FROM refresh_tokens WHERE replaced_at IS NOT NULL`)
	for _, origin := range []string{elsewhere, other.URL} { // the second one is the same site for SameSite, for it ignores ports
		var cookies []string
		chromedp.ListenTarget(tab, func(event any) {
			if e, ok := event.(*network.EventRequestWillBeSentExtraInfo); ok {
				for _, held := range e.AssociatedCookies {
					if held.Cookie.Name == "lafaekstreet_session" && len(held.BlockedReasons) == 0 && origin == elsewhere {
						cookies = append(cookies, e.RequestID.String())
					}
				}
			}
		})
		var reached []string
		if err := chromedp.Run(tab, network.Enable(), chromedp.Navigate(origin), chromedp.Evaluate(`window.done`, &reached, awaited)); err != nil {
			t.Fatal(err)
		}
		if len(reached) != 5 || !strings.Contains(strings.Join(reached, ","), "header refused") || !strings.Contains(strings.Join(reached, ","), "delete refused") {
			t.Errorf("%s: %q", origin, reached)
		}
		if len(cookies) > 0 {
			t.Errorf("%s: a request of another site carried the cookie", origin)
		}
	}
	if framing.Load() < 2 {
		t.Errorf("the desk was refused in a frame %d times", framing.Load())
	}
	if n := w.Int(`SELECT count(*) FROM refresh_tokens WHERE replaced_at IS NOT NULL`); n != rotated {
		t.Errorf("%d tokens were exchanged", n-rotated)
	}
	if n := w.Int(`SELECT count(*) FROM sessions WHERE user_id = $1 AND revoked_at IS NULL`, c.ID); n != 1 {
		t.Errorf("%d sessions are left", n)
	}
	var user string
	err := chromedp.Run(tab, chromedp.Navigate(w.URL+"/welcome"), chromedp.Evaluate(`import(document.querySelector('script[src$="/core.js"]').src).then((core) => core.session.resume({ always: true })).then((u) => u ? u.email : "")`, &user, awaited))
	if err != nil || user == "" {
		t.Errorf("the session did not go on: %q, %v", user, err)
	}
}

// Every page refuses to be framed, loads scripts of this site alone and lets no script make markup of text.
func TestPolicyOfEveryPage(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, number := file(w, w.Citizen(), nil)
	for _, path := range []string{"/", "/report", "/me", "/map", "/r/" + number, "/r/LS-2020-000001", "/desk", "/admin", "/stats", "/welcome"} {
		got := w.Anonymous().Get("/" + path)
		policy := got.Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self';", "style-src 'self';", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'", "require-trusted-types-for 'script'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: no %s in %q", path, want, policy)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
			t.Errorf("%s: %q", path, policy)
		}
		if strings.Contains(strings.ReplaceAll(string(got.Body), `type="application/json"`, ""), "<script>") || strings.Contains(string(got.Body), " style=") || strings.Contains(string(got.Body), " onclick=") {
			t.Errorf("%s has an inline script, style or handler", path)
		}
		if strings.Contains(string(got.Body), "{{") {
			t.Errorf("%s has a place without a value", path)
		}
		if vary := strings.Join(got.Header.Values("Vary"), ", "); !strings.Contains(vary, "Cookie") || !strings.Contains(vary, "Accept-Language") {
			t.Errorf("%s varies by %q", path, vary)
		}
	}
}
