package trackfile

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/lafaekstreet/backend/functions/journeys/track"
)

// Metadata is what a GPX file says about itself. An empty text and a zero time are left out.
type Metadata struct {
	Name        string
	Description string
	Time        time.Time
}

// flushSize is how many bytes a Writer collects before it writes them.
const flushSize = 32 << 10

// Writer writes a GPX 1.1 file: first all waypoints, then all routes, then all tracks. Its memory does not grow with the file.
// After an error it writes nothing more, and Close returns the error.
type Writer struct {
	out   io.Writer
	buf   []byte
	err   error
	stage stage
	route bool // the open line is a route; a route has no segments in GPX
}

// stage is what was written last. Stages follow each other in the order that the GPX schema prescribes.
type stage int

const (
	beforeLines stage = iota
	afterRoute
	openRoute
	afterTrack
	openTrack
	openSegment
	ended
)

var errOrder = errors.New("write GPX: waypoints, routes and tracks are not in the order of the schema")

// NewWriter starts a file.
func NewWriter(out io.Writer, m Metadata) *Writer {
	w := &Writer{out: out, buf: make([]byte, 0, flushSize+1024)}
	w.raw(xml.Header + `<gpx version="1.1" creator="LafaekStreet" xmlns="http://www.topografix.com/GPX/1/1">` + "\n")
	if m == (Metadata{}) {
		return w
	}
	w.raw("<metadata>")
	w.element("name", m.Name)
	w.element("desc", m.Description)
	if !m.Time.IsZero() {
		w.time(m.Time.UnixMilli())
	}
	w.raw("</metadata>\n")
	return w
}

// Waypoint writes a waypoint. Its day is written as midnight in UTC.
func (w *Writer) Waypoint(p Waypoint) {
	w.need(w.stage == beforeLines)
	w.place("wpt", p.Lon, p.Lat)
	if p.Day != nil {
		w.time(p.Day.UnixMilli())
	}
	w.element("name", p.Name)
	w.element("desc", p.Notes)
	kind := "past"
	if p.Planned {
		kind = "plan"
	}
	w.element("type", kind)
	w.raw("</wpt>\n")
}

// BeginTrack starts a route (rte) or a track (trk). An empty name or source is left out. Points follow BeginSegment.
func (w *Writer) BeginTrack(name string, route bool, source string) {
	tag, next := "<trk>", openTrack
	if route {
		tag, next = "<rte>", openRoute
	}
	w.need(w.stage == beforeLines || w.stage == afterRoute || w.stage == afterTrack && !route)
	w.stage, w.route = next, route
	w.raw(tag)
	w.element("name", name)
	w.element("src", source)
	w.raw("\n")
}

// BeginSegment starts a segment, and ends the one before. A route in GPX has no segments: its points become one list.
func (w *Writer) BeginSegment() {
	if w.route && w.stage == openRoute {
		return
	}
	w.need(w.stage == openTrack || w.stage == openSegment)
	w.endSegment()
	w.stage = openSegment
	w.raw("<trkseg>\n")
}

// Point writes a point of the open segment or route.
func (w *Writer) Point(p track.Point) {
	tag, end := "trkpt", "</trkpt>\n"
	if w.route {
		tag, end = "rtept", "</rtept>\n"
	}
	w.need(w.stage == openSegment || w.stage == openRoute)
	w.place(tag, p.Lon, p.Lat)
	if height := float64(p.Elevation); !math.IsNaN(height) && !math.IsInf(height, 0) {
		w.raw("<ele>")
		w.decimal(height, 2)
		w.raw("</ele>")
	}
	if p.Time != track.NoTime {
		w.time(p.Time)
	}
	w.raw(end)
}

// EndTrack ends what BeginTrack started.
func (w *Writer) EndTrack() {
	w.need(w.stage == openRoute || w.stage == openTrack || w.stage == openSegment)
	w.endSegment()
	if w.route {
		w.stage = afterRoute
		w.raw("</rte>\n")
		return
	}
	w.stage = afterTrack
	w.raw("</trk>\n")
}

func (w *Writer) endSegment() {
	if w.stage == openSegment {
		w.raw("</trkseg>\n")
	}
}

// Close ends the file and writes the rest of it. It does not close the underlying writer. It returns the first error.
func (w *Writer) Close() error {
	w.need(w.stage == beforeLines || w.stage == afterRoute || w.stage == afterTrack)
	w.stage = ended
	w.raw("</gpx>\n")
	w.flush()
	return w.err
}

// need keeps errOrder when the call is not allowed in this stage.
func (w *Writer) need(allowed bool) {
	if !allowed && w.err == nil {
		w.err = errOrder
	}
}

// place writes the start tag of a point.
func (w *Writer) place(tag string, lon, lat float64) {
	if !(math.Abs(lon) <= 180 && math.Abs(lat) <= 90) && w.err == nil { // NaN, too
		w.err = fmt.Errorf("write GPX: a %s is not on earth", tag)
	}
	w.raw("<" + tag + ` lat="`)
	w.decimal(lat, 7)
	w.raw(`" lon="`)
	w.decimal(lon, 7)
	w.raw(`">`)
}

// element writes an element with a text. Characters that XML does not allow are replaced.
func (w *Writer) element(tag, text string) {
	if text == "" || w.err != nil {
		return
	}
	var escaped bytes.Buffer
	if err := xml.EscapeText(&escaped, []byte(text)); err != nil {
		w.err = fmt.Errorf("write GPX: %w", err)
	}
	w.raw("<" + tag + ">" + escaped.String() + "</" + tag + ">")
}

// decimal writes a number with at most this many decimals, without zeros at the end.
func (w *Writer) decimal(v float64, decimals int) {
	scale := math.Pow10(decimals)
	scaled := int64(math.Round(math.Abs(v) * scale)) // strconv is several times slower with a fixed number of decimals
	if v < 0 && scaled != 0 {
		w.buf = append(w.buf, '-')
	}
	w.buf = strconv.AppendInt(w.buf, scaled/int64(scale), 10)
	rest := scaled % int64(scale)
	if rest == 0 {
		return
	}
	w.buf = append(w.buf, '.')
	for unit := int64(scale) / 10; rest > 0; unit /= 10 {
		w.buf = append(w.buf, byte('0'+rest/unit))
		rest %= unit
	}
}

// time writes a time element: RFC 3339 in UTC, with milliseconds only where there are some.
func (w *Writer) time(ms int64) {
	w.raw("<time>")
	w.buf = time.UnixMilli(ms).UTC().AppendFormat(w.buf, "2006-01-02T15:04:05.999Z07:00")
	w.raw("</time>")
}

func (w *Writer) raw(text string) {
	if w.buf = append(w.buf, text...); len(w.buf) >= flushSize {
		w.flush()
	}
}

func (w *Writer) flush() {
	if w.err == nil {
		if _, err := w.out.Write(w.buf); err != nil {
			w.err = fmt.Errorf("write GPX: %w", err)
		}
	}
	w.buf = w.buf[:0]
}
