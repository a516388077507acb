package trackfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lafaekstreet/backend/shared/warning"
)

// readGeoJSON reads GeoJSON (RFC 7946) in UTF-8: a feature collection, a feature or a geometry. Points and multipoints become
// waypoints. A line becomes a track, and so does a multiline: its lines are the segments. Other geometries are left out with
// a warning. The line of a route file that this API derived from its markers (property kind is route) is skipped.
//
// The file is read in one pass. Beside the result, memory holds the positions of one feature. Members may have any order. Of
// two members with the same name the last one counts.
func readGeoJSON(src io.Reader, now time.Time, w *warning.Collector) (*File, error) {
	r := newGeoReader(src, now, w)
	if err := r.document(); err != nil {
		return nil, r.fault(err)
	}
	return r.found.done()
}

type geoReader struct {
	found   collector
	d       *jsontext.Decoder
	lines   *lineCounter
	scratch scratch // of the feature that is being read
}

func newGeoReader(src io.Reader, now time.Time, w *warning.Collector) *geoReader {
	lines := &lineCounter{src: src}
	return &geoReader{lines: lines, found: collector{now: now, warnings: w},
		d: jsontext.NewDecoder(lines, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
}

// document reads the whole file. The features of a collection are added while they are read.
func (r *geoReader) document() error {
	if r.d.PeekKind() != '{' {
		if _, err := r.d.ReadToken(); err != nil {
			return err
		}
		return ErrUnknownFormat
	}
	var top feature
	if err := r.feature(&top, "", r.features); err != nil {
		return err
	}
	if err := r.end(); err != nil {
		return err
	}
	if top.kind == "FeatureCollection" {
		return nil
	}
	r.found.reset() // a member named features of another object means nothing
	if !top.known() {
		return ErrUnknownFormat
	}
	return r.add(&top)
}

// end reads what follows the object: white space, and the zeros that some devices write there.
func (r *geoReader) end() error {
	line := r.lineAt(r.d.InputOffset())
	rest := io.MultiReader(bytes.NewReader(bytes.Clone(r.d.UnreadBuffer())), r.lines)
	for block := make([]byte, 4096); ; {
		n, err := rest.Read(block)
		text := bytes.TrimLeft(block[:n], " \t\r\n\x00")
		line += bytes.Count(block[:n-len(text)], []byte("\n"))
		if len(text) > 0 {
			return faultAt(line, "expected nothing after the end of the GeoJSON object")
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// features reads the member "features" of a collection.
func (r *geoReader) features() error {
	r.found.reset() // of an earlier member with this name
	if r.d.PeekKind() != '[' {
		if err := r.d.SkipValue(); err != nil {
			return err
		}
		return &Fault{"features", "expected an array"}
	}
	own := r.scratch // of the object that the features are a member of
	defer func() { r.scratch = own }()
	r.scratch = scratch{}
	return r.elements(func(i int) error {
		place := fmt.Sprintf("features[%d]", i)
		if r.d.PeekKind() != '{' {
			r.found.warnings.Add(place, warning.ShapeDropped)
			return r.d.SkipValue()
		}
		var f feature
		if err := r.feature(&f, place, r.d.SkipValue); err != nil {
			return err
		}
		return r.add(&f)
	})
}

// feature is an object of the file: a feature, or a geometry in its place.
type feature struct {
	geometry            // the members of a geometry
	inner    geometry   // the member "geometry" of a feature
	lacks    bool       // the member "geometry" is missing or null
	texts    properties // of a feature
}

// known reports whether the object is GeoJSON.
func (f *feature) known() bool {
	switch f.kind {
	case "Feature", "Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection":
		return true
	}
	return false
}

// feature reads an object at place; place is empty for the object that is the whole file. It calls collection for the member
// "features".
func (r *geoReader) feature(f *feature, place string, collection func() error) error {
	r.scratch.reset()
	f.place, f.lacks = place, true
	return r.members(func(name string) error {
		switch name {
		case "features":
			return collection()
		case "geometry":
			f.inner = geometry{}
			f.lacks = r.d.PeekKind() == 'n'
			return r.geometry(&f.inner, join(place, name), 0)
		case "properties":
			f.texts = properties{place: join(place, name)}
			return r.properties(&f.texts)
		}
		return r.geometryMember(&f.geometry, name, 0)
	})
}

// members reads an object and calls read at the value of each member. read must consume the value.
func (r *geoReader) members(read func(name string) error) error {
	if _, err := r.d.ReadToken(); err != nil {
		return err
	}
	for {
		token, err := r.d.ReadToken()
		if err != nil || token.Kind() == '}' {
			return err
		}
		if err := read(token.String()); err != nil {
			return err
		}
	}
}

// elements reads an array and calls read at each element. read must consume the element.
func (r *geoReader) elements(read func(i int) error) error {
	if _, err := r.d.ReadToken(); err != nil {
		return err
	}
	return r.rest(read)
}

// rest is elements for an array whose opening bracket is read.
func (r *geoReader) rest(read func(i int) error) error {
	for i := 0; ; i++ {
		if kind := r.d.PeekKind(); kind == ']' || kind == 0 { // 0 is an error, which ReadToken returns
			_, err := r.d.ReadToken()
			return err
		}
		if err := read(i); err != nil {
			return err
		}
	}
}

// text reads a value. It returns a text or a number as text, and "" for any other value.
func (r *geoReader) text() (string, error) {
	if kind := r.d.PeekKind(); kind != '"' && kind != '0' {
		return "", r.d.SkipValue()
	}
	token, err := r.d.ReadToken()
	if err != nil {
		return "", err
	}
	return token.String(), nil
}

func join(place, member string) string { return strings.TrimPrefix(place+"."+member, ".") }

// fault returns the error for what ended the reading. An error of the source is returned as it is.
func (r *geoReader) fault(err error) error {
	var syntax *jsontext.SyntacticError
	var fault *Fault
	switch {
	case errors.As(err, &fault):
		return fault
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return faultAt(1+r.lines.ends, "the file ends too early")
	case errors.As(err, &syntax):
		return faultAt(r.lineAt(syntax.ByteOffset), "expected well-formed JSON")
	}
	return err
}

func faultAt(line int, message string) *Fault { return &Fault{fmt.Sprintf("line %d", line), message} }

// lineAt is the line of a byte that the decoder has in its buffer.
func (r *geoReader) lineAt(offset int64) int {
	unread := r.d.UnreadBuffer()
	ahead := min(max(int(offset-r.d.InputOffset()), 0), len(unread))
	return 1 + r.lines.ends - bytes.Count(unread[ahead:], []byte("\n"))
}

// lineCounter counts the line ends of what is read through it.
type lineCounter struct {
	src  io.Reader
	ends int
}

// Read implements io.Reader.
func (l *lineCounter) Read(p []byte) (int, error) {
	n, err := l.src.Read(p)
	l.ends += bytes.Count(p[:n], []byte("\n"))
	return n, err
}
