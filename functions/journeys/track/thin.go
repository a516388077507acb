package track

// Thin returns lines with at most the given number of vertices in all, and how far in metres they may be from those it was
// given: 0 when these have no more. It is false when even 10 km do not make them few enough.
func Thin(lines [][]Position, vertices int) ([][]Position, float64, bool) {
	for errorM := 0.0; errorM <= 10_000; errorM = max(10, errorM*2) {
		if count(lines) <= vertices {
			return lines, errorM, true
		}
		next := make([][]Position, len(lines))
		for i, line := range lines {
			next[i] = thinLine(line, max(10, errorM*2)/4)
		}
		lines = next
	}
	return nil, 0, false
}

func count(lines [][]Position) int {
	n := 0
	for _, line := range lines {
		n += len(line)
	}
	return n
}

// thinLine leaves out the vertices within tolerance of the one before, then simplifies with the same tolerance, part by part.
func thinLine(line []Position, tolerance float64) []Position {
	var at []vector
	var near []Position
	for i, p := range line {
		v := vectorOf(p[0], p[1])
		if i == 0 || i == len(line)-1 || v.minus(at[len(at)-1]).length() > tolerance {
			near, at = append(near, p), append(at, v)
		}
	}
	out := near[:1:1]
	for from := 0; from < len(near)-1; from += maxRun - 1 {
		to := min(from+maxRun-1, len(near)-1)
		for _, k := range simplify(at[from:to+1], tolerance)[1:] {
			out = append(out, near[from+k])
		}
	}
	return out
}
