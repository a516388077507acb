package web_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/admin"
	"github.com/lafaekstreet/backend/functions/auth"
	"github.com/lafaekstreet/backend/functions/community"
	"github.com/lafaekstreet/backend/functions/locations"
	"github.com/lafaekstreet/backend/functions/meta"
	"github.com/lafaekstreet/backend/functions/monitoring"
	"github.com/lafaekstreet/backend/functions/notifications"
	"github.com/lafaekstreet/backend/functions/public"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/functions/staff"
	"github.com/lafaekstreet/backend/functions/users"
	"github.com/lafaekstreet/backend/functions/web"
	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/seal"
)

type object = map[string]any

// setup starts a system with the pages and the groups that are needed most.
func setup(t *testing.T) *testenv.System {
	t.Helper()
	return testenv.New(t, reports.Open, public.Open, web.Open)
}

// setupAll starts a system with the pages and every group that they call. Sign-in works; mails stay in the outbox. No worker
// runs: see ProcessUpload, Verify and PublishLog of testenv for what they would do.
func setupAll(t *testing.T) *testenv.System {
	t.Helper()
	w := testenv.New(t)
	w.Env["TOKEN_SIGNING_KEY"], w.Env["ADMIN_SETUP_TOKEN"], w.Env["PUBLIC_BASE_URL"] = w.Signer.SigningKey(), "local-admin-setup", w.URL
	w.Serve(auth.Open, users.Open, admin.Open, staff.Open, reports.Open, community.Open, monitoring.Open, locations.Open, notifications.Open, public.Open, meta.Open, web.Open)
	return w
}

// file makes a report and returns its id and number.
func file(w *testenv.System, c *testenv.Client, changes object) (string, string) {
	body := object{"client_id": uuid.NewString(), "issue_type": "pothole", "title": "Hole", "latitude": -8.5569, "longitude": 125.5603}
	maps.Copy(body, changes)
	r := c.Post("/reports", body).Want(http.StatusCreated).Object()
	return r.Text("id"), r.Text("report_number")
}

// tabOf opens a page of w in a tab where c is signed in; nobody is for a nil c.
func tabOf(t *testing.T, w *testenv.System, c *testenv.Client, path string, width, height int) context.Context {
	t.Helper()
	tab := browser.Open(t, width, height)
	if c != nil {
		signIn(t, w, tab, c)
	}
	if err := chromedp.Run(tab, chromedp.Navigate(w.URL+path)); err != nil {
		t.Fatal(err)
	}
	return tab
}

// signIn signs a person in, in a tab: its pages get a session as after a sign-in on a page.
func signIn(t *testing.T, w *testenv.System, tab context.Context, c *testenv.Client) {
	t.Helper()
	token := rand.Text()
	hash := sha256.Sum256([]byte(token))
	w.Exec(`INSERT INTO refresh_tokens (token_hash, session_id, created_at, expires_at) VALUES ($1, $2, now(), now() + interval '60 days')`, hash[:], c.SessionID)
	var status int
	err := chromedp.Run(tab, chromedp.Navigate(w.URL+"/welcome"), chromedp.Evaluate(`fetch("/api/v1/auth/web-session", {method: "POST",
		headers: {"Content-Type": "application/json", "X-LafaekStreet": "1"}, body: JSON.stringify({refresh_token: "`+token+`"})})
		.then((r) => { localStorage.setItem("signed_in", "1"); return r.status; })`, &status, awaited))
	if err != nil || status != http.StatusOK {
		t.Fatalf("sign in: status %d, %v", status, err)
	}
}

// atStart runs a script at the start of each page that the tab opens from now on.
func atStart(script string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := page.AddScriptToEvaluateOnNewDocument(script).Do(ctx)
		return err
	})
}

// awaited makes Evaluate wait for a promise.
func awaited(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }

// mailedCode waits for the newest mail with a code to an address and returns the code.
func mailedCode(t *testing.T, w *testenv.System, address string) string {
	t.Helper()
	return mailed(t, w, address, "code")
}

// mailed waits for the newest mail to an address that has a parameter and returns its value.
func mailed(t *testing.T, w *testenv.System, address, param string) string {
	t.Helper()
	sealer, err := seal.New(seal.Config{Keys: []string{w.Env["SEAL_KEYS"]}})
	if err != nil {
		t.Fatal(err)
	}
	for range 200 {
		rows, err := w.DB.Query(t.Context(), `SELECT body FROM outbox WHERE queue = 'notify' ORDER BY created_at DESC, id DESC`)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var raw []byte
			var m queue.NotifyMessage
			if err := rows.Scan(&raw); err != nil {
				t.Fatal(err)
			}
			if json.Unmarshal(raw, &m) != nil || m.Mail == nil {
				continue
			}
			if opened, err := mail.Open(sealer, m.Mail); err == nil && opened.To == address && opened.Params[param] != "" {
				rows.Close()
				return opened.Params[param]
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("no %s was mailed to %s", param, address)
	return ""
}
