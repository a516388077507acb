package security

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/functions/verify"
	"github.com/lafaekstreet/backend/shared/catalog"
)

// Before a new version gets traffic, verify sends each function a request. Its answer must be of the route, and may change nothing.
func TestEveryFunctionAnswersWhatVerifyAsks(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, f := range catalog.Functions() {
		if f.Kind != catalog.HTTP {
			continue
		}
		r := verify.Requests()[f.Name]
		if !slices.ContainsFunc(catalog.Routes(), func(of catalog.Route) bool {
			return of.Function == f.Name && slices.Contains(of.Methods, r.Method) && matches(of.Path, r.Path)
		}) {
			t.Errorf("%s does not serve %q", f.Name, r)
			continue
		}
		request, err := http.NewRequestWithContext(t.Context(), r.Method, w.URL+r.Path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Accept", "application/json")
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		changes := r.Method != http.MethodGet && answer.StatusCode < http.StatusBadRequest
		if answer.StatusCode == http.StatusNotFound || answer.StatusCode >= http.StatusInternalServerError || changes {
			t.Errorf("%s answers %v with %d", f.Name, r, answer.StatusCode)
		}
	}
}

// matches reports whether a path is one of a pattern, in which {name} stands for any one part.
func matches(pattern, path string) bool {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	return slices.EqualFunc(want, got, func(a, b string) bool { return a == b || strings.HasPrefix(a, "{") })
}
