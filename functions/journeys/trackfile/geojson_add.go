package trackfile

import (
	"fmt"
	"math"

	"github.com/lafaekstreet/backend/functions/journeys/track"
	"github.com/lafaekstreet/backend/shared/warning"
)

// derivedLine is the property kind of a line that this API derived from markers. The markers are in the same file.
const derivedLine = "route"

// add adds the waypoints and lines of a feature that was read whole.
func (r *geoReader) add(f *feature) error {
	if f.texts.kind == derivedLine {
		return nil
	}
	g := &f.geometry
	if f.kind == "Feature" {
		if f.lacks { // a feature without a place (RFC 7946, 3.2)
			r.found.warnings.Add(join(f.place, "geometry"), warning.PointDropped)
			return nil
		}
		g = &f.inner
	}
	r.setTimes(f, g)
	return r.addGeometry(f, g)
}

// addGeometry adds a geometry of a feature. Geometries other than points and lines are dropped with a warning.
func (r *geoReader) addGeometry(f *feature, g *geometry) error {
	switch g.kind {
	case "Point", "MultiPoint", "LineString", "MultiLineString":
	case "GeometryCollection":
		for i := range g.members {
			if err := r.addGeometry(f, &g.members[i]); err != nil {
				return err
			}
		}
		if len(g.members) > 0 {
			return nil
		}
		fallthrough
	default:
		r.found.warnings.Add(join(g.place, "type"), warning.ShapeDropped)
		return nil
	}
	if g.coordinates.tooMany {
		return ErrTooManyPoints
	}
	if g.coordinates.from == g.coordinates.to {
		r.found.warnings.Add(join(g.place, "coordinates"), warning.ShapeDropped)
		return nil
	}
	if g.isLine() {
		return r.addLine(f, g)
	}
	return r.addPoints(f, g)
}

func (g *geometry) isLine() bool { return g.kind == "LineString" || g.kind == "MultiLineString" }

func (r *geoReader) addPoints(f *feature, g *geometry) error {
	for _, p := range r.scratch.positions[g.coordinates.from:g.coordinates.to] {
		if !r.usable(g, &p) {
			continue
		}
		if err := r.found.addWaypoint(r.waypoint(&f.texts, p), join(g.place, "coordinates")); err != nil {
			return err
		}
	}
	return nil
}

// addLine adds a line or a multiline as one track.
func (r *geoReader) addLine(f *feature, g *geometry) error {
	all := r.scratch.positions[g.coordinates.from:g.coordinates.to]
	points := make([]track.Point, 0, len(all)) // of all segments
	t := track.Track{Name: first(f.texts.name, f.texts.title), Offset: r.scratch.times.offset}
	from := 0
	for i := range all {
		if i > 0 && all[i].line != all[i-1].line && g.kind == "MultiLineString" {
			t.Segments, from = append(t.Segments, points[from:len(points):len(points)]), len(points)
		}
		if r.usable(g, &all[i]) {
			points = append(points, all[i].Point)
		}
	}
	t.Segments = append(t.Segments, points[from:])
	if err := r.found.count(len(points)); err != nil {
		return err
	}
	r.found.addTrack(t, join(g.place, "coordinates"))
	return nil
}

// usable reports whether a position has a place and is where the type of its geometry has positions. It adds a warning about
// a position that is dropped, and about an elevation that is not taken.
func (r *geoReader) usable(g *geometry, p *position) bool {
	right := p.line == direct
	switch g.kind {
	case "Point":
		right = p.line == whole
	case "MultiLineString":
		right = p.line >= 0
	}
	switch {
	case !right || math.IsNaN(p.Lon):
		r.found.warnings.Add(p.place(g), warning.PointDropped)
		return false
	case p.noHeight != "":
		r.found.warnings.Add(p.place(g), p.noHeight)
	}
	return true
}

func (p *position) place(g *geometry) string {
	place := join(g.place, "coordinates")
	switch p.line {
	case whole:
		return place
	case direct:
		return fmt.Sprintf("%s[%d]", place, p.index)
	}
	return fmt.Sprintf("%s[%d][%d]", place, p.line, p.index)
}

// setTimes gives the positions of a feature's lines their times. If the file has more or fewer times than positions, it does
// not say which belong together, and all are left out with a warning. So are durations, and other dates of a line that has no
// times of positions.
func (r *geoReader) setTimes(f *feature, g *geometry) {
	lines := g.lines(nil)
	positions := 0
	for _, line := range lines {
		positions += line.coordinates.to - line.coordinates.from
	}
	t := &r.scratch.times
	switch {
	case len(lines) == 0:
	case t.member == 0:
		r.setEnds(&f.texts, lines)
		r.warnOfDates(&f.texts)
	case t.durations:
		r.found.warnings.Add(t.place, warning.NotTaken)
	case t.count != positions:
		r.found.warnings.Add(t.place, warning.Unreadable)
		t.offset = nil
	default:
		values := t.values
		for _, line := range lines {
			all := r.scratch.positions[line.coordinates.from:line.coordinates.to]
			for i := range all {
				all[i].Time = values[i]
			}
			values = values[len(all):]
		}
	}
}

// setEnds gives the first and the last position of a feature's lines the times at which a track of this API began and ended.
// So a ride stays a ride.
func (r *geoReader) setEnds(p *properties, lines []*geometry) {
	if started, fault := readTime(p.started); fault == "" {
		r.scratch.positions[lines[0].coordinates.from].Time = started.UnixMilli()
	}
	if ended, fault := readTime(p.ended); fault == "" {
		r.scratch.positions[lines[len(lines)-1].coordinates.to-1].Time = ended.UnixMilli()
	}
}

// lines appends those of g and its members that are lines or multilines to found, in the order of the file.
func (g *geometry) lines(found []*geometry) []*geometry {
	if g.isLine() && !g.coordinates.tooMany && g.coordinates.to > g.coordinates.from {
		return append(found, g)
	}
	if g.kind == "GeometryCollection" {
		for i := range g.members {
			found = g.members[i].lines(found)
		}
	}
	return found
}

func (r *geoReader) warnOfDates(p *properties) {
	for _, date := range [][2]string{{"timestamp", p.happened}, {"estimated_time", p.estimated}, {"time", p.time}} {
		if date[1] != "" {
			r.found.warnings.Add(join(p.place, date[0]), warning.NotTaken)
		}
	}
}
