package admin_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/apikey"
)

// A key is shown once. Nothing in the database has it: neither the key's row, nor the stored answer of its request, nor the audit log.
func TestAnAPIKeyIsShownOnce(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	boss := b.WithToken(b.admin.Token)
	body := fields{"name": "  FixMyStreet \n Dili ", "contact_email": "Keys@example.tl"}
	made := boss.With("Idempotency-Key", "api-key-1").Do(http.MethodPost, "/admin/api-keys", body).Want(201)
	key, id := made.Object().Text("key"), made.Object().Text("id")
	if !strings.HasPrefix(key, "lsk_") || made.Object().Text("name") != "FixMyStreet Dili" || made.Object().Text("contact_email") != "keys@example.tl" || made.Object().Values["per_minute"] != 60.0 {
		t.Errorf("made: %s", made.Body)
	}
	again := boss.With("Idempotency-Key", "api-key-1").Do(http.MethodPost, "/admin/api-keys", body).Want(201)
	if again.Object().Text("id") != id || again.Header.Get("Idempotent-Replay") != "true" || again.Object().Values["key"] != nil {
		t.Errorf("repeated: %s", again.Body)
	}
	var hash []byte
	var rows int
	if err := b.db.QueryRow(t.Context(), `SELECT secret_hash, (SELECT count(*) FROM api_keys) FROM api_keys WHERE id = $1`, id).Scan(&hash, &rows); err != nil || rows != 1 || !bytes.Equal(hash, apikey.Hash(key)) {
		t.Errorf("%d keys, hash %x, %v", rows, hash, err)
	}
	const inClear = `SELECT count(*) FROM (SELECT response::text AS text FROM idempotency_keys UNION ALL SELECT convert_from(response, 'UTF8') FROM idempotency_keys
		UNION ALL SELECT concat(l.before, l.after) FROM audit_log l UNION ALL SELECT k::text FROM api_keys k) t WHERE strpos(text, $1) > 0`
	if err := b.db.QueryRow(t.Context(), inClear, key).Scan(&rows); err != nil || rows != 0 {
		t.Errorf("%d rows have the key (%v)", rows, err)
	}
	if _, err := b.db.Exec(t.Context(), `INSERT INTO reports (id, report_number, api_key_id, content_hash, issue_type, latitude, longitude)
		SELECT gen_random_uuid(), 'LS-2026-00000' || n, CASE WHEN n < 3 THEN $1::uuid END, 'x', 'pothole', -8.5, 125.5 FROM generate_series(1, 3) n`, id); err != nil {
		t.Fatal(err)
	}
	list := boss.Do(http.MethodGet, "/admin/api-keys", nil).Want(200)
	if items := list.Object().Items("items"); len(items) != 1 || items[0].Text("id") != id || items[0].Values["revoked_at"] != nil || items[0].Values["last_used_at"] != nil || items[0].Values["reports_count"] != 2.0 || bytes.Contains(list.Body, []byte(`"key"`)) {
		t.Errorf("list: %s", list.Body)
	}
}

// To revoke is final, and can be repeated. The audit log has it once.
func TestAnAPIKeyIsRevokedOnce(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	boss := b.WithToken(b.admin.Token)
	path := "/admin/api-keys/" + boss.Do(http.MethodPost, "/admin/api-keys", fields{"name": "Dili", "contact_email": "a@example.tl", "per_minute": 6000}).Want(201).Object().Text("id")
	boss.Do(http.MethodDelete, path, nil).Want(200)
	revoked := boss.Do(http.MethodGet, "/admin/api-keys", nil).Want(200).Object().Items("items")[0].Text("revoked_at")
	boss.Do(http.MethodDelete, path, nil).Want(200)
	if now := boss.Do(http.MethodGet, "/admin/api-keys", nil).Want(200).Object().Items("items")[0].Text("revoked_at"); now != revoked || now == "" {
		t.Errorf("revoked at %q, after a repeat at %q", revoked, now)
	}
	boss.Do(http.MethodDelete, "/admin/api-keys/"+uuid.NewString(), nil).WantProblem(404, "api_key_not_found")
	var actions string
	if err := b.db.QueryRow(t.Context(), `SELECT string_agg(action, ' ' ORDER BY at) FROM audit_log WHERE entity = 'api_key'`).Scan(&actions); err != nil || actions != "api_key.create api_key.revoke" {
		t.Errorf("the audit log has %q (%v)", actions, err)
	}
}

func TestAPIKeysAreChecked(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	boss := b.WithToken(b.admin.Token)
	for name, value := range (fields{"name": " ", "contact_email": "nobody", "per_minute": 0}) {
		body := fields{"name": "Dili", "contact_email": "a@example.tl"}
		body[name] = value
		boss.Do(http.MethodPost, "/admin/api-keys", body).WantProblem(422, "invalid_input")
	}
	for _, body := range []fields{{"name": "Dili"}, {"contact_email": "a@example.tl"}, {"name": strings.Repeat("a", 101), "contact_email": "a@example.tl"}, {"name": "Dili", "contact_email": "a@example.tl", "per_minute": 6001}} {
		boss.Do(http.MethodPost, "/admin/api-keys", body).WantProblem(422, "invalid_input")
	}
	for range 3 {
		boss.Do(http.MethodPost, "/admin/api-keys", fields{"name": "Dili", "contact_email": "a@example.tl"}).Want(201)
	}
	if page := boss.Do(http.MethodGet, "/admin/api-keys?page=2&page_size=2", nil).Want(200).Object(); len(page.Items("items")) != 1 || page.Values["total"] != 3.0 {
		t.Errorf("the second page: %v", page.Values)
	}
}
