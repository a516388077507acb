package track

import "math"

// The ellipsoid of WGS 84.
const (
	equatorM      = 6_378_137.0
	eccentricity2 = 6.69437999014e-3 // the square of the eccentricity
)

// vector is a place in metres from the centre of the earth. Distances between vectors need no special case at the poles or
// at the antimeridian.
type vector struct{ x, y, z float64 }

// vectorOf returns the place on the ellipsoid.
func vectorOf(lon, lat float64) vector {
	sinLat, cosLat := math.Sincos(lat * math.Pi / 180)
	sinLon, cosLon := math.Sincos(lon * math.Pi / 180)
	n := equatorM / math.Sqrt(1-eccentricity2*sinLat*sinLat)
	return vector{n * cosLat * cosLon, n * cosLat * sinLon, n * (1 - eccentricity2) * sinLat}
}

func (v vector) minus(w vector) vector { return vector{v.x - w.x, v.y - w.y, v.z - w.z} }

func (v vector) plus(w vector, times float64) vector {
	return vector{v.x + times*w.x, v.y + times*w.y, v.z + times*w.z}
}

func (v vector) dot(w vector) float64 { return v.x*w.x + v.y*w.y + v.z*w.z }

func (v vector) length() float64 { return math.Sqrt(v.dot(v)) }

// distance returns the metres between two places on the ellipsoid, over its surface. It is right to 0.01 percent.
func distance(a, b vector) float64 {
	const meanRadiusM = 6_371_009.0
	if chord := a.minus(b).length(); chord < 100_000 {
		return 2 * meanRadiusM * math.Asin(chord/(2*meanRadiusM))
	}
	return farDistance(a, b)
}

// farDistance is Lambert's formula for long lines.
func farDistance(a, b vector) float64 {
	polarM := equatorM * math.Sqrt(1-eccentricity2)
	flattening := 1 - polarM/equatorM
	onSphere := func(v vector) vector { return vector{v.x / equatorM, v.y / equatorM, v.z / polarM} }
	u, v := onSphere(a), onSphere(b)
	angle := 2 * math.Asin(math.Min(1, u.minus(v).length()/2))
	if angle > 3.12 { // near the opposite side of the earth, where the formula fails
		return equatorM * angle
	}
	latU, latV := math.Asin(clamp(u.z)), math.Asin(clamp(v.z))
	sinP, cosP := math.Sincos((latU + latV) / 2)
	sinQ, cosQ := math.Sincos((latV - latU) / 2)
	sinHalf, cosHalf := math.Sincos(angle / 2)
	x := (angle - math.Sin(angle)) * square(sinP*cosQ/cosHalf)
	y := (angle + math.Sin(angle)) * square(cosP*sinQ/sinHalf)
	return equatorM * (angle - flattening/2*(x+y))
}

func square(x float64) float64 { return x * x }

func clamp(x float64) float64 { return math.Max(-1, math.Min(1, x)) }

// offset returns the metres from p to the straight line from a to b.
func offset(p, a, b vector) float64 {
	line, to := b.minus(a), p.minus(a)
	t := 0.0
	if squared := line.dot(line); squared > 0 {
		t = math.Max(0, math.Min(1, to.dot(line)/squared))
	}
	return to.plus(line, -t).length()
}
