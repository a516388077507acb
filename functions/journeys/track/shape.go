package track

import "math"

// Shape is a set of lines and points on the sphere, prepared for measuring how far it is from another one. The way from a
// place of a line to the next is the shortest one, also across the antimeridian and the poles.
type Shape struct {
	edges []edge
	domes []dome // a binary tree; the first one holds all edges
}

// edge leads from one place to another; both are the same for a point.
type edge struct {
	from, to Position
	a, b     vector
}

// dome holds the edges with the numbers from first to last, not included. They lie within radius around its middle, measured
// as a chord of the sphere.
type dome struct {
	middle      vector
	radius      float64
	first, last int
	left, right int // 0 where it has no halves
}

const (
	perLeaf   = 4       // edges that are not divided further where they are close together
	smallDome = 10_000  // metres
	longEdge  = 500_000 // metres; longer edges are cut
	maxEdges  = 20_000  // of a shape
)

// NewShape prepares lines. A line of one place is a point. It fails with ErrTooComplex when there are more than 20,000 edges;
// an edge longer than 500 km counts as several.
func NewShape(lines ...[]Position) (*Shape, error) {
	n := 0
	for _, line := range lines {
		n += len(line)
	}
	s := &Shape{edges: make([]edge, 0, min(n, maxEdges))}
	for _, line := range lines {
		at := onSphere(line[0])
		if len(line) == 1 {
			s.edges = append(s.edges, edge{line[0], line[0], at, at})
		}
		for i, p := range line[1:] {
			next := onSphere(p)
			s.add(edge{line[i], p, at, next})
			at = next
		}
		if len(s.edges) > maxEdges {
			return nil, ErrTooComplex
		}
	}
	if len(s.edges) > 0 {
		s.domes = make([]dome, 0, len(s.edges))
		s.divide(0, len(s.edges))
	}
	return s, nil
}

// add adds an edge, a long one in pieces.
func (s *Shape) add(e edge) {
	chord := e.b.minus(e.a).length()
	if chord*sphereM < longEdge {
		s.edges = append(s.edges, e)
		return
	}
	n := math.Ceil(angleOf(chord) * sphereM / longEdge)
	from, a := e.from, e.a
	for i := 1.0; i < n; i++ {
		to := e.at(i / n)
		b := onSphere(to)
		s.edges = append(s.edges, edge{from, to, a, b})
		from, a = to, b
	}
	s.edges = append(s.edges, edge{from, e.to, a, e.b})
}

// divide adds the domes of a range of edges and returns the number of the first.
func (s *Shape) divide(first, last int) int {
	n := len(s.domes)
	d := dome{first: first, last: last}
	spread := s.bound(&d)
	s.domes = append(s.domes, d)
	if last-first > perLeaf || last-first > 1 && d.radius*sphereM > smallDome {
		half := s.part(first, last, d.middle, spread)
		left := s.divide(first, half)
		right := s.divide(half, last)
		s.domes[n].left, s.domes[n].right = left, right
	}
	return n
}

// bound finds the middle and the radius of a dome, and how far its edges reach in each direction. A dome smaller than a
// hemisphere that holds both ends of an edge holds the edge.
func (s *Shape) bound(d *dome) vector {
	low, high := vector{2, 2, 2}, vector{-2, -2, -2}
	for _, e := range s.edges[d.first:d.last] {
		low = vector{min(low.x, e.a.x, e.b.x), min(low.y, e.a.y, e.b.y), min(low.z, e.a.z, e.b.z)}
		high = vector{max(high.x, e.a.x, e.b.x), max(high.y, e.a.y, e.b.y), max(high.z, e.a.z, e.b.z)}
	}
	spread, sum := high.minus(low), high.plus(low, 1)
	d.middle, d.radius = s.edges[d.first].a, 2
	if sum.length() < 1e-9 {
		return spread
	}
	d.middle = sum.unit()
	farthest := 0.0
	for _, e := range s.edges[d.first:d.last] {
		farthest = max(farthest, e.a.minus(d.middle).length(), e.b.minus(d.middle).length())
	}
	if farthest < math.Sqrt2 {
		d.radius = farthest
	}
	return spread
}

// part sorts a range of edges into two halves of the space, and returns where the second begins.
func (s *Shape) part(first, last int, middle, spread vector) int {
	side := func(e *edge) bool { return e.a.x+e.b.x < 2*middle.x }
	switch {
	case spread.y >= spread.x && spread.y >= spread.z:
		side = func(e *edge) bool { return e.a.y+e.b.y < 2*middle.y }
	case spread.z >= spread.x:
		side = func(e *edge) bool { return e.a.z+e.b.z < 2*middle.z }
	}
	half := first
	for i := first; i < last; i++ {
		if side(&s.edges[i]) {
			s.edges[i], s.edges[half] = s.edges[half], s.edges[i]
			half++
		}
	}
	if half == first || half == last {
		return (first + last) / 2
	}
	return half
}

// Circles returns at most n circles in which the whole shape lies: longitudes, latitudes and radii in metres. None is divided
// further that is as small as enoughM.
func (s *Shape) Circles(n int, enoughM float64) ([]float64, []float64, []float64) {
	if len(s.domes) == 0 {
		return nil, nil, nil
	}
	chosen := []int{0}
	for len(chosen) < n {
		largest := 0
		for i, d := range chosen {
			if s.domes[d].left != 0 && (s.domes[chosen[largest]].left == 0 || s.domes[d].radius > s.domes[chosen[largest]].radius) {
				largest = i
			}
		}
		d := s.domes[chosen[largest]]
		if d.left == 0 || angleOf(d.radius)*sphereM <= enoughM {
			break
		}
		chosen[largest] = d.left
		chosen = append(chosen, d.right)
	}
	var lons, lats, radii []float64
	for _, i := range chosen {
		at := s.domes[i].middle.position()
		lons, lats, radii = append(lons, at[0]), append(lats, at[1]), append(radii, angleOf(s.domes[i].radius)*sphereM)
	}
	return lons, lats, radii
}

