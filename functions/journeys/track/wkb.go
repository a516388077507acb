package track

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
)

// WKB returns the line as well-known binary, which PostGIS reads; nil for no line.
func WKB(line []Position) []byte {
	if line == nil {
		return nil
	}
	const lineString = 2
	out := slices.Grow(wkbHead(lineString, len(line)), 16*len(line))
	for _, at := range line {
		out = appendPosition(out, at)
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
