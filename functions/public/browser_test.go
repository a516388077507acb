package public_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/functions/public"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/infra/local/world"
)

// mirrored is a world whose mirror node knows one message, the fifth of topic
// 0.0.7: what held points to, or nothing while that is nil.
func mirrored(t *testing.T, held *atomic.Pointer[[]byte]) *world.World {
	t.Helper()
	mirror := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		message := held.Load()
		if message == nil || r.URL.Path != "/api/v1/topics/0.0.7/messages/5" {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string][]byte{"message": *message}) // the page may be gone
	}))
	t.Cleanup(mirror.Close)
	w := world.New(t)
	w.Env["HEDERA_MIRROR_URL"] = mirror.URL
	w.Serve(reports.Open, public.Open)
	return w
}

// TestReportPageChecksTheProofInTheBrowser presses the button on a report at every
// stage of its way to the ledger, then with the report, the ledger or its history
// tampered with behind the system's back.
func TestReportPageChecksTheProofInTheBrowser(t *testing.T) {
	t.Parallel()
	var held atomic.Pointer[[]byte]
	w := mirrored(t, &held)
	id, number := file(w, w.Citizen(), object{"title": "Hole in front of the school"})
	tab := browser.Open(t, 412, 900)
	var heading, verdict string
	var checks []string
	press := chromedp.Tasks{
		chromedp.Navigate(w.URL + "/r/" + number + "?lang=en"),
		chromedp.Text("h1", &heading),
		chromedp.Click("#verify"),
		chromedp.WaitVisible("#verdict.good, #verdict.bad, #verdict.open"),
		chromedp.Text("#verdict", &verdict),
		chromedp.Evaluate(`[...document.querySelectorAll("#checks li")].map(li => li.className + li.textContent)`, &checks),
	}
	payload := []byte(w.Text(`SELECT convert_from(payload, 'UTF8') FROM ledger_events WHERE report_id = $1`, id))
	other := []byte("another message")
	const submission = "018f0000-0000-7000-8000-000000000001"
	for _, stage := range []struct {
		name   string
		happen func()
		want   string
	}{
		{"queued", func() {}, "Nothing was changed so far, but not all of it is on the public ledger yet."},
		{"unreachable", func() {
			w.Exec(`INSERT INTO ledger_submissions (id, topic, topic_id, batch_size, message, state, transaction_id, sequence_number, next_attempt_at, created_at, updated_at)
				VALUES ($1, 'reports', '0.0.7', 0, $2, 'confirmed', '0.0.2@1.1', 5, now(), now(), now())`, submission, payload)
			w.Exec(`UPDATE ledger_anchors SET submission_id = $2 WHERE report_id = $1`, id, submission)
		}, "Our record agrees with itself, but the public ledger could not be reached. Try again."},
		{"good", func() { held.Store(&payload) }, "The proof holds. Nothing was changed."},
		{"forged-ledger", func() { held.Store(&other) }, "The proof does not hold."},
		{"forged-report", func() {
			held.Store(&payload)
			w.Exec(`UPDATE reports SET status = 'fixed' WHERE id = $1`, id)
		}, "The proof does not hold."},
		{"restored", func() { w.Exec(`UPDATE reports SET status = 'pending' WHERE id = $1`, id) }, "The proof holds. Nothing was changed."},
	} {
		stage.happen()
		if err := chromedp.Run(tab, press); err != nil {
			t.Fatalf("%s: %v", stage.name, err)
		}
		browser.Screenshot(t, tab, "report-"+stage.name)
		if heading != "Hole in front of the school" || verdict != stage.want || len(checks) < 3 {
			t.Errorf("%s: got %q, %q, %q", stage.name, heading, verdict, checks)
		}
	}

	// Somebody with every right on the database rewrites the past.
	w.Exec(`SET ROLE none;
		ALTER TABLE ledger_events DISABLE TRIGGER ALL;
		ALTER TABLE ledger_events DROP CONSTRAINT ledger_events_hash_of_payload;
		UPDATE ledger_events SET payload = convert_to(replace(convert_from(payload, 'UTF8'), '"pothole"', '"bridge"'), 'UTF8');
		ALTER TABLE ledger_events ENABLE TRIGGER ALL;
		RESET ROLE`, pgx.QueryExecModeSimpleProtocol)
	if err := chromedp.Run(tab, press); err != nil {
		t.Fatal(err)
	}
	browser.Screenshot(t, tab, "report-tampered")
	if verdict != "The proof does not hold." || !strings.HasPrefix(strings.Join(checks, ""), "bad") {
		t.Errorf("report %s was tampered with, and the page says %q, %q", id, verdict, checks)
	}
}

func TestMapPageShowsReportsAndOpensOne(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	for range 3 {
		file(w, c, nil)
	}
	_, bridge := file(w, c, object{"issue_type": "bridge", "latitude": -8.5, "longitude": 125.6})
	tab := browser.Open(t, 900, 640)
	ready := chromedp.WaitReady(`body[data-ready="true"]`)
	if err := chromedp.Run(tab, chromedp.Navigate(w.URL+"/map?lang=pt#11/-8.53/125.58"), ready); err != nil {
		t.Fatal(err)
	}
	browser.Screenshot(t, tab, "map")

	if err := chromedp.Run(tab, chromedp.Navigate(w.URL+"/map?lang=pt&issue_type=bridge#15/-8.5/125.6"), ready); err != nil {
		t.Fatal(err)
	}
	browser.Screenshot(t, tab, "map-bridge")
	var label, link string
	err := chromedp.Run(tab,
		chromedp.MouseClickXY(450, 58+(640-58)/2), // the middle of the map, where the bridge is
		chromedp.WaitVisible("#card a"),
		chromedp.Text("#card h2", &label), chromedp.AttributeValue("#card a", "href", &link, nil),
	)
	if err != nil {
		t.Fatal(err)
	}
	browser.Screenshot(t, tab, "map-card")
	if label != "Ponte" || !strings.HasPrefix(link, "/r/"+bridge) {
		t.Errorf("the card says %q and leads to %q", label, link)
	}
	var there string
	err = chromedp.Run(tab, chromedp.Click(`.languages a[lang="tet"]`), chromedp.WaitReady(`html[lang="tet"]`), chromedp.Location(&there))
	if err != nil {
		t.Fatal(err)
	}
	if there != w.URL+"/map?lang=tet&issue_type=bridge#15/-8.5/125.6" {
		t.Errorf("in another language the map is at %s", there)
	}
}
