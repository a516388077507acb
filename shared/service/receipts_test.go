package service_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

func seed(b byte) string { return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32)) }

// After the key changed, a running function reads the secret again. Receipts that it cannot sign until then are counted.
func TestAFunctionFollowsTheReceiptsKey(t *testing.T) {
	t.Parallel()
	kept := seed(1)
	secrets := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ SecretId string }
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || asked.SecretId != "arn:receipts" {
			t.Errorf("asked for %+v, %v", asked, err)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_ = json.NewEncoder(w).Encode(map[string]string{"SecretString": kept})
	}))
	t.Cleanup(secrets.Close)
	var out bytes.Buffer
	clock := timestamp.NewManual(time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC))
	env := config.Env{"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "RECEIPTS_KEY_SECRET_ARN": "arn:receipts", "RECEIPTS_KEY": seed(1),
		"AWS_REGION": "ap-southeast-2", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_ENDPOINT_URL_SECRETS_MANAGER": secrets.URL}
	kit, err := service.Open(t.Context(), "reports", env, service.WithOutput(&out), service.WithClock(clock))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kit.Close)
	receipts, err := service.OpenReceipts(kit, ledger.ReceiptsConfig{Origin: "example.tl/log", Key: seed(1)})
	if err != nil {
		t.Fatal(err)
	}
	next, err := ledger.NewReceipts(ledger.ReceiptsConfig{Origin: "example.tl/log", Key: seed(2)})
	if err != nil {
		t.Fatal(err)
	}
	vkey := next.VKey()
	entry := ledger.Logged{Payload: []byte(`{}`), Key: &vkey}
	if r := receipts.For(t.Context(), entry); r != nil {
		t.Errorf("signed with a key that is not in force: %+v", r)
	}
	if !strings.Contains(out.String(), `"receipts_missing":1`) {
		t.Errorf("the missing receipt is not counted: %s", out.String())
	}
	kept = seed(2)
	clock.Advance(time.Minute)
	if r := receipts.For(t.Context(), entry); r == nil || receipts.VKey() != vkey {
		t.Errorf("the new key was not read: %s", out.String())
	}
	if strings.Contains(out.String(), seed(1)) || strings.Contains(out.String(), seed(2)) {
		t.Error("the log has the key")
	}
}
