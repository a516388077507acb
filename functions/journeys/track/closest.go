package track

import "math"

// maxWork bounds what one search computes. A step takes some nanoseconds.
const maxWork = 6_000_000

// Steps of the parts of a search.
const (
	workRun    = 1 // a look at the circle around a run
	workPiece  = 5 // the distance from a piece
	workSample = 8 // a place of the route that is marked as searched
)

func (r *Route) spend(steps int) error {
	if r.work += steps; r.work > maxWork {
		return ErrTooComplex
	}
	return nil
}

// same is the difference of chords below which two distances are the same: a thousandth of a millimetre.
const same = 0.000001 / sphereM

// Place is where something lies beside a route.
type Place struct {
	DistanceM float64 // from the closest point of the route
	AlongM    float64 // from the start of the route to this point, the first one if several are as close
}

// closest finds the runs around a place: those whose middles are in the cell of the place or next to it.
type closest struct {
	side float64
	runs map[cell][]int32 // by the cell of the middle
	near map[cell][]int32 // by the cell of the place
}

// newClosest makes cells so wide that a run with a point within the distance has its middle in the next cell at most.
func newClosest(r *Route) *closest {
	c := &closest{side: (r.runLengthM()/2 + r.withinM + 1) / sphereM, runs: map[cell][]int32{}, near: map[cell][]int32{}}
	for i, u := range r.runs {
		if !u.empty {
			at := cellOf(u.middle, c.side)
			c.runs[at] = append(c.runs[at], int32(i))
		}
	}
	return c
}

func (c *closest) around(at vector) []int32 {
	m := cellOf(at, c.side)
	found, known := c.near[m]
	if known {
		return found
	}
	for x := m.x - 1; x <= m.x+1; x++ {
		for y := m.y - 1; y <= m.y+1; y++ {
			for z := m.z - 1; z <= m.z+1; z++ {
				found = append(found, c.runs[cell{x, y, z}]...)
			}
		}
	}
	c.near[m] = found
	return found
}

// Place returns where a position lies beside the route; false when it is too far away. It fails with ErrTooComplex.
func (r *Route) Place(at Position) (Place, bool, error) {
	if r.closest == nil {
		r.closest = newClosest(r)
	}
	m := &measure{route: r, p: onSphere(at), chord: chordOf(r.withinM / sphereM), along: math.Inf(1)}
	runs := r.closest.around(m.p)
	first, least := -1, math.Inf(1)
	for i, run := range runs {
		to := m.p.minus(r.runs[run].middle)
		if d := to.dot(to); d < least {
			first, least = i, d
		}
	}
	if first >= 0 { // it is probably close, and then excludes most others
		m.run(&r.runs[runs[first]])
	}
	for _, run := range runs {
		if u := &r.runs[run]; m.p.minus(u.middle).length()-u.radius <= m.chord+same {
			m.run(u)
		}
	}
	err := r.spend(workRun*2*len(runs) + workPiece*m.pieces)
	return Place{DistanceM: angleOf(m.chord) * sphereM, AlongM: m.along}, !math.IsInf(m.along, 1), err
}

// measure looks for the point of a route that is closest to p.
type measure struct {
	route  *Route
	p      vector
	chord  float64 // to the closest point that was found, at first to the end of the distance
	along  float64 // metres along the route to this point; infinity at first
	pieces int     // that were measured
}

// run measures a run. It leaves out pieces that cannot be close: so far from one of its vertices that the way to them is too
// short.
func (m *measure) run(u *run) {
	at, along := m.route.at, m.route.along
	for v := u.from; v < max(u.to, u.from+1); v++ {
		if ahead := m.p.minus(at[v]).length() - m.chord - same; ahead > 0 {
			for reach := along[v] + ahead*sphereM*0.99; v+1 < u.to && along[v+1] < reach; {
				v++
			}
		}
		m.piece(v, min(v+1, u.to))
	}
}

// piece measures the piece between two vertices. Of points that are as close the first along the route counts.
func (m *measure) piece(v, next int) {
	at, along := m.route.at, m.route.along
	m.pieces++
	chord, none := chordTo(m.p, at[v], at[next]), math.IsInf(m.along, 1)
	if none && chord > m.chord || chord > m.chord+same {
		return
	}
	here := along[v] + partBefore(m.p, at[v], at[next])*(along[next]-along[v])
	if none || chord < m.chord-same {
		m.along = here
	}
	m.chord, m.along = math.Min(m.chord, chord), math.Min(m.along, here)
}
