package journeys

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding/unicode"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/warning"
)

// maxDepth bounds the nesting of elements; GPX itself needs five.
const maxDepth = 32

// gpxPoints are the elements that are points, with the name for a point without one.
var gpxPoints = map[string]string{"wpt": "Waypoint", "trkpt": "Track point", "rtept": "Route point"}

// parseGPX reads the points of a GPX file in their order. A track point is past, a route point planned. A waypoint has the
// type in its type element ("past" or "plan"); without one it is past when its time is not after now, else planned. Days
// are days in UTC.
//
// Document types are refused, so no entity is ever expanded. Elements are read one by one, so the memory needed is
// bounded by the size of the file.
func parseGPX(raw []byte, now time.Time, w *warning.Collector) ([]marker, error) {
	raw, err := utf8Of(raw)
	if err != nil {
		return nil, errBrokenFile("line 1", "expected readable UTF-16")
	}
	d := xml.NewDecoder(bytes.NewReader(raw))
	d.CharsetReader = charsetReader
	r := gpxReader{d: d, now: now, warnings: w}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			if !r.hasRoot {
				return nil, r.broken("expected a gpx element")
			}
			return r.found, nil
		}
		if err != nil {
			return nil, r.malformed(err)
		}
		if err := r.handle(token); err != nil {
			return nil, err
		}
	}
}

// utf8Of decodes UTF-16 with a byte order mark, and returns any other text unchanged.
func utf8Of(raw []byte) ([]byte, error) {
	if !bytes.HasPrefix(raw, []byte("\xff\xfe")) && !bytes.HasPrefix(raw, []byte("\xfe\xff")) {
		return raw, nil
	}
	return unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Bytes(raw)
}

// charsetReader decodes the encoding that a file states. UTF-16 is decoded already, or stated by mistake: a declaration that
// can be read is not written in it.
func charsetReader(label string, input io.Reader) (io.Reader, error) {
	if strings.HasPrefix(strings.ToLower(label), "utf-16") {
		return input, nil
	}
	return charset.NewReaderLabel(label, input)
}

type gpxReader struct {
	d       *xml.Decoder
	now     time.Time
	depth   int
	hasRoot bool
	found   []marker

	warnings *warning.Collector
}

// gpxPoint is what is used of a point, as text: a fault in one value does not lose the others.
type gpxPoint struct {
	Lat  string `xml:"lat,attr"`
	Lon  string `xml:"lon,attr"`
	Name string `xml:"name"`
	Desc string `xml:"desc"`
	Cmt  string `xml:"cmt"`
	Type string `xml:"type"`
	Time string `xml:"time"`
}

// place returns the degrees of the point. It is false where they are missing or cannot be read, and for 0,0: a phone
// writes that when it does not know its place.
func (p *gpxPoint) place() (float64, float64, bool) {
	lon, errLon := strconv.ParseFloat(strings.Replace(strings.TrimSpace(p.Lon), ",", ".", 1), 64)
	lat, errLat := strconv.ParseFloat(strings.Replace(strings.TrimSpace(p.Lat), ",", ".", 1), 64)
	return lon, lat, errLon == nil && errLat == nil && (lon != 0 || lat != 0)
}

func (r *gpxReader) place() string {
	line, _ := r.d.InputPos()
	return fmt.Sprintf("line %d", line)
}

func (r *gpxReader) broken(message string) error { return errBrokenFile(r.place(), message) }

// malformed returns the broken-file error for a parser error. It names the line and leaves out the text of the file.
func (r *gpxReader) malformed(err error) error {
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) {
		return errBrokenFile(fmt.Sprintf("line %d", syntax.Line), "expected well-formed XML")
	}
	return r.broken("expected a GPX element with readable values")
}

func (r *gpxReader) handle(token xml.Token) error {
	switch t := token.(type) {
	case xml.Directive:
		return r.broken("expected no document type")
	case xml.EndElement:
		r.depth--
	case xml.StartElement:
		r.depth++
		if r.depth > maxDepth {
			return r.broken("expected less nesting")
		}
		if r.depth == 1 {
			if t.Name.Local != "gpx" {
				return r.broken("expected a gpx element")
			}
			r.hasRoot = true
		}
		if _, ok := gpxPoints[t.Name.Local]; ok {
			r.depth--
			return r.point(t)
		}
	}
	return nil
}

func (r *gpxReader) point(start xml.StartElement) error {
	place := r.place()
	if len(r.found) == maxMarkers {
		return errTooManyPoints(place)
	}
	var p gpxPoint
	if err := r.d.DecodeElement(&p, &start); err != nil {
		return r.malformed(err)
	}
	lon, lat, ok := p.place()
	if !ok {
		r.warnings.Add(place, warning.PointDropped)
		return nil
	}
	at, timed := timestamp.ParseAny(p.Time, time.UTC)
	if !timed && strings.TrimSpace(p.Time) != "" {
		r.warnings.Add(place, warning.Unreadable)
	}
	m := marker{Name: p.Name, Notes: p.Desc, Lon: lon, Lat: lat, Type: r.kind(start.Name.Local, p.Type, at, timed)}
	if strings.TrimSpace(m.Name) == "" {
		m.Name = fmt.Sprintf("%s %d", gpxPoints[start.Name.Local], len(r.found)+1)
	}
	if strings.TrimSpace(m.Notes) == "" {
		m.Notes = p.Cmt
	}
	if timed {
		date := timestamp.DateOf(at).String()
		if on := day(place, &date, r.warnings); m.Type == markerPast {
			m.HappenedOn = on
		} else {
			m.PlannedOn = on
		}
	}
	m, err := checkImported(m, place, r.warnings)
	if err != nil {
		return err
	}
	r.found = append(r.found, m)
	return nil
}

// kind returns the marker type of a point: from the element that it is, else from its stated type, else from its time.
// Without a time it is planned.
func (r *gpxReader) kind(element, stated string, at time.Time, timed bool) string {
	stated = locale.FoldWord(stated)
	switch {
	case element == "trkpt":
		return markerPast
	case element == "rtept":
		return markerPlan
	case stated == markerPast || stated == markerPlan:
		return stated
	case timed && !at.After(r.now):
		return markerPast
	}
	return markerPlan
}
