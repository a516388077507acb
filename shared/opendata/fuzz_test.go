package opendata

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// FuzzRow: whatever people wrote comes out of both formats as it went in, takes
// one row, and is no formula to a spreadsheet.
func FuzzRow(f *testing.F) {
	for _, seed := range []string{"Hole", `=HYPERLINK("http://x","y")`, "a,b\n\"c\"", "\r\n", "-1", "'x", "\u2028</script>", "\ufeff=1", "\ud7ff", "\t=1", "\uff1d1", " \uff0b1", "\u200b\ufeff\uff20x", "a\x00b", "😀"} {
		f.Add(seed, "Rua "+seed, -8.5569, 125.5603, int64(1.76e9))
	}
	f.Fuzz(func(t *testing.T, title, street string, latitude, longitude float64, seconds int64) {
		onEarth := latitude >= -90 && latitude <= 90 && longitude >= -180 && longitude <= 180
		if !utf8.ValidString(title) || !utf8.ValidString(street) || !onEarth || seconds < 0 || seconds > 4e9 {
			return // the table takes none of these
		}
		r := row{ID: uuid.UUID{1}, Number: "LS-2026-000001", Status: "pending", Title: title, Street: street,
			Latitude: latitude, Longitude: longitude, CreatedAt: time.Unix(seconds, 0)}
		inCSV(t, &r)
		inGeoJSON(t, &r)
	})
}

func encoded(t *testing.T, e encoder, r *row) {
	t.Helper()
	for _, step := range []func() error{e.begin, func() error { return e.row(r) }, e.end} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
}

func inCSV(t *testing.T, r *row) {
	t.Helper()
	var out bytes.Buffer
	encoded(t, newCSV(&out), r)
	if mark, err := out.ReadString('r'); err != nil || mark != "\ufeffr" {
		t.Errorf("begins with %q", mark)
	}
	records, err := csv.NewReader(io.MultiReader(strings.NewReader("r"), &out)).ReadAll()
	if err != nil || len(records) != 2 {
		t.Fatalf("%d records of %q, %v", len(records), r.Title, err)
	}
	for column, wrote := range map[string]string{"title": r.Title, "street": r.Street} {
		got := ""
		for i, name := range records[0] {
			if name == column {
				got = records[1][i]
			}
		}
		if begin := strings.TrimSpace(got); strings.ContainsAny(got[:min(len(got), 1)], "=+-@\t\r") || begin != "" && strings.ContainsAny(string([]rune(begin)[0]), "=+-@\uff1d\uff0b\uff0d\uff20") {
			t.Errorf("%q is a formula", got)
		}
		// A reader of CSV takes a line's end of two characters for one.
		if want := strings.ReplaceAll(wrote, "\r\n", "\n"); got != want && got != "'"+want {
			t.Errorf("%q comes back as %q", wrote, got)
		}
	}
}

func inGeoJSON(t *testing.T, r *row) {
	t.Helper()
	var out bytes.Buffer
	encoded(t, newGeoJSON(&out), r)
	var collection struct{ Features []feature }
	if err := json.Unmarshal(out.Bytes(), &collection); err != nil || len(collection.Features) != 1 {
		t.Fatalf("%d features of %q, %v", len(collection.Features), r.Title, err)
	}
	got := collection.Features[0]
	if got.Properties.Title != r.Title || got.Properties.Street != r.Street || got.Geometry.Coordinates != [2]float64{r.Longitude, r.Latitude} ||
		!got.Properties.CreatedAt.Equal(r.CreatedAt) {
		t.Errorf("%+v comes back as %+v", r, got)
	}
}
