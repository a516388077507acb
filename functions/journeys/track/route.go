package track

import (
	"errors"
	"math"
)

// ErrTooComplex says that a search along a route would cost too much.
var ErrTooComplex = errors.New("route too complex")

// Limits of a route that can be searched.
const (
	maxVertices = 250_000
	maxRuns     = 40_000
)

const (
	sphereM      = 6_371_008.7714150598 // radius of the sphere on which PostGIS measures geography
	maxPieceM    = 375                  // longer pieces of a leg are cut
	minRunM      = 1_500
	maxRunPieces = 64
	runsInArea   = 64
)

// Route is the line of a journey, prepared to find what lies within a distance of it. Distances from it are on the sphere
// of PostGIS; metres along it are on the spheroid.
//
// Call Add for each leg in riding order, then Prepare.
type Route struct {
	withinM float64
	at      []vector  // its vertices, on a sphere of radius 1
	along   []float64 // metres of route before a vertex
	lines   []int     // first vertices of its lines; nobody rode from a line to the next one
	runs    []run
	work    int // what was spent of maxWork

	closest *closest
	sweep   sweep
}

// run is a part of a line: at most maxRunPieces pieces and runLength metres.
type run struct {
	from, to int // its first and last vertex
	middle   vector
	radius   float64 // no point of the run is farther from middle; radius of the sphere is 1
	empty    bool    // nothing lies beside it
}

// NewRoute returns an empty route to search for what is at most withinM metres from it.
func NewRoute(withinM float64) *Route {
	return &Route{withinM: withinM, sweep: sweep{passed: map[cell]int{}}}
}

// WithinM is the distance in metres of NewRoute.
func (r *Route) WithinM() float64 { return r.withinM }

// runLengthM is the greatest length of a run in metres.
func (r *Route) runLengthM() float64 { return math.Max(minRunM, 2*r.withinM) }

// Add adds a leg. If its first place is the last one of the leg before, they are one line. lengthM is the length of the leg
// in metres along all its points; nil when its line is all there is. It cannot be shorter than its line. It fails with ErrTooComplex.
func (r *Route) Add(leg []Position, lengthM *float64) error {
	if len(leg) == 0 {
		return nil
	}
	start := onSphere(leg[0])
	if n := len(r.at); n == 0 || r.at[n-1] != start {
		r.lines = append(r.lines, n)
		r.at, r.along = append(r.at, start), append(r.along, r.LengthM())
	}
	first := len(r.at) - 1
	for _, p := range leg[1:] {
		if err := r.ride(onSphere(p)); err != nil {
			return err
		}
	}
	last := len(r.at) - 1
	from, measured := r.along[first], r.along[last]-r.along[first]
	if lengthM != nil && *lengthM > measured && last > first {
		for i := first + 1; i < last && measured > 0; i++ {
			r.along[i] = from + (r.along[i]-from)**lengthM/measured
		}
		r.along[last] = from + *lengthM
	}
	return nil
}

// ride adds the great circle to the next vertex, in pieces of at most maxPieceM.
func (r *Route) ride(to vector) error {
	from, angle, n := r.at[len(r.at)-1], 0.0, 1.0
	if chord := from.minus(to).length(); chord > maxPieceM/sphereM {
		angle = angleOf(chord)
		n = math.Ceil(angle * sphereM / maxPieceM)
	}
	if float64(len(r.at))+n > maxVertices {
		return ErrTooComplex
	}
	last := from
	for i := 1.0; i <= n; i++ {
		next := to
		if i < n {
			next = vector{}.plus(from, math.Sin(angle*(1-i/n))).plus(to, math.Sin(angle*i/n)).unit()
		}
		metres := next.onEllipsoid().minus(last.onEllipsoid()).length() // straight; a piece is so short that the surface is as long
		r.at, r.along, last = append(r.at, next), append(r.along, r.LengthM()+metres), next
	}
	return nil
}

// LengthM is the length of the route in metres.
func (r *Route) LengthM() float64 {
	if len(r.along) == 0 {
		return 0
	}
	return r.along[len(r.along)-1]
}

// Prepare divides the route into runs. It fails with ErrTooComplex.
func (r *Route) Prepare() error {
	for i, first := range r.lines {
		last := len(r.at) - 1
		if i+1 < len(r.lines) {
			last = r.lines[i+1] - 1
		}
		from, length := first, 0.0
		for v := first + 1; v <= last; v++ {
			piece := r.at[v].minus(r.at[v-1]).length() * sphereM
			if v-from > maxRunPieces || v > from+1 && length+piece > r.runLengthM() {
				r.addRun(from, v-1)
				from, length = v-1, 0
			}
			length += piece
		}
		r.addRun(from, last)
		if len(r.runs) > maxRuns {
			return ErrTooComplex
		}
	}
	return nil
}

func (r *Route) addRun(from, to int) {
	u := run{from: from, to: to, middle: r.at[from].plus(r.at[to], 1).unit()}
	for _, v := range r.at[from : to+1] {
		u.radius = math.Max(u.radius, v.minus(u.middle).length())
	}
	r.runs = append(r.runs, u)
}

// Circle is a place and the metres around it.
type Circle struct{ Lon, Lat, RadiusM float64 }

// Areas returns circles. What lies beside the route lies in one of them. Each is that of consecutive runs.
func (r *Route) Areas() []Circle {
	var out []Circle
	for i := 0; i < len(r.runs); i += runsInArea {
		runs := r.runs[i:min(i+runsInArea, len(r.runs))]
		middle, radius := runs[len(runs)/2].middle, 0.0
		for _, u := range runs {
			radius = math.Max(radius, angleOf(u.middle.minus(middle).length())+angleOf(u.radius))
		}
		at := middle.position()
		out = append(out, Circle{at[0], at[1], radius*sphereM + r.withinM + 1})
	}
	return out
}

// Skip says which of the areas have nothing in them.
func (r *Route) Skip(empty func(area int) bool) {
	for i := range r.runs {
		r.runs[i].empty = empty(i / runsInArea)
	}
}
