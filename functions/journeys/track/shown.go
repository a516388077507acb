package track

import "math"

// Privacy says what others see of a track.
type Privacy struct {
	HideEndsM  float64 // of a recorded track; 0 shows it whole
	PrecisionM int     // of a planned track; 0 shows it exactly
}

// Range are the numbers of the first and the last point that others see, from 0.
type Range struct{ From, To int }

// ShownRange returns which points others see: of a recorded track those from where it first leaves the hidden distance
// around its start, to where it last enters the hidden distance around its end. It is false when they see nothing. The
// distance is straight, so that a receiver that wanders while its owner is at home does not give the home away.
func (t *Track) ShownRange(p Privacy) (Range, bool) {
	points := t.all()
	r := Range{0, len(points) - 1}
	if t.Kind == Planned || p.HideEndsM <= 0 {
		return r, true
	}
	far := func(end, i int) bool {
		return distance(vectorOf(points[end].Lon, points[end].Lat), vectorOf(points[i].Lon, points[i].Lat)) >= p.HideEndsM
	}
	first, last := r.From, r.To
	for r.From < last && !far(first, r.From) {
		r.From++
	}
	for r.To > first && !far(last, r.To) {
		r.To--
	}
	return r, far(first, r.From) && far(last, r.To) && r.From < r.To
}

// Show sets what others see of pieces of the track, and returns its length in metres.
func (t *Track) Show(pieces []Piece, r Range, visible bool, p Privacy) float64 {
	points := t.all()
	length := 0.0
	for i := range pieces {
		piece := &pieces[i]
		switch {
		case !visible:
			piece.Shown = nil
		case t.Kind == Planned:
			piece.Shown = blurred(piece.Line, p.PrecisionM)
		default:
			piece.Shown = piece.within(points, r)
		}
		for k := 1; k < len(piece.Shown); k++ {
			a, b := piece.Shown[k-1], piece.Shown[k]
			length += distance(vectorOf(a[0], a[1]), vectorOf(b[0], b[1]))
		}
	}
	return length
}

// within returns the line of the piece between two points of the track, which become its ends; nil when it is outside.
func (p *Piece) within(points []Point, r Range) []Position {
	from, to := max(r.From, p.Vertices[0]), min(r.To, p.lastVertex())
	if from >= to {
		return nil
	}
	at := func(n int) Position { return Position{points[n].Lon, points[n].Lat} }
	out := []Position{at(from)}
	for i, n := range p.Vertices {
		if n > from && n < to {
			out = append(out, p.Line[i])
		}
	}
	return append(out, at(to))
}

// blurred returns the line through the cells of its vertices.
func blurred(line []Position, precisionM int) []Position {
	out := make([]Position, 0, len(line))
	for _, at := range line {
		if cell := Blur(at, precisionM); len(out) == 0 || out[len(out)-1] != cell {
			out = append(out, cell)
		}
	}
	if len(out) == 1 {
		out = append(out, out[0])
	}
	return out
}

// Blur returns the middle of the place's cell in a grid of about precisionM metres; 0 returns the place itself. It is the
// same as the functions shown_longitude and shown_latitude of the database.
func Blur(at Position, precisionM int) Position {
	if precisionM == 0 {
		return at
	}
	cell := float64(precisionM)
	lat := math.Max(-90, math.Min(90, (math.Floor(at[1]*111195.0/cell)+0.5)*cell/111195.0))
	width := cell / 111195.0 / math.Max(0.01, math.Cos(lat*math.Pi/180))
	lon := math.Max(-180, math.Min(180, (math.Floor(at[0]/width)+0.5)*width))
	return Position{lon, lat}
}
