package track

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
)

// Privacy says what others see of a track.
type Privacy struct {
	HideEndsM  float64  // of a recorded track; 0 shows it whole
	Seed       [16]byte // a secret of the owner: it says where the hidden zones lie
	PrecisionM int      // of a planned track; 0 shows it exactly
}

// shiftM is how far the middle of a hidden zone is away from the end at most, in metres. The zone reaches so far around its
// middle that all within the hidden distance of the end is in it: what becomes visible begins at the hidden distance, or up
// to twice shiftM farther away. With the end as the middle, three rides from one house would tell the house. The middle is
// the same for every hidden distance: from the middles of two distances the house could be computed.
const shiftM = 200

// zone is a circle of which others see nothing.
type zone struct {
	middle vector
	radius float64 // metres
}

// zoneAround returns the hidden zone of an end. Ends in one cell of 0.01 degrees have zones that are shifted alike: more
// rides from one house tell no more than one.
func (p Privacy) zoneAround(end Point) zone {
	mac := hmac.New(sha256.New, p.Seed[:])
	_, _ = fmt.Fprint(mac, math.Floor(end.Lon*100), " ", math.Floor(end.Lat*100)) // never fails
	random := mac.Sum(nil)
	share := func(b []byte) float64 { return float64(binary.BigEndian.Uint32(b)) / math.MaxUint32 }
	metres := shiftM * math.Sqrt(share(random)) // evenly over the circle
	east, north := math.Sincos(2 * math.Pi * share(random[4:]))
	lat := math.Max(-90, math.Min(90, end.Lat+north*metres/degreeM))
	lon := end.Lon + east*metres/degreeM/math.Max(0.01, math.Cos(end.Lat*math.Pi/180))
	return zone{middle: vectorOf(lon, lat), radius: p.HideEndsM + shiftM}
}

func (z zone) holds(p Point) bool { return distance(z.middle, vectorOf(p.Lon, p.Lat)) < z.radius }

// Range are the numbers of the first and the last point that others see, from 0.
type Range struct{ From, To int }

// ShownRange returns which points others see: of a recorded track those from where it first leaves the zone around its start,
// to where it last enters the zone around its end. It is false when they see nothing. Zones are circles, so a receiver that
// wanders while its owner is at home does not give the home away.
func (t *Track) ShownRange(p Privacy) (Range, bool) {
	points := t.all()
	r := Range{0, len(points) - 1}
	if t.Kind == Planned || p.HideEndsM <= 0 {
		return r, true
	}
	first, last := p.zoneAround(points[0]), p.zoneAround(points[r.To])
	for r.From < len(points)-1 && first.holds(points[r.From]) {
		r.From++
	}
	for r.To > 0 && last.holds(points[r.To]) {
		r.To--
	}
	return r, !first.holds(points[r.From]) && !last.holds(points[r.To]) && r.From < r.To
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

// degreeM is the length of a degree of a great circle in metres, on the sphere.
const degreeM = 111195.0

// Blur returns the middle of the place's cell in a grid of about precisionM metres; 0 returns the place itself. It is the
// same as the functions shown_longitude and shown_latitude of the database.
func Blur(at Position, precisionM int) Position {
	if precisionM == 0 {
		return at
	}
	cell := float64(precisionM)
	lat := math.Max(-90, math.Min(90, (math.Floor(at[1]*degreeM/cell)+0.5)*cell/degreeM))
	width := cell / degreeM / math.Max(0.01, math.Cos(lat*math.Pi/180))
	lon := math.Max(-180, math.Min(180, (math.Floor(at[0]/width)+0.5)*width))
	return Position{lon, lat}
}
