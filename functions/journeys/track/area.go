package track

import (
	"encoding/binary"
	"math"
)

// wideM is the radius in metres from which on AreaAround returns an area with the whole earth.
const wideM = 3_000_000

// AreaAround returns an area that holds everything within a radius of a place, as well-known binary for ST_GeogFromWKB: an
// octagon, a little wider than the circle. Its box finds shapes in an index. It is right at the poles and the antimeridian too.
func AreaAround(at Position, radiusM float64) []byte {
	if radiusM >= wideM {
		return wholeEarth()
	}
	middle := onSphere(at)
	east := vector{-math.Sin(at[0] * math.Pi / 180), math.Cos(at[0] * math.Pi / 180), 0}
	north := middle.cross(east)
	const pad = 1.01 // distances on the spheroid differ from those on the sphere by 0.6 percent at most
	angle := math.Atan(math.Tan(pad*radiusM/sphereM+1e-9) / math.Cos(math.Pi/8))
	out := wkbHead(3, 1)
	out = binary.LittleEndian.AppendUint32(out, 9)
	for k := range 9 {
		sin, cos := math.Sincos(float64(k%8) * math.Pi / 4)
		corner := vector{}.plus(middle, math.Cos(angle)).plus(north, math.Sin(angle)*cos).plus(east, math.Sin(angle)*sin)
		out = appendPosition(out, corner.position())
	}
	return out
}

// wholeEarth returns points whose box holds the whole earth.
func wholeEarth() []byte {
	points := []Position{{0, 0}, {180, 0}, {90, 0}, {-90, 0}, {0, 90}, {0, -90}}
	out := wkbHead(4, len(points))
	for _, p := range points {
		out = appendPosition(append(out, wkbHead(1, 0)[:5]...), p)
	}
	return out
}

// wkbHead begins a geometry of a kind with so many parts.
func wkbHead(kind uint32, parts int) []byte {
	const littleEndian = 1
	out := binary.LittleEndian.AppendUint32([]byte{littleEndian}, kind)
	return binary.LittleEndian.AppendUint32(out, uint32(parts)) //nolint:gosec // bounded by the points of a track
}

func appendPosition(out []byte, p Position) []byte {
	out = binary.LittleEndian.AppendUint64(out, math.Float64bits(p[0]))
	return binary.LittleEndian.AppendUint64(out, math.Float64bits(p[1]))
}
