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
		found, err := readGPX(raw, now)
		judge(t, found, err)
	})
}

func FuzzReadGeoJSON(f *testing.F) {
	seed(f, "testdata/geojson/*")
	f.Fuzz(func(t *testing.T, raw []byte) {
		found, err := readGeoJSON(raw)
		judge(t, found, err)
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

// judge holds whatever was read to what the table takes, and whatever was not to
// an answer that says where.
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
		if err := m.check(""); err != nil {
			t.Fatalf("%+v: %v", m, err)
		}
		if m.Name == "" || utf8.RuneCountInString(m.Name) > 200 || utf8.RuneCountInString(m.Notes) > 5000 || !utf8.ValidString(m.Name+m.Notes) {
			t.Fatalf("texts of %+v", m)
		}
	}
}
