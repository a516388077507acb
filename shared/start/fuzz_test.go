package start_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lafaekstreet/backend/shared/start"
)

// FuzzEvent holds the gateway to its promise for any event: a response that fits,
// no error, no panic, and every header as it came.
func FuzzEvent(f *testing.F) {
	for _, e := range []events.APIGatewayV2HTTPRequest{{}, event("GET", "/api/v1/reports"), event("POST", "/a?b#c%")} {
		raw, err := json.Marshal(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(`{"requestContext":{"http":{"method":"GET"},"stage":"x"},"rawPath":"//x","headers":{"a":",,"},"cookies":["",";"]}`))
	f.Add([]byte(`{"requestContext":{"http":{"method":"PUT"},"domainName":"[::1"},"body":"=","isBase64Encoded":true}`))
	f.Add([]byte(`{"requestContext":{"http":{"method":"GET"}},"rawQueryString":"a=%zz#;&&=","headers":{"Content-Length":"x"}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var e events.APIGatewayV2HTTPRequest
		if json.Unmarshal(raw, &e) != nil {
			return // aws-lambda-go refuses it before us
		}
		called := false
		out, err := start.NewGateway(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			called = true
			if !strings.HasPrefix(r.URL.EscapedPath(), "/") {
				t.Errorf("path %q", r.URL.EscapedPath())
			}
			if r.URL.RawQuery != "" && e.RawQueryString == "" && len(e.QueryStringParameters) == 0 {
				t.Errorf("a query %q out of nowhere", r.URL.RawQuery)
			}
			if _, err := io.Copy(w, r.Body); err != nil {
				t.Errorf("read body: %v", err)
			}
		}), "").Handle(t.Context(), e)
		if err != nil {
			t.Fatalf("error: %v", err)
		}
		if want := http.StatusOK; called && out.StatusCode != want && out.StatusCode != http.StatusInternalServerError {
			t.Errorf("got %d, want %d", out.StatusCode, want)
		}
		if !called && out.StatusCode != http.StatusBadRequest {
			t.Errorf("refused with %d", out.StatusCode)
		}
	})
}
