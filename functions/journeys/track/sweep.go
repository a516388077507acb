package track

import "math"

// maxSpans bounds the spans of one search: for each an index is searched.
const maxSpans = 2_500

// Span is a straight line beside which to look for what lies beside a run of the route.
type Span struct {
	From, To Position
	RadiusM  float64
	run      int
}

// sweep goes along a route, run by run. It leaves out a run that is near earlier ones, so a route that goes the same way
// many times is searched once.
type sweep struct {
	run    int          // the next one
	passed map[cell]int // the first run in a cell
	spans  int
}

// grainM is the side in metres of the cells of the sweep. Samples of the route are half of it apart.
func (r *Route) grainM() float64 { return math.Max(50, r.withinM/10) }

// slackM is how far a run may be from earlier ones and still be left out. Each of its points is at most half a grain from a
// sample, and this is in one cell with a sample of an earlier run.
func (r *Route) slackM() float64 { return 2.5 * r.grainM() }

// Next returns spans for the next runs, at most n. There are fewer only at the end of the route. It fails with ErrTooComplex.
func (r *Route) Next(n int) ([]Span, error) {
	var out []Span
	for ; len(out) < n && r.sweep.run < len(r.runs); r.sweep.run++ {
		u := &r.runs[r.sweep.run]
		if u.empty {
			continue
		}
		isNew, err := r.pass(u)
		if err != nil {
			return nil, err
		}
		if isNew {
			out = append(out, r.span(u))
		}
	}
	if r.sweep.spans += len(out); r.sweep.spans > maxSpans {
		return nil, ErrTooComplex
	}
	return out, nil
}

// Back makes Next start with this span again.
func (r *Route) Back(s Span) { r.sweep.run = s.run }

// SearchedM returns the metres along the route up to which Next has returned spans; infinity at its end.
func (r *Route) SearchedM() float64 {
	if r.sweep.run == len(r.runs) {
		return math.Inf(1)
	}
	return r.along[r.runs[r.sweep.run].from]
}

// pass marks the cells of the next run. It is false when all of them belong to earlier runs.
func (r *Route) pass(u *run) (bool, error) {
	step := r.grainM() / 2 / sphereM
	isNew, ahead := false, 0.0 // from the vertex to the next sample
	for v := u.from; v < max(u.to, u.from+1); v++ {
		piece := r.at[min(v+1, u.to)].minus(r.at[v])
		length := piece.length()
		if err := r.spend(workPiece + workSample*int(length/step)); err != nil {
			return false, err
		}
		for ; ahead <= length; ahead += step {
			at := r.at[v]
			if length > 0 {
				at = at.plus(piece, ahead/length)
			}
			c := cellOf(at, 2*step)
			first, passed := r.sweep.passed[c]
			if !passed {
				r.sweep.passed[c] = r.sweep.run
			}
			isNew = isNew || !passed || first == r.sweep.run
		}
		ahead -= length
	}
	return isNew, nil
}

func (r *Route) span(u *run) Span {
	from, to, aside := r.at[u.from], r.at[u.to], 0.0
	for _, at := range r.at[u.from : u.to+1] {
		aside = math.Max(aside, angleOf(chordTo(at, from, to)))
	}
	return Span{From: from.position(), To: to.position(), RadiusM: r.withinM + r.slackM() + aside*sphereM + 1, run: r.sweep.run}
}
