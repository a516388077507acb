package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// otherForms is a group whose problems below /other are lines of text with another status.
type otherForms struct{}

func (otherForms) Name() string { return "other" }

func (otherForms) Register(a *httpapi.API) {
	a.FormProblems("/other/", func(w http.ResponseWriter, r *http.Request, d *problem.Document) {
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(d.Status + 10)
		_, _ = fmt.Fprintf(w, "%s %d %s %v", r.URL.Path, d.Status, d.Code, d.Errors)
	})
	op := func(path string) httpapi.Operation {
		return httpapi.Operation{Operation: huma.Operation{Method: http.MethodGet, Path: path}, Access: httpapi.Public, Cache: httpapi.Shared}
	}
	type input struct {
		Size int `query:"size" minimum:"1"`
	}
	httpapi.Register(a, op("/other/{how}"), func(context.Context, *input) (*text, error) {
		return nil, problem.New(problem.RateLimited, "rate_limited").After(7)
	})
	httpapi.Register(a, op("/other/panic"), func(context.Context, *input) (*text, error) { panic("hunter2") })
	httpapi.Register(a, op("/other/fault"), func(context.Context, *input) (*text, error) { return nil, errors.New("hunter2") })
	httpapi.Register(a, op("/other/good"), func(context.Context, *input) (*text, error) { return &text{}, nil })
	httpapi.Register(a, op("/plain"), func(context.Context, *input) (*text, error) { return nil, problem.New(problem.NotFound, "not_found") })
}

// Every problem below the prefix has the form, wherever it comes from: an operation, its input, a panic, an unknown path, a method.
func TestProblemsHaveTheFormOfTheirPrefix(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(httpapi.New(httpapi.Deps{Clock: timestamp.System{}, Log: slog.New(slog.DiscardHandler)}, otherForms{}))
	t.Cleanup(s.Close)
	for _, c := range []struct {
		method, path string
		status       int
		code         string
	}{
		{http.MethodGet, "/other/full", 429, "rate_limited"}, {http.MethodGet, "/other/panic", 500, "internal"}, {http.MethodGet, "/other/fault", 500, "internal"},
		{http.MethodGet, "/other/no/where", 404, "not_found"}, {http.MethodDelete, "/other/good", 405, "method_not_allowed"},
		{http.MethodGet, "/other/good?size=0", 422, "invalid_input"},
	} {
		for _, encoding := range []string{"identity", "gzip"} {
			got := send(t, s, c.method, c.path, "", "", "Accept-Encoding", encoding)
			if got.status != c.status+10 || !strings.Contains(got.body, strconv.Itoa(c.status)+" "+c.code) || got.header.Get("Content-Type") != "text/plain" || strings.Contains(got.body, "hunter2") {
				t.Errorf("%s %s: %d %s %s", c.method, c.path, got.status, got.header.Get("Content-Type"), got.body)
			}
		}
	}
	if got := send(t, s, http.MethodGet, "/other/good", "", ""); got.status != http.StatusOK || !strings.Contains(got.body, "Text") {
		t.Errorf("an answer that is no problem: %d %s", got.status, got.body)
	}
	if got := send(t, s, http.MethodGet, "/plain", "", ""); got.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("outside of the prefix: %d %s", got.status, got.body)
	}
}
