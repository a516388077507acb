package httpapi

import (
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// requestsBefore are requests with the request_hash that commit f663cb9, the version before December 2026, stored for them.
var requestsBefore = []struct{ media, address, body, hash string }{
	{"application/json", "/mirror", `{ "name": "Ana" }`, "ae10d3b78ed522e256ad0a287f23d1604f1b5b4b07c85002013f893b692b74ab"},
	{"application/json", "/mirror", `{"name":"a\u0000b"}`, "f9edcaf99ee8a0f2659fb26d155a7d001a9b02a2fc0a3b6ed5cf0ab34b08b42c"},
	{"application/json", "/mirror", `{"z":{"b": 1.50,"a":"\u00e9"},"full_name":"Ana <3"}`, "db61823022b966f683af74905f8dbf5c582f45457e638c6ad30de2b5c22a37ea"},
	{"application/json", "/mirror", `{"list":[{"years":"3","b":1}],"full_name":"Ana"}`, "2a0cdd662c554894c5ed8b39b57815e45dff77b76a90f88280e56fa79c30db88"},
	{"application/json", "/mirror?full_name=x&b=2&a=1", `{"name":"Ana"}`, "9d6529d414fdeb859619efc99431b7cf6c6ed77a0abbe90b287b1812676886c3"},
	{"application/x-www-form-urlencoded", "/mirror", "full_name=Ana&age=3", "ea51ff093d37a25f562d0f8fad872e8baa91dbc8fbfdfe8c5e89e86117b0628b"},
	{"multipart/form-data; boundary=XX", "/mirror", "--XX\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nAna\r\n--XX--\r\n", "3c1d610647b9f1d62a01c3e7913938276000f81920a7099afb54b255c9940722"},
	{"", "/mirror?name=Ana", "", "1a59678895d8b7ed2b82c42caee055b2b71ebf00fe4d1dac9a87c29e47f9aed6"},
}

func keyedService(t *testing.T) (*database.DB, *Service) {
	db, keys := openKeys(t)
	return db, New(Deps{Clock: timestamp.System{}, Log: slog.New(slog.DiscardHandler), Keys: keys}, mirror{})
}

func sendKeyed(service http.Handler, media, address, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, address, strings.NewReader(body))
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	r.Header.Set(idempotencyHeader, "key-1")
	w := httptest.NewRecorder()
	service.ServeHTTP(w, r)
	return w
}

// While both versions run, and after a rollback, a retry may come to the version before.
func TestTheVersionBeforeRecognisesARow(t *testing.T) {
	t.Parallel()
	for _, c := range requestsBefore {
		db, service := keyedService(t)
		if w := sendKeyed(service, c.media, c.address, c.body); w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", c.body, w.Code, w.Body)
		}
		var stored []byte
		if err := db.QueryRow(t.Context(), `SELECT request_hash FROM idempotency_keys`).Scan(&stored); err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(stored); got != c.hash {
			t.Errorf("%s: the version before would compare with %s, the row has %s", c.body, c.hash, got)
		}
	}
}

// insertBefore and takeOverBefore are the statements of the version before.
const (
	insertBefore = `INSERT INTO idempotency_keys (owner, key, request_hash, locked_until, status, response, content_type)
		VALUES ('anonymous', 'key-1', decode($1, 'hex'), now(), 200, 'before', 'application/json')`
	takeOverBefore = `UPDATE idempotency_keys SET locked_until = now(), request_hash = decode($1, 'hex'), status = 200, response = 'before', created_at = now()`
)

func TestARowOfTheVersionBeforeIsRecognised(t *testing.T) {
	t.Parallel()
	for _, c := range requestsBefore {
		db, service := keyedService(t)
		if _, err := db.Exec(t.Context(), insertBefore, c.hash); err != nil {
			t.Fatal(err)
		}
		if w := sendKeyed(service, c.media, c.address, c.body); w.Code != http.StatusOK || w.Body.String() != "before" {
			t.Errorf("%s: %d %s", c.body, w.Code, w.Body)
		}
		if w := repeat(service, `{"name":"other"}`); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("another request under the key: %d %s", w.Code, w.Body)
		}
	}
}

// The version before does not know value_hash. A key that it took over must not answer the request that had the key first.
func TestAKeyThatTheVersionBeforeTookOver(t *testing.T) {
	t.Parallel()
	db, service := keyedService(t)
	const first, second = `{"name":"Rui"}`, 0
	if w := repeat(service, first); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if _, err := db.Exec(t.Context(), takeOverBefore, requestsBefore[second].hash); err != nil {
		t.Fatal(err)
	}
	if w := repeat(service, first); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("the request that had the key first: %d %s", w.Code, w.Body)
	}
	if w := repeat(service, requestsBefore[second].body); w.Code != http.StatusOK || w.Body.String() != "before" {
		t.Errorf("the request that has the key now: %d %s", w.Code, w.Body)
	}
}
