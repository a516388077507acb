package journeys

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/warning"
)

// parseGeoJSON reads the points of a GeoJSON text (RFC 7946) in their order: points, multipoints and the vertices of lines.
// It reads the properties name (or title), marker_type, timestamp, estimated_time (or time) and notes (or description,
// desc). Without a marker_type, a point with only a timestamp is past, any other is planned. The line of a route file that
// this API wrote is skipped: its points are in the file too.
//
// Features are read one by one, so the memory needed is bounded by the size of the file.
func parseGeoJSON(raw []byte, w *warning.Collector) ([]marker, error) {
	var top struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(raw, &top); err != nil {
		return nil, malformedJSON(raw, err)
	}
	r := &geoReader{warnings: w}
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
	found    []marker
	warnings *warning.Collector
}

// collection reads the features one by one. The member "features" may be at any position in the object.
func (r *geoReader) collection(raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil { // the opening brace
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
		err = forEachElement(d, func(i int, element json.RawMessage) error {
			place := fmt.Sprintf("features[%d]", i)
			if i > maxMarkers { // a route file has one feature more than points: its line
				return errTooManyPoints(place)
			}
			return r.feature(element, place)
		})
		if err != nil {
			return withPlace(err, "features")
		}
	}
	return nil
}

// forEachElement reads an array and calls f with each element. It stops at the first error of f.
func forEachElement(d *json.Decoder, f func(i int, element json.RawMessage) error) error {
	open, err := d.Token()
	if err != nil || open != json.Delim('[') {
		return errNotArray
	}
	for i := 0; d.More(); i++ {
		var element json.RawMessage
		if err := d.Decode(&element); err != nil {
			return errNotArray
		}
		if err := f(i, element); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil && !errors.Is(err, io.EOF) {
		return errNotArray
	}
	return nil
}

var errNotArray = errors.New("not an array")

// withPlace returns a broken-file error with the place for errNotArray, and any other error unchanged.
func withPlace(err error, place string) error {
	if errors.Is(err, errNotArray) {
		return errBrokenFile(place, "expected an array")
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
		return errBrokenFile(place, "expected a feature")
	}
	if kind, _ := f.Properties.text("kind"); kind == kindRoute {
		return nil
	}
	if len(f.Geometry) == 0 || string(f.Geometry) == "null" { // a feature without a place (RFC 7946, 3.2)
		r.warnings.Add(place, warning.PointDropped)
		return nil
	}
	return r.geometry(f.Geometry, place+".geometry", f.Properties)
}

// geometry adds the points of a geometry. All of them get the same properties.
func (r *geoReader) geometry(raw []byte, place string, p properties) error {
	var g struct {
		Type        string          `json:"type"`
		Coordinates json.RawMessage `json:"coordinates"`
	}
	if err := json.Unmarshal(raw, &g); err != nil {
		return errBrokenFile(place, "expected a geometry")
	}
	depth, known := map[string]int{"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2}[g.Type]
	if !known {
		return errBrokenFile(place+".type", "expected Point, MultiPoint, LineString or MultiLineString")
	}
	return r.positions(g.Coordinates, place+".coordinates", depth, p.marker(place, r.warnings))
}

// positions adds a copy of m for each position in an array of the given depth; depth 0 is one position.
func (r *geoReader) positions(raw []byte, place string, depth int, m marker) error {
	if depth == 0 {
		return r.position(raw, place, m)
	}
	err := forEachElement(json.NewDecoder(bytes.NewReader(raw)), func(i int, element json.RawMessage) error {
		return r.positions(element, fmt.Sprintf("%s[%d]", place, i), depth-1, m)
	})
	return withPlace(err, place)
}

func (r *geoReader) position(raw []byte, place string, m marker) error {
	if len(r.found) == maxMarkers {
		return errTooManyPoints(place)
	}
	var at []float64
	if err := json.Unmarshal(raw, &at); err != nil || len(at) < 2 || len(at) > 3 {
		return errBrokenFile(place, "expected longitude, latitude and perhaps altitude")
	}
	m.Lon, m.Lat = at[0], at[1]
	if m.Lon == 0 && m.Lat == 0 { // a phone without a place
		r.warnings.Add(place, warning.PointDropped)
		return nil
	}
	if strings.TrimSpace(m.Name) == "" {
		m.Name = fmt.Sprintf("Point %d", len(r.found)+1)
	}
	m, err := checkImported(m, place, r.warnings)
	if err != nil {
		return err
	}
	r.found = append(r.found, m)
	return nil
}

// properties are the members of a feature's "properties". Programs use different names for the same thing.
type properties map[string]json.RawMessage

// text returns the first of the named members that is a non-empty string.
func (p properties) text(names ...string) (string, bool) {
	for _, name := range names {
		var s string
		if raw, ok := p[name]; ok && json.Unmarshal(raw, &s) == nil && s != "" {
			return s, true
		}
	}
	return "", false
}

// marker returns a marker without a place, with the fields that the properties have.
func (p properties) marker(place string, w *warning.Collector) marker {
	var m marker
	m.Name, _ = p.text("name", "title")
	m.Notes, _ = p.text("notes", "description", "desc")
	stamp, past := p.text("timestamp")
	estimate, planned := p.text("estimated_time")
	stated, hasType := p.text("marker_type")
	m.Type = locale.FoldWord(stated)
	if !hasType {
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
	if past {
		m.HappenedOn = day(place, &stamp, w)
	}
	if planned {
		m.PlannedOn = day(place, &estimate, w)
	}
	return m
}

// malformedJSON returns the broken-file error with the line at which the text is not valid JSON.
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
	return errBrokenFile(fmt.Sprintf("line %d", line), "expected well-formed GeoJSON")
}
