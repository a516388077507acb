package trackfile

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/functions/journeys/track"
)

func millis(text string) int64 {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t.UnixMilli()
}

// writeSample writes one of everything.
func writeSample(out io.Writer) error {
	day := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	w := NewWriter(out, Metadata{Name: "Tour <&> \x00 Timor", Description: "Díli – Lospalos", Time: time.Date(2026, 11, 1, 2, 3, 4, 5e6, time.UTC)})
	w.Waypoint(Waypoint{Name: "Díli & co", Notes: "one\ntwo", Lon: 125.57, Lat: -8.55, Day: &day})
	w.Waypoint(Waypoint{Name: "Baucau", Lon: 126.45, Lat: -8.47, Planned: true})
	w.BeginTrack("Plan", true, "")
	w.BeginSegment()
	w.Point(track.Point{Lon: 125.1234567, Lat: -8.5, Elevation: float32(math.NaN()), Time: track.NoTime})
	w.BeginSegment() // a route has one list of points
	w.Point(track.Point{Lon: 180, Lat: -90, Elevation: 5, Time: track.NoTime})
	w.EndTrack()
	w.BeginTrack("", false, "LafaekStreet: line through the waypoints")
	w.BeginSegment()
	w.Point(track.Point{Lon: -0.00000004, Lat: 0.00000005, Elevation: -12.345, Time: millis("2026-11-20T01:02:03Z")})
	w.Point(track.Point{Lon: -0.5, Lat: 10, Elevation: 0, Time: millis("2026-11-20T01:02:03.5Z")})
	w.BeginSegment()
	w.Point(track.Point{Lon: 1, Lat: 2, Elevation: float32(math.NaN()), Time: millis("2026-11-20T01:02:03.045Z")})
	w.EndTrack()
	return w.Close()
}

const sample = `<?xml version="1.0" encoding="UTF-8"?>
<gpx version="1.1" creator="LafaekStreet" xmlns="http://www.topografix.com/GPX/1/1">
<metadata><name>Tour &lt;&amp;&gt; ` + "\uFFFD" + ` Timor</name><desc>Díli – Lospalos</desc><time>2026-11-01T02:03:04.005Z</time></metadata>
<wpt lat="-8.55" lon="125.57"><time>2026-11-20T00:00:00Z</time><name>Díli &amp; co</name><desc>one&#xA;two</desc><type>past</type></wpt>
<wpt lat="-8.47" lon="126.45"><name>Baucau</name><type>plan</type></wpt>
<rte><name>Plan</name>
<rtept lat="-8.5" lon="125.1234567"></rtept>
<rtept lat="-90" lon="180"><ele>5</ele></rtept>
</rte>
<trk><src>LafaekStreet: line through the waypoints</src>
<trkseg>
<trkpt lat="0.0000001" lon="0"><ele>-12.35</ele><time>2026-11-20T01:02:03Z</time></trkpt>
<trkpt lat="10" lon="-0.5"><ele>0</ele><time>2026-11-20T01:02:03.5Z</time></trkpt>
</trkseg>
<trkseg>
<trkpt lat="2" lon="1"><time>2026-11-20T01:02:03.045Z</time></trkpt>
</trkseg>
</trk>
</gpx>
`

func TestWriterWritesEachElementInTheOrderOfTheSchema(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := writeSample(&out); err != nil {
		t.Fatal(err)
	}
	if out.String() != sample {
		t.Errorf("got\n%s", out.String())
	}
	if err := checkSchema(&out); err != nil {
		t.Error(err)
	}
	var empty bytes.Buffer
	if err := NewWriter(&empty, Metadata{}).Close(); err != nil || strings.Contains(empty.String(), "metadata") {
		t.Errorf("an empty file: %v\n%s", err, empty.String())
	}
}

// children are the children that an element may have, in the order of the schema of GPX 1.1.
func children(element string) []string {
	point := strings.Fields("ele time magvar geoidheight name cmt desc src link sym type fix sat hdop vdop pdop ageofdgpsdata dgpsid extensions")
	switch element {
	case "gpx":
		return []string{"metadata", "wpt", "rte", "trk", "extensions"}
	case "metadata":
		return strings.Fields("name desc author copyright link time keywords bounds extensions")
	case "wpt", "rtept", "trkpt":
		return point
	case "rte", "trk":
		return append(strings.Fields("name cmt desc src link number type extensions"), map[string]string{"rte": "rtept", "trk": "trkseg"}[element])
	case "trkseg":
		return []string{"trkpt", "extensions"}
	}
	return nil
}

