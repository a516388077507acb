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

// ErrNoLine reports bytes that are no line in well-known binary.
var ErrNoLine = errors.New("not a line in well-known binary")

// LineOfWKB reads a line that PostGIS wrote by ST_AsBinary(line, 'NDR').
func LineOfWKB(raw []byte) ([]Position, error) {
	if len(raw) < 9 || raw[0] != 1 || binary.LittleEndian.Uint32(raw[1:]) != 2 {
		return nil, ErrNoLine
	}
	n := int(binary.LittleEndian.Uint32(raw[5:]))
	if len(raw) != 9+16*n {
		return nil, ErrNoLine
	}
	out := make([]Position, n)
	for i := range out {
		at := raw[9+16*i:]
		out[i] = Position{math.Float64frombits(binary.LittleEndian.Uint64(at)), math.Float64frombits(binary.LittleEndian.Uint64(at[8:]))}
	}
	return out, nil
}
