package journeys

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// readGeoJSON reads the points of a GeoJSON text (RFC 7946) in their order: those
// of points and multipoints, and the vertices of lines. The properties name,
// marker_type, timestamp, estimated_time (or time) and notes (or description,
// desc) are read; without a marker_type a point is past when it has a timestamp,
// else planned. The line of our own route files is left out, its points follow.
//
// Features are read one by one, so memory is bounded by the file.
func readGeoJSON(raw []byte) ([]marker, error) {
	var top struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(raw, &top); err != nil {
		return nil, malformedJSON(raw, err)
	}
	r := &geoReader{}
	var err error
	switch top.Type {
	case "FeatureCollection":
		err = r.collection(raw)
	case "Feature":
		err = r.feature(raw, "feature")
	default:
		err = r.geometry(raw, "geometry", properties{})
	}
	return r.found, err
}

type geoReader struct {
	found []marker
}

// collection reads the features as they come, wherever the member stands.
func (r *geoReader) collection(raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil { // the opening brace, which was seen before
		return malformedJSON(raw, err)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return malformedJSON(raw, err)
		}
		if key != "features" {
			var skipped json.RawMessage
			if err := d.Decode(&skipped); err != nil {
				return malformedJSON(raw, err)
			}
			continue
		}
		err = elements(d, func(i int, element json.RawMessage) error {
			place := fmt.Sprintf("features[%d]", i)
			if i > maxMarkers { // one more than points: the line of a route file
				return errTooManyPoints(place)
			}
			return r.feature(element, place)
		})
		if err != nil {
			return placed(err, "features")
		}
	}
	return nil
}

// elements reads an array one element at a time. An error of f ends it.
func elements(d *json.Decoder, f func(i int, element json.RawMessage) error) error {
	open, err := d.Token()
	if err != nil || open != json.Delim('[') {
		return errNoArray
	}
	for i := 0; d.More(); i++ {
		var element json.RawMessage
		if err := d.Decode(&element); err != nil {
			return errNoArray
		}
		if err := f(i, element); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil && !errors.Is(err, io.EOF) {
		return errNoArray
	}
	return nil
}

var errNoArray = errors.New("not an array")

// placed names the place of a missing array; other faults name their own.
func placed(err error, place string) error {
	if errors.Is(err, errNoArray) {
		return brokenAt(place, "expected an array")
	}
	return err
}

func (r *geoReader) feature(raw []byte, place string) error {
	var f struct {
		Type       string          `json:"type"`
		Geometry   json.RawMessage `json:"geometry"`
		Properties properties      `json:"properties"`
	}
	if err := json.Unmarshal(raw, &f); err != nil || f.Type != "Feature" {
		return brokenAt(place, "expected a feature")
	}
	if kind, _ := f.Properties.text("kind"); kind == kindRoute {
		return nil
	}
	return r.geometry(f.Geometry, place+".geometry", f.Properties)
}

// geometry adds the points of a geometry, all with the same properties.
func (r *geoReader) geometry(raw []byte, place string, p properties) error {
	var g struct {
		Type        string          `json:"type"`
		Coordinates json.RawMessage `json:"coordinates"`
	}
	if err := json.Unmarshal(raw, &g); err != nil {
		return brokenAt(place, "expected a geometry")
	}
	depth, known := map[string]int{"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2}[g.Type]
	if !known {
		return brokenAt(place+".type", "expected Point, MultiPoint, LineString or MultiLineString")
	}
	m, err := p.marker(place)
	if err != nil {
		return err
	}
	return r.positions(g.Coordinates, place+".coordinates", depth, m)
}

// positions adds a marker like m for each position of an array nested depth deep.
func (r *geoReader) positions(raw []byte, place string, depth int, m marker) error {
	if depth == 0 {
		return r.position(raw, place, m)
	}
	err := elements(json.NewDecoder(bytes.NewReader(raw)), func(i int, element json.RawMessage) error {
		return r.positions(element, fmt.Sprintf("%s[%d]", place, i), depth-1, m)
	})
	return placed(err, place)
}

func (r *geoReader) position(raw []byte, place string, m marker) error {
	if len(r.found) == maxMarkers {
		return errTooManyPoints(place)
	}
	var at []float64
	if err := json.Unmarshal(raw, &at); err != nil || len(at) < 2 || len(at) > 3 {
		return brokenAt(place, "expected longitude, latitude and perhaps altitude")
	}
	m.Lon, m.Lat = at[0], at[1]
	if strings.TrimSpace(m.Name) == "" {
		m.Name = fmt.Sprintf("Point %d", len(r.found)+1)
	}
	m, err := checked(m, place)
	if err != nil {
		return err
	}
	r.found = append(r.found, m)
	return nil
}

// properties are a feature's members that programs disagree on.
type properties map[string]json.RawMessage

// text is the first of the named members that is a text.
func (p properties) text(names ...string) (string, bool) {
	for _, name := range names {
		var s string
		if raw, ok := p[name]; ok && json.Unmarshal(raw, &s) == nil && s != "" {
			return s, true
		}
	}
	return "", false
}

// marker is what the properties say of each point of their geometry.
func (p properties) marker(place string) (marker, error) {
	var m marker
	m.Name, _ = p.text("name", "title")
	m.Notes, _ = p.text("notes", "description", "desc")
	stamp, past := p.text("timestamp")
	estimate, planned := p.text("estimated_time")
	stated, said := p.text("marker_type")
	m.Type = locale.FoldWord(stated)
	if !said {
		m.Type = markerPlan
		if past && !planned {
			m.Type = markerPast
		}
	}
	if other, ok := p.text("time"); ok && !past && !planned {
		if m.Type == markerPast {
			stamp, past = other, true
		} else {
			estimate, planned = other, true
		}
	}
	for _, date := range []struct {
		sent bool
		text string
		into **time.Time
	}{{past, stamp, &m.HappenedOn}, {planned, estimate, &m.PlannedOn}} {
		if !date.sent {
			continue
		}
		var d timestamp.Date
		if err := d.UnmarshalText([]byte(date.text)); err != nil {
			return m, brokenAt(place, "expected dates as YYYY-MM-DD")
		}
		*date.into = &d.Time
	}
	return m, nil
}

// malformedJSON says in which line the text stops being JSON.
func malformedJSON(raw []byte, err error) error {
	offset := int64(len(raw))
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &wrong):
		offset = wrong.Offset
	}
	line := 1 + bytes.Count(raw[:min(max(offset, 0), int64(len(raw)))], []byte("\n"))
	return brokenAt(fmt.Sprintf("line %d", line), "expected well-formed GeoJSON")
}
