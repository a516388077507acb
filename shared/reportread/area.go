package reportread

import (
	"fmt"
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
// The spatial index cannot find an area between meridians. So it finds the reports in a circle around b, and comparing
// degrees keeps those in b. CASE hides the comparisons from the planner: it would take the four for independent,
// multiply its estimates and expect no rows. Then a scan along the index of a sort order, which finds a page of a large
// area in milliseconds, looks more expensive than reading all reports.
//
// A place may lie outside of b and be shown inside, or the other way round: by says what counts.
//
// Of a time in which the reports were created, another index knows both, the area and the time.
func (b Box) within(by geometry, w *where) {
	minLon, minLat := w.bind("?", b.MinLon), w.bind("?", b.MinLat)
	maxLon, maxLat := w.bind("?", b.MaxLon), w.bind("?", b.MaxLat)
	or := " AND "
	if b.MinLon > b.MaxLon {
		or = " OR "
	}
	inside := "CASE WHEN " + by.latitude + " >= " + minLat + " AND " + by.latitude + " <= " + maxLat + " AND (" + by.longitude + " >= " + minLon + or + by.longitude + " <= " + maxLon + ") THEN true END"
	c, ok := b.circle()
	if !ok {
		w.and(inside)
		return
	}
	around := ""
	if b.MinLon <= b.MaxLon {
		area := b.wider(by)
		if w.since != nil || w.until != nil {
			around = w.bind(createdPointSQL+" &&& created_box(?, ?, ?, ?, ?, ?)", append(area, w.since, w.until)...)
		}
		if !w.removed {
			w.area = area
		}
	}
	if around == "" {
		c.meters += by.margin
		around = w.bind("r.position && ST_GeogFromText(?)", c.bounds())
	}
	w.andEither(around+" AND "+inside, inside)
}

// createdPointSQL is the place and the day of creation of a report r: the expression of reports_created_point_idx.
const createdPointSQL = `created_point(r.longitude, r.latitude, r.created_at)`

// wider returns minLon, minLat, maxLon and maxLat of b with the margin of by.
func (b Box) wider(by geometry) []any {
	margin := 0.0
	if !by.exact {
		margin = report.ShownWithinDegrees
	}
	return []any{b.MinLon - margin, b.MinLat - margin, b.MaxLon + margin, b.MaxLat + margin}
}

// circle returns a circle that contains b, with a radius about 1 % larger than necessary. It is false for a box of 180
// degrees of longitude or more: its corners are not its farthest points from the middle.
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
		c.meters = max(c.meters, 1.01*sphereDistance(c.lat, latitude, width/2))
	}
	return c, true
}

// sphereDistance is the distance in metres between two places on a sphere with the earth's mean radius, from their
// latitudes and the difference of their longitudes, in degrees. It differs from that on the ellipsoid by at most 0.6 %.
func sphereDistance(latitude, other, between float64) float64 {
	const radius = 6_371_008.8 // mean (IUGG)
	rad := math.Pi / 180
	half := func(degrees float64) float64 { return math.Pow(math.Sin(degrees*rad/2), 2) }
	h := half(latitude-other) + math.Cos(latitude*rad)*math.Cos(other*rad)*half(between)
	return 2 * radius * math.Asin(math.Sqrt(min(h, 1)))
}

// circle is a place in degrees WGS 84 and a radius in metres along the ground.
type circle struct{ lon, lat, meters float64 }

// shortestRadius is the smallest radius of curvature of the WGS 84 ellipsoid, in metres: north-south at the equator. The
// angle of a distance along the ground is nowhere larger than the distance divided by it.
const shortestRadius = 6_335_439

// bounds is a geography, as EWKT, whose bounding box contains the circle and is little larger. So `position && bounds`
// finds all reports within the circle by the index, also at the poles and across the antimeridian.
//
// PostGIS keeps the bounding box of a geography as a box in space around points on the unit sphere. The six points
// returned are those of the circle that reach farthest along the three axes of that space, in both directions.
func (c circle) bounds() string {
	radius := min(c.meters/shortestRadius+1e-7, math.Pi) // 1e-7: half a metre for rounding
	sinLat, cosLat := math.Sincos(c.lat * math.Pi / 180)
	sinLon, cosLon := math.Sincos(c.lon * math.Pi / 180)
	middle := [3]float64{cosLat * cosLon, cosLat * sinLon, sinLat}
	points := make([]string, 0, 6)
	for axis := range middle {
		for _, sign := range []float64{1, -1} {
			p := farthest(middle, axis, sign, radius)
			lon, lat := math.Atan2(p[1], p[0])*180/math.Pi, math.Atan2(p[2], math.Hypot(p[0], p[1]))*180/math.Pi
			points = append(points, fmt.Sprintf("(%.9f %.9f)", lon, lat))
		}
	}
	return "SRID=4326;MULTIPOINT(" + strings.Join(points, ",") + ")"
}

// farthest returns the point farthest along an axis, of the points of the unit sphere within radius (radians) of middle.
func farthest(middle [3]float64, axis int, sign, radius float64) [3]float64 {
	var end [3]float64 // where the axis leaves the sphere
	end[axis] = sign
	cosine := sign * middle[axis]
	if math.Acos(max(-1, min(1, cosine))) <= radius {
		return end
	}
	var toEnd [3]float64 // from middle towards end, along the sphere
	for i := range toEnd {
		toEnd[i] = end[i] - cosine*middle[i]
	}
	length := math.Hypot(math.Hypot(toEnd[0], toEnd[1]), toEnd[2])
	if length < 1e-12 { // middle is opposite: every direction leads towards end
		toEnd, length = [3]float64{}, 1
		toEnd[(axis+1)%3] = 1
	}
	sin, cos := math.Sincos(radius)
	var p [3]float64
	for i := range p {
		p[i] = middle[i]*cos + toEnd[i]/length*sin
	}
	return p
}
