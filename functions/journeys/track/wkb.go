package track

import (
	"encoding/binary"
	"errors"
	"math"
)

// WKB returns the line as well-known binary, which PostGIS reads; nil for no line.
func WKB(line []Position) []byte {
	if line == nil {
		return nil
	}
	const littleEndian, lineString = 1, 2
	out := make([]byte, 0, 9+16*len(line))
	out = binary.LittleEndian.AppendUint32(append(out, littleEndian), lineString)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(line))) //nolint:gosec // bounded by the points of a track
	for _, at := range line {
		out = binary.LittleEndian.AppendUint64(out, math.Float64bits(at[0]))
		out = binary.LittleEndian.AppendUint64(out, math.Float64bits(at[1]))
	}
	return out
}

// ErrNoLine reports bytes that are neither a line nor a point in well-known binary.
var ErrNoLine = errors.New("not a line in well-known binary")

// LineOfWKB reads a line that PostGIS wrote by ST_AsBinary(line, 'NDR'). A point is a line of one place.
func LineOfWKB(raw []byte) ([]Position, error) {
	const point, lineString = 1, 2
	if len(raw) < 9 || raw[0] != 1 {
		return nil, ErrNoLine
	}
	n, places := 1, raw[5:]
	switch binary.LittleEndian.Uint32(raw[1:]) {
	case point:
	case lineString:
		n, places = int(binary.LittleEndian.Uint32(places)), raw[9:]
	default:
		return nil, ErrNoLine
	}
	if n == 0 || len(places) != 16*n {
		return nil, ErrNoLine
	}
	out := make([]Position, n)
	for i := range out {
		at := places[16*i:]
		out[i] = Position{math.Float64frombits(binary.LittleEndian.Uint64(at)), math.Float64frombits(binary.LittleEndian.Uint64(at[8:]))}
	}
	return out, nil
}