// Nearest are the closest places of two shapes.
type Nearest struct {
	DistanceM    float64
	Mine, Theirs Position
}

// Nearest returns the closest places of two shapes; false when they are farther apart than withinM. It subtracts its work from
// steps, and ends when none are left. A step takes about 20 ns.
func (s *Shape) Nearest(other *Shape, withinM float64, steps *int) (Nearest, bool) {
	m := meeting{mine: s, theirs: other, steps: steps, chord: chordOf(withinM / sphereM)}
	if len(s.domes) > 0 && len(other.domes) > 0 {
		m.compare(0, 0)
	}
	m.found.DistanceM = angleOf(m.chord) * sphereM
	return m.found, m.any
}

// Within reports whether two shapes are at most withinM apart. For steps see Nearest.
func (s *Shape) Within(other *Shape, withinM float64, steps *int) bool {
	*steps--
	if len(s.edges) > 0 && len(other.edges) > 0 && s.edges[0].a.minus(other.edges[0].a).length() <= chordOf(withinM/sphereM) {
		return true
	}
	_, near := s.Nearest(other, withinM, steps)
	return near
}

// meeting is a search for the closest places of two shapes.
type meeting struct {
	mine, theirs *Shape
	steps        *int
	chord        float64 // between the closest places that were found; at first the longest that is looked for
	found        Nearest
	any          bool
}

// gap returns a chord that is not longer than any between the edges of two domes.
func (m *meeting) gap(mine, theirs int) float64 {
	const rounding = 1e-12
	c, d := &m.mine.domes[mine], &m.theirs.domes[theirs]
	return c.middle.minus(d.middle).length() - c.radius - d.radius - rounding
}

// compare looks for closer places in two domes: those of two halves, the nearer half first.
func (m *meeting) compare(mine, theirs int) {
	*m.steps--
	if *m.steps <= 0 || m.any && m.chord == 0 || m.gap(mine, theirs) > m.chord {
		return
	}
	c, d := &m.mine.domes[mine], &m.theirs.domes[theirs]
	switch {
	case c.left == 0 && d.left == 0:
		for i := c.first; i < c.last; i++ {
			for k := d.first; k < d.last; k++ {
				m.edges(&m.mine.edges[i], &m.theirs.edges[k])
			}
		}
	case d.left == 0 || c.left != 0 && c.radius >= d.radius:
		near, far := c.left, c.right
		if m.gap(far, theirs) < m.gap(near, theirs) {
			near, far = far, near
		}
		m.compare(near, theirs)
		m.compare(far, theirs)
	default:
		near, far := d.left, d.right
		if m.gap(mine, far) < m.gap(mine, near) {
			near, far = far, near
		}
		m.compare(mine, near)
		m.compare(mine, far)
	}
}

// edges compares an edge with another: they cross, or an end of one of them is a closest place.
func (m *meeting) edges(e, f *edge) {
	const work = 8 // steps
	*m.steps -= work
	if at, crosses := e.crossing(f); crosses {
		m.take(0, at, at)
		return
	}
	for _, end := range [2]edge{{from: e.from, a: e.a}, {from: e.to, a: e.b}} {
		if chord := chordTo(end.a, f.a, f.b); m.closer(chord) {
			m.take(chord, end.from, f.at(partBefore(end.a, f.a, f.b)))
		}
	}
	for _, end := range [2]edge{{from: f.from, a: f.a}, {from: f.to, a: f.b}} {
		if chord := chordTo(end.a, e.a, e.b); m.closer(chord) {
			m.take(chord, e.at(partBefore(end.a, e.a, e.b)), end.from)
		}
	}
}

func (m *meeting) closer(chord float64) bool { return chord < m.chord || !m.any && chord == m.chord }

func (m *meeting) take(chord float64, mine, theirs Position) {
	m.chord, m.any = chord, true
	m.found.Mine, m.found.Theirs = mine, theirs
}

// at returns the place at a part of an edge.
func (e *edge) at(part float64) Position {
	switch {
	case part <= 0:
		return e.from
	case part >= 1:
		return e.to
	}
	angle := angleOf(e.b.minus(e.a).length())
	return vector{}.plus(e.a, math.Sin((1-part)*angle)).plus(e.b, math.Sin(part*angle)).position()
}

// crossing returns the place where two edges cross; false when they do not. Edges that only touch need not cross.
func (e *edge) crossing(f *edge) (Position, bool) {
	n := e.a.cross(e.b.minus(e.a)) // at a right angle to the plane of the edge
	c, d := n.dot(f.a.minus(e.a)), n.dot(f.b.minus(e.a))
	if c*d >= 0 {
		return Position{}, false
	}
	n2 := f.a.cross(f.b.minus(f.a))
	a, b := n2.dot(e.a.minus(f.a)), n2.dot(e.b.minus(f.a))
	if a*b >= 0 || (a > 0) == (c > 0) {
		return Position{}, false
	}
	at := vector{}.plus(f.a, math.Abs(d)).plus(f.b, math.Abs(c))
	return at.position(), true
}
