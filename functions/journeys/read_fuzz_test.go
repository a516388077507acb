package journeys

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/lafaekstreet/backend/shared/problem"
)

func FuzzReadGPX(f *testing.F) {
	seed(f, "testdata/gpx/*")
	now := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, raw []byte) {
		found, err := parseGPX(raw, now, nil)
		judge(t, found, err)
	})
}

func FuzzReadGeoJSON(f *testing.F) {
	seed(f, "testdata/geojson/*")
	f.Fuzz(func(t *testing.T, raw []byte) {
		found, err := parseGeoJSON(raw, nil)
		judge(t, found, err)
	})
}

// FuzzImport: a file is refused as the sender's fault, or gives at least
// one marker that the table accepts.
func FuzzImport(f *testing.F) {
	const form = "multipart/form-data; boundary=b"
	for _, pattern := range []string{"testdata/gpx/planner.gpx", "testdata/geojson/collection.geojson"} {
		raw, err := os.ReadFile(pattern)
		if err != nil {
			f.Fatal(err)
		}
		f.Add("application/octet-stream", raw)
		f.Add(form, append(append([]byte("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n"), raw...), "\r\n--b--\r\n"...))
	}
	f.Add("", []byte("\xef\xbb\xbf <gpx/>"))
	f.Add("application/json", []byte(`{"type":"Feature","geometry":{"type":"Point","coordinates":[125,-8]},"properties":{"name":"a\u0000b"}}`))
	f.Add("multipart/form-data", []byte("--b"))
	f.Add(form, []byte("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--b--\r\n"))
	now := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, contentType string, raw []byte) {
		found, err := parseFile(contentType, raw, now, nil)
		if err == nil {
			judge(t, found, nil)
			if len(found) == 0 {
				t.Fatal("an import of nothing")
			}
			return
		}
		var e *problem.Error
		if !errors.As(err, &e) || e.Kind < 400 || e.Kind > 499 {
			t.Fatalf("refused with %v", err)
		}
	})
}

func seed(f *testing.F, pattern string) {
	f.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds in %s: %v", pattern, err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
}

// judge checks that markers that were read fit the table, and that a refusal says
// where the fault is.
func judge(t *testing.T, found []marker, err error) {
	t.Helper()
	if err != nil {
		var e *problem.Error
		if !errors.As(err, &e) || int(e.Kind) != http.StatusUnprocessableEntity || e.Extra["place"] == "" {
			t.Fatalf("a broken file gives %v", err)
		}
		return
	}
	if len(found) > maxMarkers {
		t.Fatalf("%d markers", len(found))
	}
	for _, m := range found {
		if err := m.check(); err != nil {
			t.Fatalf("%+v: %v", m, err)
		}
		if m.Name == "" || utf8.RuneCountInString(m.Name) > 200 || utf8.RuneCountInString(m.Notes) > 5000 || !utf8.ValidString(m.Name+m.Notes) {
			t.Fatalf("texts of %+v", m)
		}
	}
}
