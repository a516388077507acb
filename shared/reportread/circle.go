package reportread

import (
	"fmt"
	"math"
	"strings"
)

// circle is a place in degrees WGS 84 and a radius in metres along the ground.
type circle struct{ lon, lat, meters float64 }

// shortestRadius is the smallest radius of curvature of the WGS 84 ellipsoid, in metres: north-south at the equator. The
// angle of a distance along the ground is nowhere larger than the distance divided by it.
const shortestRadius = 6_335_439

// bounds is a geography, as EWKT, whose bounding box holds the circle and little more; so `position && bounds` finds in the
// index all reports within the circle, at the poles and across the antimeridian too.
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

// farthest is the point of the unit sphere within radius (radians) of middle that reaches farthest along an axis.
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
