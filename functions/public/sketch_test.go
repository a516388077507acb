package public_test

import (
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/testenv"
)

// ragged makes boundaries of three levels: 2×7 municipalities, 10×7 posts and 20×22 sucos, with coasts as rough as real ones.
func ragged(t *testing.T, w *testenv.System) {
	t.Helper()
	noise := func(x, y float64, salt string) float64 {
		h := fnv.New32a()
		fmt.Fprintf(h, "%.4f %.4f %s", x, y, salt)
		return (float64(h.Sum32()%1000)/1000 - 0.5) * 0.004
	}
	for _, level := range []struct {
		name          string
		columns, rows int
	}{{"municipality", 7, 2}, {"district", 10, 7}, {"suco", 22, 20}} {
		wide, high := 3.3/float64(level.columns), 1.3/float64(level.rows)
		for c := range level.columns {
			for r := range level.rows {
				x, y := 124+float64(c)*wide, -9.4+float64(r)*high
				var ring []string
				const n = 40
				for i := range 4 * n {
					along := float64(i%n) / n
					px, py := []float64{x + along*wide, x + wide, x + wide - along*wide, x}[i/n], []float64{y, y + along*high, y + high, y + high - along*high}[i/n]
					ring = append(ring, fmt.Sprintf("%.5f %.5f", px+noise(px, py, "x"), py+noise(px, py, "y")))
				}
				ring = append(ring, ring[0])
				w.Exec(`INSERT INTO boundaries (id, level, name, area) VALUES (gen_random_uuid(), $1, $2, ST_Multi(ST_CollectionExtract(ST_MakeValid(ST_GeomFromText($3, 4326)), 3)))`,
					level.name, fmt.Sprintf("%s <%d & %d>", level.name, c, r), "POLYGON(("+strings.Join(ring, ",")+"))")
			}
		}
	}
}

func packed(t *testing.T, body []byte) int {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(body); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return out.Len()
}

// The drawing is well formed, small anywhere, has the names of its zoom, and may be kept for some minutes.
func TestSketchShowsWhereAPlaceIs(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ragged(t, w)
	for zoom := 5; zoom <= 18; zoom++ {
		for _, size := range []int{100, 360, 1000} {
			got := w.Anonymous().Get(fmt.Sprintf("/public/sketch.svg?latitude=-8.8&longitude=125.6&zoom=%d&width=%d&height=%d", zoom, size, size)).Want(http.StatusOK)
			if got.Header.Get("Content-Type") != "image/svg+xml" || got.Header.Get("Cache-Control") != "public, max-age=300" {
				t.Fatalf("%v", got.Header)
			}
			if n := packed(t, got.Body); n > 12_000 {
				t.Errorf("zoom %d, %d pixels: %d bytes", zoom, size, n)
			}
			d := xml.NewDecoder(bytes.NewReader(got.Body))
			for {
				if _, err := d.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatalf("zoom %d: %v in %s", zoom, err, got.Body)
				}
			}
			if folder := os.Getenv("SCREENSHOTS"); folder != "" {
				_ = os.WriteFile(filepath.Join(folder, fmt.Sprintf("sketch-%d-%d.svg", zoom, size)), got.Body, 0o600) // to be looked at
			}
		}
	}
	look := func(query string) string {
		return string(w.Anonymous().Get("/public/sketch.svg?" + query).Want(http.StatusOK).Body)
	}
	far, near := look("latitude=-8.8&longitude=125.6&zoom=8"), look("latitude=-8.8&longitude=125.6&zoom=14")
	if !strings.Contains(far, ">municipality &lt;") || strings.Contains(far, ">suco &lt;") || !strings.Contains(near, ">suco &lt;") {
		t.Errorf("names: far %s, near %s", far, near)
	}
	if strings.Contains(near, `class="pin"`) || !strings.Contains(look("latitude=-8.8&longitude=125.6&pin=true"), `class="pin"`) {
		t.Error("the pin")
	}
	if strings.Contains(near, `class="grid"`) || !regexp.MustCompile(`>\d+ (m|km)<`).MatchString(near) {
		t.Error("no scale, or a grid beside boundaries")
	}
}

// A boundary is drawn where Web Mercator has it: clients turn taps into places by the same formula.
func TestSketchIsWebMercator(t *testing.T) {
	t.Parallel()
	w := setup(t)
	// At zoom 8 a degree of longitude has 65536/360 pixels. The corner is 0.5 degrees west of the middle, and the middle is its latitude.
	w.Exec(`INSERT INTO boundaries (id, level, name, area) VALUES (gen_random_uuid(), 'municipality', 'Box', ST_Multi(ST_MakeEnvelope(125, -8.5, 125.8, -8, 4326)))`)
	body := string(w.Anonymous().Get("/public/sketch.svg?latitude=-8.5&longitude=125.5&zoom=8&width=400&height=300").Want(http.StatusOK).Body)
	found := regexp.MustCompile(`class="municipality land" d="M ([\d.]+) ([\d.]+) l`).FindStringSubmatch(body)
	if found == nil {
		t.Fatal(body)
	}
	x, _ := strconv.ParseFloat(found[1], 64)
	y, _ := strconv.ParseFloat(found[2], 64)
	if want := 200 - 0.5*65536/360; x < want-0.5 || x > want+0.5 || y < 149.5 || y > 150.5 {
		t.Errorf("the corner is at %v, %v; want %v, 150", x, y, want)
	}
}

// Without boundaries there is no coast, but a grid with degrees and a scale. What is out of bounds is refused.
func TestSketchWithoutBoundaries(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, at := range []string{"latitude=-8.5569&longitude=125.5603&zoom=15", "latitude=85&longitude=180&zoom=5", "latitude=0&longitude=-180&zoom=18&width=100&height=100"} {
		body := string(w.Anonymous().Get("/public/sketch.svg?" + at).Want(http.StatusOK).Body)
		if strings.Contains(body, `class="municipality`) || !strings.Contains(body, `class="grid"`) || !strings.Contains(body, `class="bar"`) {
			t.Errorf("%s: %s", at, body)
		}
	}
	if body := string(w.Anonymous().Get("/public/sketch.svg?latitude=-8.5569&longitude=125.5603&zoom=15").Body); !strings.Contains(body, ">125.560°<") {
		t.Error(body)
	}
	for _, bad := range []string{"", "latitude=1", "latitude=86&longitude=0", "latitude=NaN&longitude=0", "latitude=0&longitude=0&zoom=4", "latitude=0&longitude=0&zoom=19", "latitude=0&longitude=0&width=1001", "latitude=0&longitude=0&height=99"} {
		w.Anonymous().Get("/public/sketch.svg?" + bad).Want(http.StatusUnprocessableEntity)
	}
}
