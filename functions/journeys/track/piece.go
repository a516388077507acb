package track

import (
	"slices"
	"time"
)

// Position is a place as longitude and latitude, in degrees.
type Position [2]float64

// Piece is a part of a track as a simplified line.
type Piece struct {
	Segment int
	// Vertices are the numbers of the points of its line in the track, from 0. There are at least two. The last one is the
	// first one of the next piece of the segment.
	Vertices []int
	Line     []Position
	Shown    []Position // what others see; nil for nothing
	StartM   float64    // metres of track before the piece
	LengthM  float64    // metres along all its points
	// Days are the first and the last day of its points; nil when none has a time.
	Days *[2]time.Time
}

// detail says how a track is cut and simplified.
type detail struct {
	lengthM  float64 // a piece ends where it is this long; only a hop between two points can be longer
	errorM   float64 // how far a point of the track may be from the line
	vertices int     // how many vertices a piece has at most
}

// opposite is the shortest hop in metres that has no line. Between two places on opposite sides of the earth there is no
// single shortest line, and PostGIS fails on one.
const opposite = 19_900_000

// Legs are pieces of at most 5 km, from which no point of the track is more than 10 m away.
func (t *Track) Legs() []Piece {
	points := t.all()
	var out []Piece
	first, start := 0, 0.0
	for i, s := range t.Segments {
		c := newCutter(detail{lengthM: 5_000, errorM: 10, vertices: maxRun}, s, nil)
		out = append(out, t.placed(points, c.cut(), i, first, start)...)
		first += len(s)
		start += c.along[len(s)-1]
	}
	return out
}

// pauseM is the widest gap between two segments, in metres, that a stretch goes over: recorders that pause by themselves write
// a segment for each traffic light.
const pauseM = 50

// Stretches are pieces of at most 50 km and 50 vertices, from which no point of the track is more than 100 m away. They are
// made of the legs of the track, and measured along them.
func (t *Track) Stretches(legs []Piece) []Piece {
	points := t.all()
	var out []Piece
	for len(legs) > 0 {
		n := 1
		for n < len(legs) && pause(points[legs[n-1].lastVertex()], points[legs[n].Vertices[0]]) {
			n++
		}
		vertices := slices.Clone(legs[0].Vertices)
		for _, l := range legs[1:n] {
			if l.Vertices[0] == vertices[len(vertices)-1] {
				vertices = vertices[:len(vertices)-1]
			}
			vertices = append(vertices, l.Vertices...)
		}
		c := newCutter(detail{lengthM: 50_000, errorM: 90, vertices: 50}, points, vertices)
		out = append(out, t.placed(points, c.cut(), legs[0].Segment, 0, legs[0].StartM)...)
		legs = legs[n:]
	}
	return out
}

// pause reports whether two points are so near that a stretch may go over the gap between them.
func pause(a, b Point) bool {
	return distance(vectorOf(a.Lon, a.Lat), vectorOf(b.Lon, b.Lat)) <= pauseM
}

// placed adds to pieces of a segment what depends on the whole track, of which these are all points: the segment, the number of
// its first point, and the metres before it.
func (t *Track) placed(points []Point, pieces []Piece, segment, first int, start float64) []Piece {
	for i := range pieces {
		p := &pieces[i]
		p.Segment, p.StartM = segment, p.StartM+start
		for k := range p.Vertices {
			p.Vertices[k] += first
		}
		p.Days = t.days(points[p.Vertices[0] : p.lastVertex()+1])
	}
	return pieces
}

func (p *Piece) lastVertex() int { return p.Vertices[len(p.Vertices)-1] }

// all returns the points of all segments.
func (t *Track) all() []Point {
	if len(t.Segments) == 1 {
		return t.Segments[0]
	}
	return slices.Concat(t.Segments...)
}

// LengthM is the length of the track in metres along all its points, without the gaps between segments.
func (t *Track) LengthM() float64 {
	sum := 0.0
	for _, s := range t.Segments {
		sum += newCutter(detail{}, s, nil).along[len(s)-1]
	}
	return sum
}

// cutter cuts a line into pieces.
type cutter struct {
	detail
	numbers []int // of the points of the line; nil for 0, 1, 2 …
	points  []Point
	at      []vector
	along   []float64 // metres from the first point of the line
	out     []Piece
}

// newCutter makes a cutter of the line through the points with the numbers, or through all points.
func newCutter(d detail, points []Point, numbers []int) *cutter {
	c := &cutter{detail: d, numbers: numbers, points: points}
	if numbers != nil {
		c.points = make([]Point, len(numbers))
		for i, n := range numbers {
			c.points[i] = points[n]
		}
	}
	c.at, c.along = make([]vector, len(c.points)), make([]float64, len(c.points))
	for i, p := range c.points {
		c.at[i] = vectorOf(p.Lon, p.Lat)
		if i > 0 {
			c.along[i] = c.along[i-1] + c.hop(i)
		}
	}
	return c
}

// hop returns the metres from the point before to this one; 0 when there is no line between them.
func (c *cutter) hop(i int) float64 {
	d := distance(c.at[i-1], c.at[i])
	if d >= opposite {
		return 0
	}
	return d
}

// cut ends a piece at its greatest length, at maxRun points, and before and after a hop that is longer than a piece.
func (c *cutter) cut() []Piece {
	long := func(i int) bool { return c.at[i].minus(c.at[i-1]).length() > c.lengthM }
	from, last := 0, len(c.points)-1
	for i := 1; i <= last; i++ {
		if i == last || long(i) || long(i+1) || i-from == maxRun-1 || c.along[i+1]-c.along[from] > c.lengthM {
			c.simplified(from, i)
			from = i
		}
	}
	return c.out
}

// simplified adds the simplified line from one point to another, in several pieces if it has too many vertices.
func (c *cutter) simplified(from, to int) {
	if to == from+1 && distance(c.at[from], c.at[to]) >= opposite {
		return
	}
	kept := simplify(c.at[from:to+1], c.errorM)
	for len(kept) > 1 {
		part := kept[:min(len(kept), c.vertices)]
		kept = kept[len(part)-1:]
		p := Piece{StartM: c.along[from+part[0]]}
		p.LengthM = c.along[from+part[len(part)-1]] - p.StartM
		for _, k := range part {
			n := from + k
			p.Line = append(p.Line, Position{c.points[n].Lon, c.points[n].Lat})
			if c.numbers != nil {
				n = c.numbers[n]
			}
			p.Vertices = append(p.Vertices, n)
		}
		c.out = append(c.out, p)
	}
}
