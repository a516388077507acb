package public

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// squares is the route of the tiles without the database.
type squares struct {
	seen func(z, x, y int, f kindFilter)
}

// Name implements httpapi.Group.
func (squares) Name() string { return "squares" }

// Register implements httpapi.Group.
func (s squares) Register(api *httpapi.API) {
	op := httpapi.Operation{Operation: huma.Operation{Method: http.MethodGet, Path: "/tiles/{z}/{x}/{y}", DefaultStatus: http.StatusNoContent}, Access: httpapi.Public}
	httpapi.Register(api, op, func(_ context.Context, in *tileInput) (*struct{}, error) {
		y, err := in.row()
		if err != nil {
			return nil, err
		}
		f, err := in.filter()
		if err == nil {
			s.seen(in.Z, in.X, y, f)
		}
		return nil, err
	})
}

// FuzzTile: any address names a square of the map and kinds there are, or is
// refused as the sender's fault with a document.
func FuzzTile(f *testing.F) {
	for _, seed := range [][2]string{{"/0/0/0", ""}, {"/11/1738/1093.mvt", "status=verified,in_progress&issue_type=pothole"}, {"/20/1048575/1048575", "status=%zz"}, {"/21/0/0", ""},
		{"/1/2/0", ""}, {"/1/0/2", ""}, {"/-1/0/0", ""}, {"/1e1/0/0", ""}, {"/9/+1/0x1", ""}, {"/0/0/0.mvt.mvt", "status=,"}, {"/0/0/%30", ""}, {"/0/0", ""}, {"/0/0/0/", ""},
		{"/20/99999999999999999999/0", ""}, {"/0/0/\x00", "issue_type=\x00"}, {"/../tiles/0/0/0", "a=1&a=2;b"}} {
		f.Add(seed[0], seed[1])
	}
	called := false
	var zoom, column, line int
	var kinds kindFilter
	service := httpapi.New(httpapi.Deps{Clock: timestamp.System{}, Log: slog.New(slog.DiscardHandler)}, squares{func(z, x, y int, f kindFilter) {
		called, zoom, column, line, kinds = true, z, x, y, f
	}})
	f.Fuzz(func(t *testing.T, path, query string) {
		called = false
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL = &url.URL{Path: "/tiles" + path, RawQuery: query}
		w := httptest.NewRecorder()
		service.ServeHTTP(w, r)
		if path == "/0/0/0" && query == "" && !called {
			t.Fatalf("the whole world is refused: %d", w.Code)
		}
		if !called {
			var d struct{ Code string }
			if w.Code < 300 || w.Code > 499 || w.Code >= 400 && (json.Unmarshal(w.Body.Bytes(), &d) != nil || d.Code == "") {
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
			return
		}
		if side := 1 << zoom; w.Code != http.StatusNoContent || zoom < 0 || zoom > 20 || column < 0 || column >= side || line < 0 || line >= side {
			t.Errorf("status %d of square %d/%d/%d", w.Code, zoom, column, line)
		}
		for _, s := range kinds.statuses {
			if _, ok := report.ParseStatus(s); !ok {
				t.Errorf("status %q", s)
			}
		}
		for _, s := range kinds.types {
			if !slices.Contains(report.IssueTypes(), report.IssueType(s)) {
				t.Errorf("issue type %q", s)
			}
		}
	})
}
