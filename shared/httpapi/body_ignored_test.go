package httpapi_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// A body that the operation does not take is ignored: so an operation without a body never answers 413 or 415.
func TestABodyThatIsNotTakenIsIgnored(t *testing.T) {
	t.Parallel()
	c := apiclient.Serve(t, httpapi.New(httpapi.Deps{Clock: timestamp.System{}, Log: slog.New(slog.DiscardHandler)}, strictSample{}))
	large := []byte(`"` + strings.Repeat("x", 2<<20) + `"`)
	c.Send(t.Context(), apiclient.Request{Path: "/reports", Body: large}).Want(http.StatusOK)
	c.Send(t.Context(), apiclient.Request{Path: "/reports", Body: []byte(`{}`), Header: http.Header{"Content-Encoding": {"br"}}}).Want(http.StatusOK)
	refused := c.Send(t.Context(), apiclient.Request{Method: http.MethodPost, Path: "/admin/forms", Body: []byte(`{"token":"x"}`), Header: http.Header{"Content-Encoding": {"br"}}})
	refused.WantProblem(http.StatusUnsupportedMediaType, "unsupported_encoding")
	if got, want := refused.Object().Text("type"), c.URL+"/docs/problems/unsupported_encoding"; got != want {
		t.Errorf("type is %q, want %q", got, want)
	}
	if got := refused.Header.Get("Content-Language"); got != "en" {
		t.Errorf("Content-Language is %q", got)
	}
}
