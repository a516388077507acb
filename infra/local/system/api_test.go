package system

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/faults"
)

// The console beside the API answers no path of the API, and no path with a redirect.
func TestPathsReachTheAPIAsTheyWereSent(t *testing.T) {
	t.Parallel()
	reached := ""
	api := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { reached = r.URL.Path })
	served := (&System{faults: &faults.Set{}}).withConsole(api, nil)
	for _, path := range []string{"/api/v1/users/me//", "/api/v1//meta", "/_locals", "/./health"} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, path, nil)
		if served.ServeHTTP(w, r); w.Code != http.StatusOK || reached != path {
			t.Errorf("%s: %d, the API got %q", path, w.Code, reached)
		}
	}
	reached = ""
	served.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/_local/summary", nil))
	if reached != "" {
		t.Errorf("the API got %q", reached)
	}
}
