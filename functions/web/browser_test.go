package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/chromedp/chromedp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/functions/public"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/functions/web"
	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/upload"
)

// mirrored is a world whose mirror node knows one message, the fifth of topic
// 0.0.7: what held points to, or nothing while that is nil.
func mirrored(t *testing.T, held *atomic.Pointer[[]byte]) *testenv.System {
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
	w := testenv.New(t)
	w.Env["HEDERA_MIRROR_URL"] = mirror.URL
	w.Serve(reports.Open, public.Open, web.Open)
	return w
}

// TestReportPageChecksTheProofInTheBrowser presses the button on a report at every
// stage of its way into the log and to the ledger, then with the report, its pictures, the log or the ledger
// tampered with behind the system's back. The page never says more than what it compared.
func TestReportPageChecksTheProofInTheBrowser(t *testing.T) {
	t.Parallel()
	var held atomic.Pointer[[]byte]
	w := mirrored(t, &held)
	c := w.Citizen()
	picture := c.Form("/reports/pre-upload-image", nil, "file", "a.jpg", w.JPEG(1)).Want(http.StatusCreated).Object().Text("upload_id")
	w.ProcessUpload(picture)
	store := storage.New(w.AWS.Config(), storage.Config{Bucket: testenv.Bucket, PathStyle: true})
	put := func(r upload.Rendition, shade uint8) {
		if err := store.Put(t.Context(), upload.RenditionKey(uuid.MustParse(picture), 0, r), "image/jpeg", w.JPEG(shade)); err != nil {
			t.Fatal(err)
		}
	}
	put(upload.Display, 1)
	put(upload.Thumbnail, 1)
	w.Exec(`UPDATE uploads SET display_sha256 = sha256($1), thumbnail_sha256 = sha256($1)`, w.JPEG(1))
	id, number := file(w, c, object{"title": "Hole in front of the school", "images": []object{{"upload_id": picture}}})
	w.Staff(identity.Moderator).Post("/reports/"+id+"/status", object{"status": "verified"}).Want(http.StatusOK)
	w.Exec(`UPDATE report_images SET verdict = 'relevant'`)
	tab := browser.Open(t, 412, 900)
	var heading, verdict string
	var checks, left []string
	press := chromedp.Tasks{
		chromedp.Navigate(w.URL + "/r/" + number + "?lang=en"),
		chromedp.Text("h1", &heading),
		chromedp.Click("#verify"),
		chromedp.WaitVisible("#verdict.good, #verdict.bad, #verdict.open"),
		chromedp.Text("#verdict", &verdict),
		chromedp.Evaluate(`[...document.querySelectorAll("#checks li")].map(li => li.className + li.textContent)`, &checks),
		chromedp.Evaluate(`[...document.querySelectorAll("#left li")].map(li => li.textContent)`, &left),
	}
	const (
		good        = "Everything that was compared agrees."
		waiting     = "What was compared agrees, but not every step could be compared yet."
		unreachable = "What was compared agrees, but the ledger could not be reached. Try again."
		bad         = "Something differs from the public log."
	)
	message := func(size int) *[]byte {
		m := fmt.Appendf(nil, `{"checkpoint":"%s\n%d\n","entries":[]}`, w.Env["LOG_ORIGIN"], size)
		return &m
	}
	history := func(status string) func() {
		return func() {
			w.Exec(`SET ROLE none; UPDATE report_status_history SET new_status = '`+status+`' WHERE old_status IS NOT NULL; RESET ROLE`, pgx.QueryExecModeSimpleProtocol)
		}
	}
	client := s3.NewFromConfig(w.AWS.Config(), func(o *s3.Options) { o.UsePathStyle = true })
	_, err := client.PutBucketCors(t.Context(), &s3.PutBucketCorsInput{Bucket: aws.String(testenv.Bucket), CORSConfiguration: &types.CORSConfiguration{
		CORSRules: []types.CORSRule{{AllowedMethods: []string{"GET"}, AllowedOrigins: []string{"*"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	thumbnail := func(shade uint8) func() { return func() { put(upload.Thumbnail, shade) } }
	const sent = "018f0000-0000-7000-8000-000000000001"
	for _, stage := range []struct {
		name   string
		happen func()
		want   string
	}{
		{"queued", func() {}, waiting},
		{"published", func() { w.PublishLog(2) }, good},
		{"unreachable", func() {
			w.Exec(`INSERT INTO log_messages (id, topic_id, size, first_index, message, state, transaction_id, signed, expires_at, sequence_number, shown, next_attempt_at, created_at, updated_at)
				VALUES ($1, '0.0.7', 2, 0, $2, 'confirmed', '0.0.2@1.1', 'x', now(), 5, 2, now(), now(), now())`, sent, *message(2))
		}, unreachable},
		{"good", func() { held.Store(message(2)) }, good},
		{"forged-ledger", func() { held.Store(message(1)) }, bad},
		{"forged-report", func() {
			held.Store(message(2))
			w.Exec(`UPDATE reports SET status = 'fixed' WHERE id = $1`, id)
		}, bad},
		{"restored", func() { w.Exec(`UPDATE reports SET status = 'verified' WHERE id = $1`, id) }, good},
		{"moved", func() { w.Exec(`UPDATE reports SET latitude = latitude + 0.001 WHERE id = $1`, id) }, bad},
		{"moved-back", func() { w.Exec(`UPDATE reports SET latitude = latitude - 0.001 WHERE id = $1`, id) }, good},
		{"forged-history", history("fixed"), bad},
		{"history-restored", history("verified"), good},
		{"forged-picture", thumbnail(2), bad},
		{"picture-restored", thumbnail(1), good},
	} {
		stage.happen()
		if err := chromedp.Run(tab, press); err != nil {
			t.Fatalf("%s: %v", stage.name, err)
		}
		browser.Screenshot(t, tab, "report-"+stage.name)
		if heading != "Hole in front of the school" || verdict != stage.want || len(checks) < 6 {
			t.Errorf("%s: got %q, %q, %q", stage.name, heading, verdict, checks)
		}
		if !slices.ContainsFunc(left, func(s string) bool { return strings.HasPrefix(s, "Words, notes, comments") }) ||
			!slices.ContainsFunc(left, func(s string) bool { return strings.HasPrefix(s, "The signatures of the log") }) {
			t.Errorf("%s: the page does not say what it did not compare: %q", stage.name, left)
		}
	}

	// Somebody with all rights on the database changes an old event.
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
	if verdict != bad || !strings.HasPrefix(strings.Join(checks, ""), "bad") {
		t.Errorf("report %s was tampered with, and the page says %q, %q", id, verdict, checks)
	}
}

// pressed opens a report's page and has it checked. It returns the verdict, what was compared and what was not.
func pressed(t *testing.T, address string) (string, []string, []string) {
	t.Helper()
	var verdict string
	var checks, left []string
	err := chromedp.Run(browser.Open(t, 412, 900), chromedp.Navigate(address), chromedp.Click("#verify"),
		chromedp.WaitVisible("#verdict.good, #verdict.bad, #verdict.open"), chromedp.Text("#verdict", &verdict),
		chromedp.Evaluate(`[...document.querySelectorAll("#checks li")].map(li => li.className + li.textContent)`, &checks),
		chromedp.Evaluate(`[...document.querySelectorAll("#left li")].map(li => li.textContent)`, &left))
	if err != nil {
		t.Fatal(err)
	}
	return verdict, checks, left
}

// Before a verdict the page compares the entries of the public log, and leaves out those
// from before it. An original that is not public is no difference. What was taken down has a page that does not deny it.
func TestReportPageSaysNothingUntrue(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	pending, pendingNumber := file(w, c, object{"severity": "high"})
	c.Patch("/reports/"+pending, object{"title": "A deep hole"}).Want(http.StatusOK)
	original, originalNumber := file(w, c, nil)
	duplicate, duplicateNumber := file(w, c, nil)
	moderator := w.Staff(identity.Moderator)
	moderator.Post("/reports/"+duplicate+"/status", object{"status": "duplicate", "duplicate_of": original}).Want(http.StatusOK)
	moderator.Post("/reports/"+original+"/status", object{"status": "rejected", "reason_code": "unsafe"}).Want(http.StatusOK)
	again, againNumber := file(w, c, nil) // its place was public to 4 decimals, and is shown with 3
	moderator.Post("/reports/"+again+"/status", object{"status": "duplicate", "duplicate_of": pending}).Want(http.StatusOK)
	moderator.Post("/reports/"+again+"/status", object{"status": "pending"}).Want(http.StatusOK)
	w.PublishLog(int64(w.Int(`SELECT next FROM log_counter`)))
	const good, waiting = "Everything that was compared agrees.", "What was compared agrees, but not every step could be compared yet."
	if verdict, checks, _ := pressed(t, w.URL+"/r/"+pendingNumber+"?lang=en"); verdict != good || len(checks) != 7 {
		t.Errorf("before a verdict: %q, %q", verdict, checks)
	}
	if verdict, checks, _ := pressed(t, w.URL+"/r/"+againNumber+"?lang=en"); verdict != good {
		t.Errorf("pending again: %q, %q", verdict, checks)
	}
	verdict, checks, left := pressed(t, w.URL+"/r/"+duplicateNumber+"?lang=en")
	if verdict != good || !slices.Contains(left, "The original that it repeats: it is not public.") {
		t.Errorf("a duplicate of a rejected report: %q, %q, left out %q", verdict, checks, left)
	}
	if verdict, checks, _ := pressed(t, w.URL+"/r/"+originalNumber+"?lang=en"); verdict != good || len(checks) != 7 {
		t.Errorf("a rejected report: %q, %q", verdict, checks)
	}
	w.Tamper(`ALTER TABLE ledger_events DISABLE TRIGGER USER; ALTER TABLE ledger_events DROP CONSTRAINT ledger_events_hash_of_payload;
		UPDATE ledger_events SET payload = convert_to(replace(convert_from(payload, 'UTF8'), '"v":2}', '"v":1}'), 'UTF8') WHERE seq = 1`)
	if verdict, checks, _ = pressed(t, w.URL+"/r/"+pendingNumber+"?lang=en"); verdict != waiting || len(checks) != 5 {
		t.Errorf("after an upgrade: %q, %q", verdict, checks)
	}
}
