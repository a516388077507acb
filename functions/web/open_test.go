package web

import (
	"runtime"
	"testing"

	"github.com/lafaekstreet/backend/shared/config"
)

// A cold start does not wait for the files of the pages, which have 700 KB: they are loaded for the first page.
func TestOpenLoadsNoFiles(t *testing.T) {
	env := config.Env{"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "MEDIA_BUCKET": "none", "AWS_REGION": "us-east-1",
		"TOKEN_PUBLIC_KEYS": `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Open(t.Context(), env)
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 500_000 {
		t.Errorf("%d bytes are allocated, at most 500000", allocated)
	}
}
