package reports_test

import (
	"encoding/base64"
	"runtime"
	"testing"

	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/shared/config"
)

// A cold start waits for Open. What only the document needs is made for the document: texts of the catalogue, descriptions of answers.
func TestOpenDoesLittle(t *testing.T) {
	key := base64.StdEncoding.EncodeToString(make([]byte, 32))
	env := config.Env{"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "MEDIA_BUCKET": "none", "AWS_REGION": "us-east-1",
		"LOG_ORIGIN": "none/log", "RECEIPTS_KEY": key, "SEAL_KEYS": key, "WEB_BASE_URL": "https://example.org",
		"TOKEN_PUBLIC_KEYS": `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := reports.Open(t.Context(), env)
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 250_000 {
		t.Errorf("%d bytes are allocated, at most 250000", allocated)
	}
}
