package admin_test

import (
	"bytes"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

var hook = fields{"url": "https://8.8.8.8/hook?key=own", "events": []string{"Report.Verified", "comment-added", "report.verified"}}

func (b *bundle) hookField(t *testing.T, q string, args ...any) string {
	t.Helper()
	var s string
	if err := b.db.QueryRow(t.Context(), q, args...).Scan(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

// A secret is shown when it is made, and stored sealed. Neither the stored answer of the request nor the audit log has it, nor the URL.
func TestTheSecretOfAWebhookIsShownOnce(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	boss := b.WithToken(b.admin.Token)
	made := boss.With("Idempotency-Key", "hook-1").Do(http.MethodPost, "/admin/webhooks", hook).Want(201)
	id, secret := made.Object().Text("id"), made.Object().Text("secret")
	if !strings.HasPrefix(secret, "whsec_") || len(secret) != 6+44 || fmt.Sprint(made.Object().Values["events"]) != "[report.verified comment.added]" {
		t.Errorf("made: %s", made.Body)
	}
	again := boss.With("Idempotency-Key", "hook-1").Do(http.MethodPost, "/admin/webhooks", hook).Want(201)
	if again.Object().Text("id") != id || again.Object().Values["secret"] != nil {
		t.Errorf("repeated: %s", again.Body)
	}
	path := "/admin/webhooks/" + id
	turned := boss.With("Idempotency-Key", "turn-1").Do(http.MethodPost, path+"/rotate", nil).Want(200)
	second := turned.Object().Text("secret")
	if repeat := boss.With("Idempotency-Key", "turn-1").Do(http.MethodPost, path+"/rotate", nil).Want(200); repeat.Object().Values["secret"] != nil || second == secret || turned.Object().Text("previous_secret_until") == "" {
		t.Errorf("rotated: %s, again: %s", turned.Body, repeat.Body)
	}
	if got := b.hookField(t, `SELECT concat(previous_until > now() + interval '23 hours', previous_until < now() + interval '25 hours', previous_secret IS NOT NULL) FROM webhooks`); got != "ttt" {
		t.Errorf("the former secret: %s", got)
	}
	list := boss.Do(http.MethodGet, "/admin/webhooks", nil).Want(200)
	if len(list.Object().Items("items")) != 1 || bytes.Contains(list.Body, []byte("secret\"")) {
		t.Errorf("list: %s", list.Body)
	}
	const inClear = `SELECT count(*)::text FROM (SELECT convert_from(response, 'UTF8') AS text FROM idempotency_keys UNION ALL SELECT concat(before, after) FROM audit_log UNION ALL SELECT w::text FROM webhooks w) t
		WHERE strpos(text, $1) > 0 OR strpos(text, $2) > 0`
	if n := b.hookField(t, inClear, secret, second); n != "0" {
		t.Errorf("%s rows have a secret", n)
	}
	if n := b.hookField(t, `SELECT concat(count(*), ' ', count(*) FILTER (WHERE concat(before, after) LIKE '%key=own%')) FROM audit_log WHERE entity = 'webhook'`); n != "2 0" {
		t.Errorf("entries, and those with the URL: %s", n)
	}
}

func TestURLsAndEventsOfWebhooksAreChecked(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	boss := b.WithToken(b.admin.Token)
	for _, url := range []string{"http://8.8.8.8/", "https://127.0.0.1/", "https://localhost/", "https://169.254.169.254/latest", "https://[::ffff:10.0.0.1]/", "https://a:b@8.8.8.8/", "https://8.8.8.8/#x", "x", "", "https://8.8.8.8/" + strings.Repeat("a", 2048)} {
		boss.Do(http.MethodPost, "/admin/webhooks", fields{"url": url, "events": []string{"report.created"}}).WantProblem(422, "invalid_input")
	}
	for _, events := range []any{[]string{}, []string{"report.exploded"}, nil, "report.created"} {
		boss.Do(http.MethodPost, "/admin/webhooks", fields{"url": "https://8.8.8.8/", "events": events}).WantProblem(422, "invalid_input")
	}
	for range 20 {
		boss.Do(http.MethodPost, "/admin/webhooks", hook).Want(201)
	}
	boss.Do(http.MethodPost, "/admin/webhooks", hook).WantProblem(409, "webhook_limit")
	boss.Do(http.MethodGet, "/admin/webhooks?page=1", nil).WantProblem(422, "unknown_parameter")
	nobody := "/admin/webhooks/" + uuid.NewString()
	boss.Do(http.MethodPatch, nobody, fields{"enabled": false}).WantProblem(404, "webhook_not_found")
	boss.Do(http.MethodDelete, nobody, nil).WantProblem(404, "webhook_not_found")
	boss.Do(http.MethodPost, nobody+"/rotate", nil).WantProblem(404, "webhook_not_found")
	boss.Do(http.MethodGet, nobody+"/deliveries", nil).WantProblem(404, "webhook_not_found")
}

// Deliveries are listed and made again. To switch a webhook off parks what waits; nothing is sent to one that is off.
func TestDeliveriesOfAWebhook(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	boss := b.WithToken(b.admin.Token)
	path := "/admin/webhooks/" + boss.Do(http.MethodPost, "/admin/webhooks", hook).Want(201).Object().Text("id")
	for _, statement := range []string{
		`INSERT INTO reports (id, report_number, content_hash, issue_type, latitude, longitude) VALUES (gen_random_uuid(), 'LS-2026-000001', '', 'pothole', -8.5, 125.5)`,
		`INSERT INTO webhook_deliveries (id, webhook_id, report_id, event_type, occurred_at, state, settled_at, last_status, failure_reason, attempts)
			SELECT gen_random_uuid(), w.id, r.id, 'report.verified', now(), s.state, CASE WHEN s.state <> 'waiting' THEN now() END, s.status, s.reason, 28
			FROM webhooks w, reports r, (VALUES (1, 'parked', 500, 'status'), (2, 'delivered', 200, NULL), (3, 'waiting', NULL, 'timeout')) s (n, state, status, reason) ORDER BY s.n`,
	} {
		if _, err := b.db.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	items := boss.Do(http.MethodGet, path+"/deliveries", nil).Want(200).Object().Items("items")
	if len(items) != 3 || items[0].Text("state") != "waiting" || items[0].Text("failure_reason") != "timeout" || items[0].Text("next_at") == "" || items[2].Number("last_status") != 500 || items[2].Text("report_number") != "LS-2026-000001" {
		t.Fatalf("deliveries: %v", items)
	}
	parked := boss.Do(http.MethodGet, path+"/deliveries?state=PARKED&page_size=1", nil).Want(200).Object()
	if parked.Number("total") != 1 || parked.Items("items")[0].Text("id") != items[2].Text("id") {
		t.Errorf("parked: %v", parked.Values)
	}
	boss.Do(http.MethodGet, path+"/deliveries?state=lost", nil).WantProblem(422, "invalid_input")
	redrive := func(d string) string { return path + "/deliveries/" + d + "/redrive" }
	boss.Do(http.MethodPost, redrive(items[1].Text("id")), nil).WantProblem(409, "delivery_not_parked")
	boss.Do(http.MethodPost, redrive(uuid.NewString()), nil).WantProblem(404, "delivery_not_found")
	boss.Do(http.MethodPatch, path, fields{"enabled": false}).Want(200)
	boss.Do(http.MethodPost, redrive(items[2].Text("id")), nil).WantProblem(409, "webhook_off")
	if got := b.hookField(t, `SELECT string_agg(state || ' ' || coalesce(failure_reason, ''), ', ' ORDER BY seq) FROM webhook_deliveries`); got != "parked status, delivered , parked switched_off" {
		t.Errorf("after switching off: %s", got)
	}
	on := boss.Do(http.MethodPatch, path, fields{"enabled": true, "events": []string{"comment.added"}}).Want(200).Object()
	if on.Values["off_reason"] != nil || fmt.Sprint(on.Values["events"]) != "[comment.added]" || on.Number("parked") != 2 {
		t.Errorf("switched on: %v", on.Values)
	}
	boss.Do(http.MethodPost, redrive(items[2].Text("id")), nil).Want(202)
	if got := b.hookField(t, `SELECT concat(state, ' ', attempts, ' ', next_at <= now(), ' ', give_up_at > now() + interval '23 hours', ' ', (SELECT count(*) FROM outbox WHERE queue = 'webhooks')) FROM webhook_deliveries WHERE id = $1`, items[2].Text("id")); got != "waiting 0 t t 1" {
		t.Errorf("made again: %s", got)
	}
	if _, err := b.db.Exec(t.Context(), `UPDATE webhooks SET failures = 9, paused_until = now() + interval '1 hour'`); err != nil {
		t.Fatal(err)
	}
	if same := boss.Do(http.MethodPatch, path, fields{"url": hook["url"], "events": []string{"report.created"}}).Want(200).Object(); same.Number("failures") != 9 || same.Text("paused_until") == "" {
		t.Errorf("the same address: %v", same.Values)
	}
	moved := boss.Do(http.MethodPatch, path, fields{"url": "https://8.8.4.4/hook"}).Want(200).Object()
	if got := b.hookField(t, `SELECT concat(failures, paused_until) FROM webhooks`); got != "0" || moved.Number("failures") != 0 || moved.Values["paused_until"] != nil {
		t.Errorf("another address: %s, %v", got, moved.Values)
	}
	boss.Do(http.MethodDelete, path, nil).Want(200)
	if got := b.hookField(t, `SELECT count(*)::text FROM webhook_deliveries`); got != "0" {
		t.Errorf("%s deliveries are left", got)
	}
	if got := b.hookField(t, `SELECT string_agg(action, ' ' ORDER BY at) FROM audit_log WHERE entity = 'webhook'`); got != "webhook.create webhook.change webhook.change webhook.redrive webhook.change webhook.change webhook.delete" {
		t.Errorf("audit: %s", got)
	}
}

// While an administrator works on a webhook, reports and their changes store deliveries for it all the same. What the administrator does
// may take seconds: the name of a new URL is looked up.
func TestWorkOnAWebhookHoldsNoReport(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	boss := b.WithToken(b.admin.Token)
	path := "/admin/webhooks/" + boss.Do(http.MethodPost, "/admin/webhooks", hook).Want(201).Object().Text("id")
	exec := func(q string) {
		t.Helper()
		if _, err := b.db.Exec(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	exec(`INSERT INTO reports (id, report_number, content_hash, issue_type, latitude, longitude) VALUES (gen_random_uuid(), 'LS-2026-000001', '', 'pothole', -8.5, 125.5)`)
	const deliver = `INSERT INTO webhook_deliveries (id, webhook_id, report_id, event_type, occurred_at, state) SELECT gen_random_uuid(), w.id, r.id, 'report.verified', now(), 'parked' FROM webhooks w, reports r`
	exec(deliver)
	redrive := path + "/deliveries/" + b.hookField(t, `SELECT id::text FROM webhook_deliveries`) + "/redrive"
	for name, work := range map[string]func() apiclient.TestResponse{
		"change": func() apiclient.TestResponse {
			return boss.Do(http.MethodPatch, path, fields{"url": "https://8.8.4.4/"})
		},
		"rotate":  func() apiclient.TestResponse { return boss.Do(http.MethodPost, path+"/rotate", nil) },
		"redrive": func() apiclient.TestResponse { return boss.Do(http.MethodPost, redrive, nil) },
	} {
		tx, err := b.db.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), `LOCK TABLE audit_log IN SHARE MODE`); err != nil { // the work stops before its end
			t.Fatal(err)
		}
		done := make(chan apiclient.TestResponse, 1)
		go func() { done <- work() }()
		for b.hookField(t, `SELECT count(*)::text FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.datname = current_database()`) == "0" {
			runtime.Gosched()
		}
		if _, err := b.db.Exec(t.Context(), `WITH bounded AS (SELECT set_config('lock_timeout', '5s', true)) `+deliver+`, bounded`); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
		(<-done).Want(map[string]int{"change": 200, "rotate": 200, "redrive": 202}[name])
	}
}
