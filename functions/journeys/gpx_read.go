package journeys

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	gpx "github.com/twpayne/go-gpx"
	"golang.org/x/net/html/charset"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// maxDepth bounds the nesting of elements; GPX itself needs five.
const maxDepth = 32

// gpxPoints names the elements that are points, and what a nameless one is called.
var gpxPoints = map[string]string{"wpt": "Waypoint", "trkpt": "Track point", "rtept": "Route point"}

// readGPX reads the points of a GPX file in their order. A track point is past, a
// route point planned; a waypoint is what its type element says ("past" or
// "plan"), else past when its time is not after now, else planned. Days are UTC's.
//
// Document types are refused, so there are no entities to expand; elements are
// read one by one, so memory is bounded by the file.
func readGPX(raw []byte, now time.Time) ([]marker, error) {
	d := xml.NewDecoder(bytes.NewReader(raw))
	d.CharsetReader = charset.NewReaderLabel
	r := gpxReader{d: d, now: now}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			if !r.rooted {
				return nil, r.broken("expected a gpx element")
			}
			return r.found, nil
		}
		if err != nil {
			return nil, r.malformed(err)
		}
		if err := r.take(token); err != nil {
			return nil, err
		}
	}
}

type gpxReader struct {
	d      *xml.Decoder
	now    time.Time
	depth  int
	rooted bool
	found  []marker
}

func (r *gpxReader) place() string {
	line, _ := r.d.InputPos()
	return fmt.Sprintf("line %d", line)
}

func (r *gpxReader) broken(message string) error { return brokenAt(r.place(), message) }

// malformed says where without repeating what the parser found there.
func (r *gpxReader) malformed(err error) error {
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) {
		return brokenAt(fmt.Sprintf("line %d", syntax.Line), "expected well-formed XML")
	}
	return r.broken("expected a GPX element with readable values")
}

func (r *gpxReader) take(token xml.Token) error {
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
			r.rooted = true
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
	if !hasAttributes(start, "lat", "lon") {
		return brokenAt(place, "expected the attributes lat and lon")
	}
	var w gpx.WptType
	if err := r.d.DecodeElement(&w, &start); err != nil {
		var syntax *xml.SyntaxError
		if errors.As(err, &syntax) {
			return r.malformed(err)
		}
		return brokenAt(place, "expected numbers and an RFC 3339 time where GPX has them")
	}
	m := marker{Name: w.Name, Notes: w.Desc, Lon: w.Lon, Lat: w.Lat, Type: r.kind(start.Name.Local, &w)}
	if strings.TrimSpace(m.Name) == "" {
		m.Name = fmt.Sprintf("%s %d", gpxPoints[start.Name.Local], len(r.found)+1)
	}
	if strings.TrimSpace(m.Notes) == "" {
		m.Notes = w.Cmt
	}
	if !w.Time.IsZero() {
		day := timestamp.DateOf(w.Time).Time
		if m.Type == markerPast {
			m.HappenedOn = &day
		} else {
			m.PlannedOn = &day
		}
	}
	m, err := checked(m, place)
	if err != nil {
		return err
	}
	r.found = append(r.found, m)
	return nil
}

func (r *gpxReader) kind(element string, w *gpx.WptType) string {
	stated := locale.FoldWord(w.Type)
	switch {
	case element == "trkpt":
		return markerPast
	case element == "rtept":
		return markerPlan
	case stated == markerPast || stated == markerPlan:
		return stated
	case !w.Time.IsZero() && !w.Time.After(r.now):
		return markerPast
	}
	return markerPlan
}

func hasAttributes(start xml.StartElement, names ...string) bool {
	for _, name := range names {
		there := false
		for _, a := range start.Attr {
			there = there || a.Name.Local == name
		}
		if !there {
			return false
		}
	}
	return true
}
