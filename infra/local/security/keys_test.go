package security

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/openapi"
	"github.com/lafaekstreet/backend/shared/identity"
)

// Every operation that takes an Idempotency-Key checks it, tells a running request and another one with the same key from a repeat,
// and keeps an erased answer from whoever repeats. The requests have an empty body, so most of them do nothing themselves.
func TestEveryOperationWithAKeyChecksIt(t *testing.T) {
	t.Parallel()
	w := setup(t)
	// A key stays when its request fails, as while that request runs.
	w.Exec(`CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`)
	w.Exec(`CREATE TRIGGER keep BEFORE DELETE ON idempotency_keys FOR EACH ROW EXECUTE FUNCTION keep()`)
	boss := w.Staff(identity.Admin)
	operations := keyed(t)
	if len(operations) < 15 {
		t.Errorf("only %d operations take a key: %v", len(operations), operations)
	}
	for operation, hasBody := range operations {
		method, path, _ := strings.Cut(operation, " ")
		path = regexp.MustCompile(`\{[a-z_]+\}`).ReplaceAllString(strings.TrimPrefix(path, "/api/v1"), uuid.NewString())
		send := func(key string, body object) string {
			return boss.With("Idempotency-Key", key).Do(method, path, body).Object().Text("code")
		}
		key := uuid.NewString()
		set := func(status any) {
			w.Exec(`UPDATE idempotency_keys SET status = $2, locked_until = now() + '1 hour' WHERE key = $1`, key, status)
		}
		if got := send("not a key", object{}); got != "idempotency_key_invalid" {
			t.Errorf("%s: a key with spaces gets %q", operation, got)
		}
		boss.With("Idempotency-Key", key).Do(method, path, object{})
		set(nil)
		if got := send(key, object{}); got != "request_in_progress" {
			t.Errorf("%s: a repeat while the first request runs gets %q", operation, got)
		}
		if got := send(key, object{"other": true}); hasBody && got != "idempotency_key_reused" {
			t.Errorf("%s: another body gets %q", operation, got)
		}
		set(http.StatusGone)
		if got := send(key, object{}); got != "answer_erased" {
			t.Errorf("%s: a repeat of what was erased gets %q", operation, got)
		}
	}
}

// keyed are the operations of the document that take an Idempotency-Key, as "POST /path/{id}", and whether they read a body.
func keyed(t *testing.T) map[string]bool {
	t.Helper()
	raw, err := openapi.Whole()
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Paths map[string]map[string]struct {
			Codes map[string][]string `json:"x-problem-codes"`
			Body  any                 `json:"requestBody"`
		}
	}
	if err := json.Unmarshal(raw, &document); err != nil {
		t.Fatal(err)
	}
	out := make(map[string]bool)
	for path, methods := range document.Paths {
		for method, op := range methods {
			if slices.Contains(op.Codes["422"], "idempotency_key_invalid") {
				out[strings.ToUpper(method)+" "+path] = op.Body != nil
			}
		}
	}
	return out
}
