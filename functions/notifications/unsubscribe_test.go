package notifications_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/notifications"
	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/seal"
)

// stopToken makes the token of a link in a mail.
func stopToken(w *testenv.System, stop mail.Stop) string {
	w.Helper()
	cfg, err := config.Parse[seal.Config](w.Env)
	if err != nil {
		w.Fatal(err)
	}
	sealer, err := seal.New(cfg)
	if err != nil {
		w.Fatal(err)
	}
	return mail.StopToken(sealer, stop)
}

// head is an answer without its body.
type head struct {
	StatusCode int
	Header     http.Header
}

// click sends a request as a mail program does, without token, cookie or language.
func click(w *testenv.System, method, path, contentType, body string) (head, string) {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), method, w.URL+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		w.Fatal(err)
	}
	return head{res.StatusCode, res.Header}, string(raw)
}

func prefsOf(w *testenv.System, user uuid.UUID) string {
	return w.Text(`SELECT notification_prefs::text FROM users WHERE id = '` + user.String() + `'`)
}

const urlencoded = "application/x-www-form-urlencoded"

// A mail program that follows each link changes nothing. One click ends the kind of mail that the token names, as often as it comes.
func TestUnsubscribe(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, notifications.Open)
	c, other := w.Citizen(), w.Citizen()
	w.Exec(`UPDATE users SET notification_prefs = '{"push": false}' WHERE id = $1`, c.ID)
	path := "/unsubscribe/" + stopToken(w, mail.Stop{Kind: "report_fixed", ID: c.ID})
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodGet} {
		res, body := click(w, method, path+"?lang=tet", "", "")
		if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") || res.Header.Get("Cache-Control") != "no-store" ||
			!strings.Contains(res.Header.Get("Content-Security-Policy"), "form-action 'self'") {
			t.Errorf("%s: %d %v", method, res.StatusCode, res.Header)
		}
		if method == http.MethodGet && (!strings.Contains(body, `<form method="post">`) || !strings.Contains(body, "Hapara e-mail") || !strings.Contains(body, `lang="tet"`)) {
			t.Errorf("%s: %s", method, body)
		}
	}
	if got := prefsOf(w, c.ID); got != `{"push": false}` {
		t.Fatalf("looking at the page changed the preferences: %s", got)
	}
	const boundary = "multipart/form-data; boundary=b"
	for _, post := range [][2]string{{urlencoded, "List-Unsubscribe=One-Click"}, {boundary, "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n"},
		{"", ""}, {"text/plain", "x"}, {"application/json", "{"}} {
		if res, body := click(w, http.MethodPost, path, post[0], post[1]); res.StatusCode != http.StatusOK || !strings.Contains(body, "These e-mails are stopped") || strings.Contains(body, "<form") {
			t.Errorf("POST of %q: %d %s", post[0], res.StatusCode, body)
		}
		if got := prefsOf(w, c.ID); got != `{"push": false, "muted": ["report_fixed"]}` {
			t.Errorf("after POST of %q: %s", post[0], got)
		}
	}
	if got := prefsOf(w, other.ID); got != "{}" {
		t.Errorf("another person's preferences: %s", got)
	}
	click(w, http.MethodPost, "/unsubscribe/"+stopToken(w, mail.Stop{Kind: mail.StopKind(notification.Digest), ID: c.ID}), urlencoded, "List-Unsubscribe=One-Click")
	if got := prefsOf(w, c.ID); got != `{"push": false, "muted": ["report_fixed", "digest"]}` {
		t.Errorf("after a second kind: %s", got)
	}
}

// Several clicks at once are one.
func TestUnsubscribeAtOnce(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, notifications.Open)
	c := w.Citizen()
	var all sync.WaitGroup
	for i := range 8 {
		path := "/unsubscribe/" + stopToken(w, mail.Stop{Kind: []mail.StopKind{"report_fixed", "comment_added"}[i%2], ID: c.ID})
		all.Go(func() { click(w, http.MethodPost, path, urlencoded, "List-Unsubscribe=One-Click") })
	}
	all.Wait()
	if got := prefsOf(w, c.ID); strings.Count(got, `"report_fixed"`) != 1 || strings.Count(got, `"comment_added"`) != 1 {
		t.Errorf("preferences %s", got)
	}
}

