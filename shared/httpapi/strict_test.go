package httpapi_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// strictSample has one operation under each kind of path.
type strictSample struct{}

func (strictSample) Name() string { return "sample" }

func (strictSample) Register(a *httpapi.API) {
	for _, path := range []string{"/api/v1/staff/things", "/api/v1/admin/things", "/ogc/things", "/api/v1/reports", "/api/v1/staffing"} {
		o := httpapi.Operation{Operation: huma.Operation{Method: http.MethodGet, Path: path}, Access: httpapi.Public,
			Aliases: map[string]string{"limit": "page_size", "note": "content"}}
		httpapi.Register(a, o, func(_ context.Context, in *listInput) (*text, error) { return &text{}, nil })
	}
	form := httpapi.Operation{Operation: huma.Operation{Method: http.MethodPost, Path: "/api/v1/admin/forms"}, Access: httpapi.Public, Forms: true}
	httpapi.Register(a, form, func(_ context.Context, in *struct {
		Body struct {
			Token string `json:"token"`
		}
	}) (*text, error) {
		return &text{}, nil
	})
}

// Staff get no list that a misspelt filter did not narrow.
func TestUnknownQueryParameters(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(httpapi.New(httpapi.Deps{Clock: timestamp.System{}, Log: slog.New(slog.DiscardHandler)}, strictSample{}))
	t.Cleanup(server.Close)
	long := strings.Repeat("é", 80)
	for _, c := range []struct {
		method, target string
		status         int
		names          string // of the errors, joined
	}{
		{"GET", "/api/v1/staff/things?page_size=3&sort=created_at&radius=1", 200, ""},
		{"GET", "/api/v1/staff/things?limit=3", 200, ""},
		{"GET", "/api/v1/staff/things?limit=3&page_size=4", 200, ""},
		{"GET", "/api/v1/staff/things/?kindd=new&agenci=X&limit=3", 422, "agenci,kindd"},
		{"HEAD", "/api/v1/staff/things?kindd=new", 422, ""},
		{"GET", "/api/v1/staff/things?note=x", 422, "note"}, // an alias of a member that this route does not have
		{"GET", "/api/v1/staff/things?Page_Size=3", 422, "Page_Size"},
		{"GET", "/api/v1/staff/things?" + long + "=1", 422, strings.Repeat("é", 50)},
		{"GET", "/api/v1/staff/things?a&b&c&d&e&f&g&h&i&j&k", 422, "a,b,c,d,e,f,g,h,i,j"},
		{"GET", "/api/v1/admin/things?foo=", 422, "foo"},
		{"POST", "/api/v1/admin/forms?token=x", 200, ""},
		{"POST", "/api/v1/admin/forms?token=x&tokken=y", 422, "tokken"},
		{"GET", "/ogc/things?foo=1", 400, "foo"},
		{"GET", "/api/v1/reports?foo=1", 200, ""},
		{"GET", "/api/v1/staffing?foo=1", 200, ""},
	} {
		got := send(t, server, c.method, c.target, "", "")
		if got.status != c.status {
			t.Errorf("%s %s: %d %s, want %d", c.method, c.target, got.status, got.body, c.status)
			continue
		}
		if c.status == 200 || c.method == "HEAD" {
			continue
		}
		var fault struct {
			Code   string
			Errors []struct{ Field string }
		}
		if err := json.Unmarshal([]byte(got.body), &fault); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, e := range fault.Errors {
			names = append(names, e.Field)
		}
		if fault.Code != "unknown_parameter" || strings.Join(names, ",") != c.names {
			t.Errorf("%s %s: %s, want unknown_parameter of %s", c.method, c.target, got.body, c.names)
		}
	}
}