// checkSchema checks the namespace, and that each element is allowed in its place.
func checkSchema(in io.Reader) error {
	type open struct {
		name string
		last int // number of its last child in children
	}
	stack := []open{{name: ""}}
	d := xml.NewDecoder(in)
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch e := token.(type) {
		case xml.StartElement:
			parent := &stack[len(stack)-1]
			place := -1
			for i, name := range children(parent.name) {
				if name == e.Name.Local {
					place = i
				}
			}
			if root := len(stack) == 1 && e.Name.Local == "gpx"; !root && place < parent.last || e.Name.Space != "http://www.topografix.com/GPX/1/1" {
				return errors.New(e.Name.Local + " is not allowed here in " + parent.name)
			}
			parent.last = place
			stack = append(stack, open{name: e.Name.Local})
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		}
	}
}

func TestWriterFailsWhenTheOrderIsWrong(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(w *Writer){
		"a waypoint after a line": func(w *Writer) { w.BeginTrack("", true, ""); w.EndTrack(); w.Waypoint(Waypoint{}) },
		"a route after a track": func(w *Writer) {
			w.BeginTrack("", false, "")
			w.EndTrack()
			w.BeginTrack("", true, "")
			w.EndTrack()
		},
		"a line in a line":         func(w *Writer) { w.BeginTrack("", false, ""); w.BeginTrack("", false, ""); w.EndTrack() },
		"a segment without a line": func(w *Writer) { w.BeginSegment() },
		"a point without a line":   func(w *Writer) { w.Point(track.Point{}) },
		"a point without a segment": func(w *Writer) {
			w.BeginTrack("", false, "")
			w.Point(track.Point{})
		},
		"an end without a line":           func(w *Writer) { w.EndTrack() },
		"a line that is not ended":        func(w *Writer) { w.BeginTrack("", true, "") },
		"a file that is ended twice":      func(w *Writer) { _ = w.Close() },
		"a point that is not on earth":    func(w *Writer) { w.BeginTrack("", true, ""); w.Point(track.Point{Lat: 90.1}); w.EndTrack() },
		"a waypoint that is no place":     func(w *Writer) { w.Waypoint(Waypoint{Lon: math.NaN()}) },
		"a segment of a route that ended": func(w *Writer) { w.BeginTrack("", true, ""); w.EndTrack(); w.BeginSegment() },
	} {
		w := NewWriter(io.Discard, Metadata{})
		if write(w); w.Close() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// failing is a writer that fails after some bytes.
type failing struct{ left, writes int }

var errFull = errors.New("disk full")

func (f *failing) Write(p []byte) (int, error) {
	if f.writes++; len(p) > f.left {
		return f.left, errFull
	}
	f.left -= len(p)
	return len(p), nil
}

func TestWriterKeepsTheFirstErrorAndWritesNothingAfterIt(t *testing.T) {
	t.Parallel()
	out := &failing{left: 3 * flushSize}
	if err := writeLong(out, 100_000); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
	if out.writes > 4 {
		t.Errorf("%d writes, the first error was at the third or fourth", out.writes)
	}
}

// writeLong writes a recorded track of this many points.
func writeLong(out io.Writer, points int) error {
	w := NewWriter(out, Metadata{Name: "Long"})
	w.BeginTrack("Long", false, "")
	w.BeginSegment()
	start := millis("2026-11-01T00:00:00Z")
	for i := range points {
		w.Point(track.Point{Lon: 124 + float64(i)*1e-6, Lat: -8 - float64(i%1000)*1e-7, Elevation: float32(i%1000) / 8, Time: start + int64(i)*1000})
	}
	w.EndTrack()
	return w.Close()
}

// The memory does not depend on the number of points: there is the buffer, and nothing for each point.
// Not parallel: other tests would count.
func TestWriterNeedsFlatMemory(t *testing.T) {
	allocations := func(points int) float64 {
		return testing.AllocsPerRun(3, func() {
			if err := writeLong(io.Discard, points); err != nil {
				t.Error(err)
			}
		})
	}
	if few, many := allocations(10), allocations(50_000); many > few+5 {
		t.Errorf("%v allocations for 50,000 points, %v for 10", many, few)
	}
}

func BenchmarkWriteGPX(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if err := writeLong(io.Discard, 1_000_000); err != nil {
			b.Fatal(err)
		}
	}
}
