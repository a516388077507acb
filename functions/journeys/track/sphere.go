package track

import "math"

// onSphere returns the place on a sphere of radius 1 whose latitudes are those of the spheroid, as PostGIS does.
func onSphere(p Position) vector {
	sinLat, cosLat := math.Sincos(p[1] * math.Pi / 180)
	sinLon, cosLon := math.Sincos(p[0] * math.Pi / 180)
	return vector{cosLat * cosLon, cosLat * sinLon, sinLat}
}

// onEllipsoid is vectorOf for a place on the sphere.
func (v vector) onEllipsoid() vector {
	n := equatorM / math.Sqrt(1-eccentricity2*v.z*v.z)
	return vector{n * v.x, n * v.y, n * (1 - eccentricity2) * v.z}
}

func (v vector) position() Position {
	return Position{math.Atan2(v.y, v.x) * 180 / math.Pi, math.Atan2(v.z, math.Hypot(v.x, v.y)) * 180 / math.Pi}
}

func (v vector) unit() vector { return vector{}.plus(v, 1/v.length()) }

func (v vector) cross(w vector) vector {
	return vector{v.y*w.z - v.z*w.y, v.z*w.x - v.x*w.z, v.x*w.y - v.y*w.x}
}

// angleOf returns the angle in radians of a chord of the sphere; chordOf is its inverse. Chords order places as angles do,
// and need no trigonometry.
func angleOf(chord float64) float64 { return 2 * math.Asin(math.Min(1, chord/2)) }
func chordOf(angle float64) float64 { return 2 * math.Sin(math.Min(angle, math.Pi)/2) }

// chordTo returns the chord from p to the closest point of the great circle from a to b. p is not on the other side of the
// earth.
func chordTo(p, a, b vector) float64 {
	line, fromA, fromB := b.minus(a), p.minus(a), p.minus(b)
	forward := line.plus(a, -line.dot(a)) // the direction at a
	if fromA.dot(forward) <= 0 {
		return fromA.length()
	}
	if fromB.dot(line.plus(b, -line.dot(b))) >= 0 {
		return fromB.length()
	}
	sine := math.Min(1, math.Abs(fromA.dot(a.cross(forward)))/forward.length())
	return sine * math.Sqrt(2/(1+math.Sqrt(1-sine*sine)))
}

// partBefore returns which part of the great circle from a to b lies before the point that is closest to p, from 0 to 1.
func partBefore(p, a, b vector) float64 {
	line := b.minus(a)
	forward := line.plus(a, -line.dot(a))
	length, to := forward.length(), p.minus(a).dot(forward)
	if length == 0 || to <= 0 {
		return 0
	}
	return math.Min(1, math.Atan2(to/length, p.dot(a))/angleOf(line.length()))
}

// cell is a cube of a grid through the sphere.
type cell struct{ x, y, z int32 }

// cellOf returns the cell of a place in a grid of cubes of this side; the sphere has radius 1.
func cellOf(v vector, side float64) cell {
	return cell{int32(math.Floor(v.x / side)), int32(math.Floor(v.y / side)), int32(math.Floor(v.z / side))}
}
