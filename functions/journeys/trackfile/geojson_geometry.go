package trackfile

import (
	"fmt"
	"math"

	"github.com/lafaekstreet/backend/functions/journeys/track"
	"github.com/lafaekstreet/backend/shared/warning"
)

// maxCollections bounds how deep geometry collections are nested.
const maxCollections = 8

// geometry is a geometry of the file.
type geometry struct {
	kind        string // the member "type"; empty when it is missing or no text
	place       string
	coordinates positions
	members     []geometry // the member "geometries"
}

// positions are the positions of a member "coordinates", whatever the type of the geometry is: the type may follow.
type positions struct {
	from, to int  // in scratch.positions
	tooMany  bool // there are more than a file may have; only the first are kept
}

// position is a position of the file.
type position struct {
	track.Point              // the longitude is NaN when the file has no place here
	noHeight    warning.Code // why the third value is not taken; empty when it is, is null or is missing
	// line is the number of the array in "coordinates" that the position is an element of; direct when it is an element of
	// "coordinates"; whole when it is the value of "coordinates".
	line  int
	index int // in that array
}

const (
	direct = -1
	whole  = -2
)

// scratch holds the positions and times of a feature. Each feature uses the memory again.
type scratch struct {
	positions []position
	times     coordinateTimes
}

func (s *scratch) reset() {
	s.positions, s.times = s.positions[:0], coordinateTimes{values: s.times.values[:0]}
}

// geometry reads a geometry at place. A value that is no object leaves g without a type.
func (r *geoReader) geometry(g *geometry, place string, depth int) error {
	g.place = place
	if r.d.PeekKind() != '{' || depth > maxCollections {
		return r.d.SkipValue()
	}
	return r.members(func(name string) error { return r.geometryMember(g, name, depth) })
}

// geometryMember reads the value of a member of a geometry.
func (r *geoReader) geometryMember(g *geometry, name string, depth int) error {
	switch name {
	case "type":
		kind, err := r.text()
		g.kind = kind
		return err
	case "coordinates":
		g.coordinates = positions{}
		if r.d.PeekKind() == '[' && g.kind != "Polygon" && g.kind != "MultiPolygon" {
			return r.coordinates(&g.coordinates)
		}
	case "geometries":
		g.members = nil
		if r.d.PeekKind() == '[' {
			return r.elements(func(i int) error {
				if i == track.MaxPoints {
					return ErrTooManyPoints
				}
				g.members = append(g.members, geometry{})
				return r.geometry(&g.members[i], fmt.Sprintf("%s[%d]", join(g.place, name), i), depth+1)
			})
		}
	}
	return r.d.SkipValue()
}

// coordinates reads an array of coordinates of any type.
func (r *geoReader) coordinates(p *positions) error {
	p.from = len(r.scratch.positions)
	if _, err := r.d.ReadToken(); err != nil {
		return err
	}
	var err error
	if kind := r.d.PeekKind(); kind == '0' || kind == '"' {
		err = r.position(whole, 0)
	} else {
		err = r.rest(func(i int) error { return r.element(p, direct, i) })
	}
	p.to = len(r.scratch.positions)
	return err
}

// element reads the element i of "coordinates" or of one of its arrays. What is no position there counts as one without a
// place.
func (r *geoReader) element(p *positions, line, i int) error {
	if p.tooMany = p.tooMany || len(r.scratch.positions) == track.MaxPoints; p.tooMany {
		return r.d.SkipValue()
	}
	if r.d.PeekKind() != '[' {
		r.scratch.positions = append(r.scratch.positions, noPosition(line, i))
		return r.d.SkipValue()
	}
	if _, err := r.d.ReadToken(); err != nil {
		return err
	}
	if line == direct && r.d.PeekKind() == '[' {
		return r.rest(func(j int) error { return r.element(p, i, j) })
	}
	return r.position(line, i)
}

func noPosition(line, index int) position {
	nan := math.NaN()
	return position{Point: track.Point{Lon: nan, Lat: nan, Elevation: float32(nan), Time: track.NoTime}, line: line, index: index}
}

// position reads the rest of an array of numbers: longitude, latitude, perhaps elevation, and others that are ignored.
func (r *geoReader) position(line, index int) error {
	p := noPosition(line, index)
	var values [3]float64
	known := 0 // values before the first that is missing or no number
	err := r.rest(func(i int) error {
		if i >= len(values) {
			return r.d.SkipValue()
		}
		missing := r.d.PeekKind() == 'n'
		v, ok, err := r.number()
		if ok && known == i {
			values[i], known = v, i+1
		}
		if i == 2 && !ok && !missing {
			p.noHeight = warning.Unreadable
		}
		return err
	})
	if known >= 2 && onEarth(values[0], values[1]) {
		p.Lon, p.Lat = values[0], values[1]
	}
	switch {
	case known < 3:
	case values[2] < lowest || values[2] > highest:
		p.noHeight = warning.OutOfRange
	default:
		p.Elevation = float32(values[2])
	}
	r.scratch.positions = append(r.scratch.positions, p)
	return err
}

// number reads a value. It is false when the value is neither a number nor a text with a number.
func (r *geoReader) number() (float64, bool, error) {
	kind := r.d.PeekKind()
	if kind != '0' && kind != '"' {
		return 0, false, r.d.SkipValue()
	}
	token, err := r.d.ReadToken()
	if err != nil {
		return 0, false, err
	}
	if kind == '0' {
		return token.Float(), true, nil // the largest number where it is too large
	}
	v, ok := number(token.String())
	return v, ok, nil
}
