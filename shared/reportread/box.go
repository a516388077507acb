package reportread

import (
	"math"
	"strconv"
	"strings"

	"github.com/lafaekstreet/backend/shared/report"
)

// Box is an area between two meridians and two parallels, in degrees WGS 84.
// One whose MinLon is above its MaxLon crosses the antimeridian.
type Box struct{ MinLon, MinLat, MaxLon, MaxLat float64 }

// ParseBox reads minLon,minLat,maxLon,maxLat.
func ParseBox(s string) (Box, bool) {
	parts := strings.Split(s, ",")
	if len(parts) != 4 {
		return Box{}, false
	}
	var v [4]float64
	for i, part := range parts {
		var err error
		if v[i], err = strconv.ParseFloat(strings.TrimSpace(part), 64); err != nil {
			return Box{}, false
		}
	}
	b := Box{v[0], v[1], v[2], v[3]}
	return b, report.ValidPoint(b.MinLat, b.MinLon) && report.ValidPoint(b.MaxLat, b.MaxLon) && b.MinLat <= b.MaxLat
}

// within adds the condition that a report lies in b.
//
// The index of places knows no meridians, so it is asked for the circle around b; which of those lie in b is told
// by their degrees. CASE keeps the planner from guessing how many that are: it would multiply four guesses that hang
// together, and take the box for empty.
func (b Box) within(w *where) {
	minLon, minLat := w.bind("?", b.MinLon), w.bind("?", b.MinLat)
	maxLon, maxLat := w.bind("?", b.MaxLon), w.bind("?", b.MaxLat)
	or := " AND "
	if b.MinLon > b.MaxLon {
		or = " OR "
	}
	inside := "r.latitude >= " + minLat + " AND r.latitude <= " + maxLat + " AND (r.longitude >= " + minLon + or + "r.longitude <= " + maxLon + ")"
	c, ok := b.circle()
	if !ok {
		w.and(inside)
		return
	}
	around := w.bind("r.position && ST_GeogFromText(?)", c.bounds())
	w.either(around+" AND CASE WHEN "+inside+" THEN true END", inside)
}

// circle is one that b lies in, a little larger than need be; false for a box of half the earth and more, whose corners
// are not what is farthest from its middle.
func (b Box) circle() (circle, bool) {
	width := b.MaxLon - b.MinLon
	if width < 0 {
		width += 360
	}
	if width >= 180 {
		return circle{}, false
	}
	c := circle{lon: math.Remainder(b.MinLon+width/2, 360), lat: (b.MinLat + b.MaxLat) / 2}
	for _, latitude := range []float64{b.MinLat, b.MaxLat} {
		c.meters = max(c.meters, 1.01*onSphere(c.lat, latitude, width/2))
	}
	return c, true
}

// onSphere is the distance in metres of two places, by their latitudes and how many degrees of longitude lie between
// them, on a sphere as large as the earth: within 0.6 % of that on the ellipsoid.
func onSphere(latitude, other, between float64) float64 {
	const radius = 6_371_008.8 // mean (IUGG)
	rad := math.Pi / 180
	half := func(degrees float64) float64 { return math.Pow(math.Sin(degrees*rad/2), 2) }
	h := half(latitude-other) + math.Cos(latitude*rad)*math.Cos(other*rad)*half(between)
	return 2 * radius * math.Asin(math.Sqrt(min(h, 1)))
}
