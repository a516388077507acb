package trackfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/functions/journeys/track"
	"github.com/lafaekstreet/backend/shared/warning"
)

// longRide returns GeoJSON with one line of this many positions, with elevations and times, and a text that makes the file
// as long as a file may be.
func longRide(positions int) string {
	var b strings.Builder
	b.WriteString(`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"coordTimes":[`)
	for i := range positions {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"2026-11-%02dT%02d:%02d:%02d.000Z"`, 1+i/86400, i/3600%24, i/60%60, i%60)
	}
	b.WriteString(`]},"geometry":{"coordinates":[`)
	for i := range positions {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "\n[%.14f, %.14f, %.2f]", 124+float64(i)*1e-5, -9+float64(i%1000)*1e-5, 100+float64(i%500))
	}
	b.WriteString(`],"type":"LineString"}}],"note":["` + strings.Repeat(`x","`, max(0, MaxBytes-b.Len()-60)/4) + `"]}`)
	return b.String()
}

// heapWatch reads src and keeps the largest heap that it saw without garbage, in bytes.
type heapWatch struct {
	src   io.Reader
	reads int
	most  uint64
}

func (h *heapWatch) Read(p []byte) (int, error) {
	if h.reads++; h.reads%256 == 0 {
		runtime.GC() // otherwise the result depends on how busy the machine is
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		h.most = max(h.most, m.HeapAlloc)
	}
	return h.src.Read(p)
}

// Not parallel: other tests would count.
func TestALongGeoJSONFileIsReadInFlatMemory(t *testing.T) {
	text := longRide(track.MaxPoints)
	if len(text) > MaxBytes || len(text) < MaxBytes-100 {
		t.Fatalf("the file has %d bytes", len(text))
	}
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	watch := &heapWatch{src: strings.NewReader(text), most: before.HeapAlloc}
	f, err := readGeoJSON(watch, now(), nil)
	if err != nil || f.Points() != track.MaxPoints || f.Tracks[0].Kind != track.Recorded {
		t.Fatalf("%v", err)
	}
	const points = track.MaxPoints * 32 // bytes
	if used := int64(watch.most) - int64(before.HeapAlloc); used > 40<<20+points {
		t.Errorf("reading %d MB needs %d MB beside the points", len(text)>>20, (used-points)>>20)
	} else {
		t.Logf("reading %d MB needs %d MB, the points have %d MB", len(text)>>20, used>>20, points>>20)
	}
}

func TestGeoJSONPastTheLimitsIsRefused(t *testing.T) {
	t.Parallel()
	many := func(n int) string { return strings.Repeat("[1,2],", n-1) + "[1,2]" }
	half := `{"type":"LineString","coordinates":[` + many(track.MaxPoints/2) + `]}`
	for name, text := range map[string]string{
		"one line":        `{"coordinates":[` + many(track.MaxPoints+1) + `],"type":"LineString"}`,
		"several":         `{"type":"FeatureCollection","features":[` + half + "," + half + `,{"type":"LineString","coordinates":[[1,2],[3,4]]}]}`,
		"one feature":     `{"type":"GeometryCollection","geometries":[` + half + "," + half + `,{"type":"LineString","coordinates":[[1,2],[3,4]]}]}`,
		"waypoints":       `{"type":"MultiPoint","coordinates":[` + many(MaxWaypoints+1) + `]}`,
		"empty positions": `{"type":"LineString","coordinates":[` + strings.Repeat("[],", track.MaxPoints) + `[1,2]]}`,
		"members":         `{"type":"GeometryCollection","geometries":[` + strings.Repeat("{},", track.MaxPoints) + `{}]}`,
	} {
		if f, err := readGeoJSON(strings.NewReader(text), now(), nil); !errors.Is(err, ErrTooManyPoints) || f != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range map[string]string{
		"as many as allowed": `{"coordinates":[` + many(track.MaxPoints) + `],"type":"LineString"}`,
		"a large polygon":    `{"type":"FeatureCollection","features":[{"coordinates":[[` + many(track.MaxPoints+1) + `]],"type":"Polygon"},{"type":"Point","coordinates":[1,2]}]}`,
		"too many times":     `{"type":"Feature","properties":{"times":[` + strings.Repeat("7,", track.MaxPoints) + `7]},` + line + `}`,
		"deep collections":   `{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]},` + strings.Repeat(`{"type":"GeometryCollection","geometries":[`, 20) + `{"type":"Point","coordinates":[3,4]}` + strings.Repeat("]}", 20) + `]}`,
	} {
		w := warning.NewCollector(context.Background())
		_, err := readGeoJSON(strings.NewReader(text), now(), w)
		warned := strings.Contains(codes(w), "shape_dropped") || strings.Contains(codes(w), "properties.times not_taken")
		if err != nil || warned != (name != "as many as allowed") {
			t.Errorf("%s: %v, warnings %s", name, err, codes(w))
		}
	}
}

// Times are kept up to the number of positions that a file may have.
func TestManyTimesInGeoJSONNeedLittleMemory(t *testing.T) {
	t.Parallel()
	r := newGeoReader(strings.NewReader(`{"properties":{"times":[`+strings.Repeat("7,", 2*track.MaxPoints)+`7]}}`), now(), nil)
	if err := r.document(); !errors.Is(err, ErrUnknownFormat) || len(r.scratch.times.values) != track.MaxPoints || r.scratch.times.count != 2*track.MaxPoints+1 {
		t.Errorf("%v, %d times kept of %d", err, len(r.scratch.times.values), r.scratch.times.count)
	}
}

func BenchmarkReadGeoJSON(b *testing.B) {
	text := longRide(track.MaxPoints)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := readGeoJSON(strings.NewReader(text), now(), nil); err != nil {
			b.Fatal(err)
		}
	}
}

// Any text is refused, or gives a file that the database can hold.
func FuzzReadGeoJSON(f *testing.F) {
	for _, seed := range []string{
		timed(`"coordTimes":["2026-11-19T01:00:00+09:00",1795129200000,null],"name":"Ride"`), markedAs(`"timestamp":"2026-11-19","notes":"a\u0000"`),
		`{"coordinates":[[["1","2,5",null],[]],[[3,4],7]],"type":"MultiLineString","features":[]}`,
		`{"features":[{"geometry":{"geometries":[{"type":"MultiPoint","coordinates":[[1,2],[3,4,5,6]]}],"type":"GeometryCollection"},"type":"Feature"}],"type":"FeatureCollection"}` + "\n\x00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file, err := readGeoJSON(strings.NewReader(text), now(), nil)
		if err != nil {
			var fault *Fault
			if file != nil || !errors.As(err, &fault) && !errors.Is(err, ErrEmpty) && !errors.Is(err, ErrUnknownFormat) && !errors.Is(err, ErrTooManyPoints) {
				t.Fatalf("unexpected error %v", err)
			}
			return
		}
		checkFile(t, file)
		checkWritten(t, file)
	})
}

// checkWritten checks that a file comes back whole from what the writer writes of it.
func checkWritten(t *testing.T, f *File) {
	t.Helper()
	for i := range f.Tracks {
		f.Tracks[i].Round()
		f.Tracks[i].Offset = nil // times are written in UTC
	}
	for i, w := range f.Waypoints {
		f.Waypoints[i].Lon, f.Waypoints[i].Lat = math.Round(w.Lon*1e7)/1e7, math.Round(w.Lat*1e7)/1e7
		if w.Notes == w.Name {
			f.Waypoints[i].Notes = "" // readers do not take a name for notes
		}
	}
	text := writeFile(t, f)
	if want, got := describe(f), describe(readBytes(t, text)); got != want {
		t.Errorf("got\n%s\nwant\n%s\nfrom\n%s", got, want, text)
	}
}

// checkFile checks what every file that was read promises.
func checkFile(t *testing.T, f *File) {
	t.Helper()
	if f.Points() > track.MaxPoints || len(f.Waypoints) > MaxWaypoints || len(f.Tracks)+len(f.Waypoints) == 0 {
		t.Errorf("%d points, %d waypoints", f.Points(), len(f.Waypoints))
	}
	for _, one := range f.Tracks {
		if len(one.Segments) == 0 || one.Kind != track.Recorded && one.Kind != track.Planned {
			t.Errorf("a track of kind %q has %d segments", one.Kind, len(one.Segments))
		}
		for _, s := range one.Segments {
			if len(s) < 2 {
				t.Errorf("a segment of %d points", len(s))
			}
			for _, p := range s {
				if !onEarth(p.Lon, p.Lat) || math.IsInf(float64(p.Elevation), 0) {
					t.Errorf("point %v", p)
				}
			}
		}
	}
	for _, w := range f.Waypoints {
		if w.Name == "" || strings.ContainsRune(w.Name+w.Notes, 0) || len([]rune(w.Name)) > maxName || len([]rune(w.Notes)) > maxNotes || !onEarth(w.Lon, w.Lat) {
			t.Errorf("waypoint %+v", w)
		}
	}
}
