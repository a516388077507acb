package httpapi_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// oldGroup has an operation that is deprecated and one that is not.
type oldGroup struct{}

func (oldGroup) Name() string { return "old" }

func (oldGroup) Register(a *httpapi.API) {
	since := time.Date(2026, 12, 31, 8, 0, 0, 0, time.FixedZone("Dili", 9*3600))
	fail := func(context.Context, *struct{}) (*text, error) {
		return nil, problem.New(problem.NotFound, "not_found")
	}
	for path, d := range map[string]*httpapi.Deprecation{
		"/new": nil, "/short": {Since: since, Months: 1, Link: "/docs/guides/changelog#v1-1-0"}, "/long": {Since: since, Months: 18, Link: "/x"},
	} {
		op := huma.Operation{Method: http.MethodGet, Path: path, Description: "What it is."}
		httpapi.Register(a, httpapi.Operation{Operation: op, Access: httpapi.Public, Deprecation: d}, fail)
	}
}

// A deprecated operation says so in each answer, also in an error, and works for at least twelve months more.
func TestDeprecatedOperationSaysSo(t *testing.T) {
	t.Parallel()
	c := apiclient.Serve(t, httpapi.New(httpapi.Deps{Clock: timestamp.System{}, Log: slog.New(slog.DiscardHandler)}, oldGroup{}))
	for path, want := range map[string][3]string{
		"//new":   {},
		"//short": {"@1798671600", "Thu, 30 Dec 2027 23:00:00 GMT", `</docs/guides/changelog#v1-1-0>; rel="deprecation"; type="text/html"`},
		"//long":  {"@1798671600", "Fri, 30 Jun 2028 23:00:00 GMT", `</x>; rel="deprecation"; type="text/html"`},
	} {
		h := c.Get(path).Want(http.StatusNotFound).Header
		if got := [3]string{h.Get("Deprecation"), h.Get("Sunset"), h.Get("Link")}; got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	paths := httpapi.Document(oldGroup{}).Paths
	if op := paths["/short"].Get; !op.Deprecated || !strings.HasPrefix(op.Description, "What it is.\n\nDeprecated since 2026-12-30. It works at least until 2027-12-30.") {
		t.Errorf("the document says %v, %q", op.Deprecated, op.Description)
	}
	if op := paths["/new"].Get; op.Deprecated || op.Description != "What it is." {
		t.Errorf("the document says %v, %q of what is not deprecated", op.Deprecated, op.Description)
	}
}
