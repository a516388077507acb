package track

import "math"

// maxSpans bounds the spans of one search: for each an index is searched.
const maxSpans = 2_500

// Span is a straight line beside which to look for what lies beside a part of the route.
type Span struct {
	From, To Position
	RadiusM  float64
	run, at  int
}

// sweep goes along a route, span by span. It leaves out a span that is near earlier ones, so a route that goes the same way
// many times is searched once.
type sweep struct {
	run, at int          // where the next span starts: its run and vertex
	passed  map[cell]int // the first vertex whose piece passes a cell
	spans   int
}

// grainM is the side in metres of the cells of the sweep. Samples of the route are half of it apart, or less.
func (r *Route) grainM() float64 { return math.Max(20, r.withinM/16) }

// slackM is how far a span may be from earlier ones and still be left out. Each of its points is at most half a grain from a
// sample, and this is in one cell with a sample of an earlier span.
func (r *Route) slackM() float64 { return 2.5 * r.grainM() }

// Next returns the next spans of the route, at most n. They are of at most lengthM metres, or one piece. There are fewer only
// at the end of the route. It fails with ErrTooComplex.
func (r *Route) Next(n int, lengthM float64) ([]Span, error) {
	var out []Span
	s := &r.sweep
	for len(out) < n && s.run < len(r.runs) {
		u := &r.runs[s.run]
		to := u.to
		if !u.empty {
			for to = min(s.at+1, u.to); to < u.to && r.along[to+1]-r.along[s.at] <= lengthM; {
				to++
			}
			isNew, err := r.pass(s.at, to)
			if err != nil {
				return nil, err
			}
			if isNew {
				out = append(out, r.span(to))
			}
		}
		r.moveTo(to)
	}
	if s.spans += len(out); s.spans > maxSpans {
		return nil, ErrTooComplex
	}
	return out, nil
}

// moveTo makes the next span start at a vertex of the run, or with the next run.
func (r *Route) moveTo(vertex int) {
	s := &r.sweep
	s.at = vertex
	if vertex < r.runs[s.run].to {
		return
	}
	if s.run++; s.run < len(r.runs) {
		s.at = r.runs[s.run].from
	}
}

// Back makes Next start with this span again.
func (r *Route) Back(s Span) { r.sweep.run, r.sweep.at = s.run, s.at }

// SearchedM returns the metres along the route up to which Next has returned spans; infinity at its end.
func (r *Route) SearchedM() float64 {
	if r.sweep.run == len(r.runs) {
		return math.Inf(1)
	}
	return r.along[r.sweep.at]
}

// pass marks the cells between two vertices. It is false when pieces before them have passed all of these.
func (r *Route) pass(from, to int) (bool, error) {
	step, isNew := r.grainM()/2/sphereM, false
	for v := from; v < max(to, from+1); v++ {
		piece := r.at[min(v+1, to)].minus(r.at[v])
		samples := math.Floor(piece.length()/step) + 1
		if err := r.spend(workSample * int(samples)); err != nil {
			return false, err
		}
		for i := range int(samples) {
			c := cellOf(r.at[v].plus(piece, float64(i)/samples), 2*step)
			first, passed := r.sweep.passed[c]
			if !passed {
				r.sweep.passed[c] = v
			}
			isNew = isNew || !passed || first >= from
		}
	}
	return isNew, nil
}

// span returns the next span, up to a vertex of the run.
func (r *Route) span(last int) Span {
	s := r.sweep
	from, to, aside := r.at[s.at], r.at[last], 0.0
	for _, at := range r.at[s.at : last+1] {
		aside = math.Max(aside, angleOf(chordTo(at, from, to)))
	}
	return Span{From: from.position(), To: to.position(), RadiusM: r.withinM + r.slackM() + aside*sphereM + 1, run: s.run, at: s.at}
}
