package track

// maxRun bounds the points that simplify looks at together: its work grows with their square.
const maxRun = 1000

// simplify returns the numbers of the points that a line needs so that no other point is more than tolerance metres from it
// (Douglas and Peucker). The first and the last point stay. It is for at most maxRun points.
func simplify(points []vector, tolerance float64) []int {
	keep := make([]bool, len(points))
	keep[0], keep[len(points)-1] = true, true
	type span struct{ from, to int }
	for open := []span{{0, len(points) - 1}}; len(open) > 0; {
		s := open[len(open)-1]
		open = open[:len(open)-1]
		farthest, at := tolerance, -1
		for i := s.from + 1; i < s.to; i++ {
			if d := offset(points[i], points[s.from], points[s.to]); d > farthest {
				farthest, at = d, i
			}
		}
		if at >= 0 {
			keep[at] = true
			open = append(open, span{s.from, at}, span{at, s.to})
		}
	}
	var out []int
	for i, k := range keep {
		if k {
			out = append(out, i)
		}
	}
	return out
}
