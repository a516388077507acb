package apikey_test

import (
	"testing"
	"time"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/apikey"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// A key is found by its secret and by nothing else. One that is revoked works for 30 s more at the most.
func TestAKeyIsFoundByItsSecretUntilItIsRevoked(t *testing.T) {
	t.Parallel()
	db, clock := testdb.Pool(t), timestamp.NewManual(time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC))
	keys, secret, id := apikey.NewKeys(db, clock), apikey.NewSecret(), database.NewID()
	const insert = `INSERT INTO api_keys (id, name, contact_email, per_minute, secret_hash) VALUES ($1, 'FixMyStreet', 'ops@example.tl', 30, $2)`
	if _, err := db.Exec(t.Context(), insert, id, apikey.Hash(secret)); err != nil {
		t.Fatal(err)
	}
	found := func(secret string) bool {
		t.Helper()
		key, ok, err := keys.Find(t.Context(), secret)
		if err != nil {
			t.Fatal(err)
		}
		if want := (apikey.Key{ID: id, Name: "FixMyStreet", PerMinute: 30}); ok && key != want {
			t.Errorf("found %+v, want %+v", key, want)
		}
		return ok
	}
	for range 2 { // read, then kept
		if !found(secret) {
			t.Error("the secret finds no key")
		}
	}
	for _, other := range []string{"", "lsk_", secret + "x", secret[:len(secret)-1], apikey.NewSecret(), string(apikey.Hash(secret))} {
		if found(other) {
			t.Errorf("%q finds the key", other)
		}
	}
	var used bool
	if err := db.QueryRow(t.Context(), `SELECT last_used_at IS NOT NULL FROM api_keys`).Scan(&used); err != nil || !used {
		t.Errorf("the use is not noted (%v)", err)
	}
	if _, err := db.Exec(t.Context(), `UPDATE api_keys SET revoked_at = now()`); err != nil {
		t.Fatal(err)
	}
	clock.Advance(30 * time.Second)
	for range 2 {
		if found(secret) {
			t.Error("a revoked key is found")
		}
	}
}