func TestUnsubscribeOfAContact(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, notifications.Open)
	report := database.NewID()
	w.Exec(`INSERT INTO reports (id, report_number, content_hash, issue_type, latitude, longitude) VALUES ($1, 'LS-2026-000009', '', 'pothole', -8.55, 125.57)`, report)
	w.Exec(`INSERT INTO report_contacts (report_id, email) VALUES ($1, 'ana@example.tl')`, report)
	path := "/unsubscribe/" + stopToken(w, mail.Stop{Kind: mail.StopContact, ID: report})
	var first string
	for i, method := range []string{http.MethodGet, http.MethodPost, http.MethodPost} {
		if res, _ := click(w, method, path, "", ""); res.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", method, res.StatusCode)
		}
		at := w.Text(`SELECT coalesce(muted_at::text, '') FROM report_contacts`)
		if (at == "") != (i == 0) || i == 2 && at != first {
			t.Errorf("after %d requests: %q", i+1, at)
		}
		first = at
	}
}

// Nobody ends the mails of another person, and an account that is gone is no error.
func TestUnsubscribeTokens(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, notifications.Open)
	c, other := w.Citizen(), w.Citizen()
	good := stopToken(w, mail.Stop{Kind: "report_fixed", ID: c.ID})
	foreign := stopToken(w, mail.Stop{Kind: "report_fixed", ID: other.ID})
	mixed := good[:20] + foreign[20:]
	for _, bad := range []string{"x", mixed, good[:len(good)-1], strings.Repeat("A", 300), "..%2F..%2Fx", "%3Cscript%3E"} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			res, body := click(w, method, "/unsubscribe/"+bad, "", "")
			if res.StatusCode != http.StatusNotFound || !strings.Contains(body, "This link does not work") || strings.Contains(body, "<script") {
				t.Errorf("%s %s: %d %s", method, bad, res.StatusCode, body)
			}
		}
	}
	if got := prefsOf(w, c.ID) + prefsOf(w, other.ID); got != "{}{}" {
		t.Errorf("preferences %s", got)
	}
	w.Exec(`UPDATE users SET deleted_at = now(), email = NULL WHERE id = $1`, c.ID)
	if res, _ := click(w, http.MethodPost, "/unsubscribe/"+good, "", ""); res.StatusCode != http.StatusOK || prefsOf(w, c.ID) != "{}" {
		t.Errorf("of an erased account: %d, %s", res.StatusCode, prefsOf(w, c.ID))
	}
	if res, _ := click(w, http.MethodDelete, "/unsubscribe/"+good, "", ""); res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("DELETE: %d", res.StatusCode)
	}
}

// Each kind of mail has its name on the page, in each language.
func TestTheUnsubscribePageNamesTheKind(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, notifications.Open)
	kinds := []mail.StopKind{mail.StopContact, mail.StopKind(notification.Digest), mail.StopKind(notification.Alerts)}
	for _, typ := range notification.Types() {
		kinds = append(kinds, mail.StopKind(typ))
	}
	for _, kind := range kinds {
		for _, l := range locale.Languages() {
			want, ok := locale.Text(l, "page.stop.kind."+string(kind), nil)
			_, body := click(w, http.MethodGet, "/unsubscribe/"+stopToken(w, mail.Stop{Kind: kind, ID: uuid.New()})+"?lang="+string(l), "", "")
			if !ok || !strings.Contains(strings.ReplaceAll(body, "&#39;", "'"), want) {
				t.Errorf("%s in %s: no %q", kind, l, want)
			}
		}
	}
}

// The page works in a browser at the width of a phone, without script, by its button.
func TestUnsubscribeInABrowser(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, notifications.Open)
	c := w.Citizen()
	tab := browser.Open(t, 360, 640)
	for _, l := range locale.Languages() {
		kind := []mail.StopKind{"report_rejected", "comment_added", "digest"}[len(l)%2]
		var width, height float64
		err := chromedp.Run(tab, chromedp.Navigate(w.URL+"/unsubscribe/"+stopToken(w, mail.Stop{Kind: kind, ID: c.ID})+"?lang="+string(l)),
			chromedp.WaitVisible("button", chromedp.ByQuery), chromedp.Evaluate(`document.documentElement.scrollWidth`, &width),
			chromedp.Evaluate(`document.querySelector("button").getBoundingClientRect().height`, &height))
		if err != nil {
			t.Fatal(err)
		}
		browser.Screenshot(t, tab, "unsubscribe-"+string(l))
		if width > 360 || height < 44 {
			t.Errorf("%s: the page is %v px wide, the button %v px high", l, width, height)
		}
		if err := chromedp.Run(tab, chromedp.Click("button", chromedp.ByQuery), chromedp.WaitNotPresent("button", chromedp.ByQuery)); err != nil {
			t.Fatal(err)
		}
		browser.Screenshot(t, tab, fmt.Sprintf("unsubscribe-%s-done", l))
	}
	if got := prefsOf(w, c.ID); !strings.Contains(got, "report_rejected") || !strings.Contains(got, "comment_added") {
		t.Errorf("preferences %s", got)
	}
}
