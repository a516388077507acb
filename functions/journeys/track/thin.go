package track

// Thin returns lines with at most the given number of vertices in all, and how far in metres they may be from those it was
// given: 0 when these have no more. It is false when even 10 km do not make them few enough.
func Thin(lines [][]Position, vertices int) ([][]Position, float64, bool) {
	for errorM := 0.0; errorM <= 10_000; errorM = max(10, errorM*2) {
		if count(lines) <= vertices {
			return lines, errorM, true
		}
		next, tolerance := make([][]Position, len(lines)), max(10, errorM*2)/4
		for i, line := range lines {
			next[i] = spaced(line, tolerance)
		}
		if count(next) <= 10*vertices { // simplifying more of them would take seconds
			for i, line := range next {
				next[i] = simplified(line, tolerance)
			}
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

// spaced leaves out the vertices within tolerance of the one before.
func spaced(line []Position, tolerance float64) []Position {
	out, before := line[:1:1], vectorOf(line[0][0], line[0][1])
	for i, p := range line[1:] {
		if v := vectorOf(p[0], p[1]); i == len(line)-2 || v.minus(before).length() > tolerance {
			out, before = append(out, p), v
		}
	}
	return out
}

// simplified simplifies a line, part by part.
func simplified(line []Position, tolerance float64) []Position {
	at := make([]vector, len(line))
	for i, p := range line {
		at[i] = vectorOf(p[0], p[1])
	}
	out := line[:1:1]
	for from := 0; from < len(line)-1; from += maxRun - 1 {
		to := min(from+maxRun-1, len(line)-1)
		for _, k := range simplify(at[from:to+1], tolerance)[1:] {
			out = append(out, line[from+k])
		}
	}
	return out
}
