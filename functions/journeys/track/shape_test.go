package track_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/lafaekstreet/backend/functions/journeys/track"
)

func shapeOf(t *testing.T, lines ...[]track.Position) *track.Shape {
	t.Helper()
	s, err := track.NewShape(lines...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// endless is more work than a test needs.
func endless() *int {
	steps := math.MaxInt
	return &steps
}

func TestNearestPlacesOfTwoShapes(t *testing.T) {
	t.Parallel()
	const degree = math.Pi / 180 * 6_371_008.7714150598 // metres
	for name, c := range map[string]struct {
		mine, theirs []track.Position
		metres       float64
		at           [2]track.Position
	}{
		"two points":            {[]track.Position{{125, 0}}, []track.Position{{125, 1}}, degree, [2]track.Position{{125, 0}, {125, 1}}},
		"the same point":        {[]track.Position{{125, -8}}, []track.Position{{125, -8}}, 0, [2]track.Position{{125, -8}, {125, -8}}},
		"a point beside a line": {[]track.Position{{0, 0}, {10, 0}}, []track.Position{{5, 1}}, degree, [2]track.Position{{5, 0}, {5, 1}}},
		"a point beyond a line": {[]track.Position{{0, 0}, {10, 0}}, []track.Position{{11, 0}}, degree, [2]track.Position{{10, 0}, {11, 0}}},
		"lines that cross":      {[]track.Position{{0, 0}, {10, 0}}, []track.Position{{5, -1}, {5, 1}}, 0, [2]track.Position{{5, 0}, {5, 0}}},
		"lines that touch":      {[]track.Position{{0, 0}, {10, 0}}, []track.Position{{10, 0}, {10, 5}}, 0, [2]track.Position{{10, 0}, {10, 0}}},
		"over the antimeridian": {[]track.Position{{179, 0}, {-179, 0}}, []track.Position{{180, -1}, {180, 1}}, 0, [2]track.Position{{180, 0}, {180, 0}}},
		"around the pole":       {[]track.Position{{0, 89}, {180, 89}}, []track.Position{{90, 89}}, degree, [2]track.Position{{0, 90}, {90, 89}}},
		"a very long line":      {[]track.Position{{0, 0}, {170, 0}}, []track.Position{{85, 2}}, 2 * degree, [2]track.Position{{85, 0}, {85, 2}}},
	} {
		mine, theirs := shapeOf(t, c.mine), shapeOf(t, c.theirs)
		got, near := mine.Nearest(theirs, 500_000, endless())
		if !near || math.Abs(got.DistanceM-c.metres) > 0.001 {
			t.Errorf("%s: %v m apart, %v; want %v", name, got.DistanceM, near, c.metres)
		}
		for i, at := range []track.Position{got.Mine, got.Theirs} {
			if math.Abs(math.Abs(at[0])-c.at[i][0]) > 1e-6 && math.Abs(at[1]) < 89.9 || math.Abs(at[1]-c.at[i][1]) > 1e-6 {
				t.Errorf("%s: the closest places are %v and %v, want %v", name, got.Mine, got.Theirs, c.at)
			}
		}
		if _, near := mine.Nearest(theirs, c.metres-1, endless()); near && c.metres > 1 {
			t.Errorf("%s: found beyond the distance", name)
		}
		if !mine.Within(theirs, c.metres+1, endless()) || c.metres > 1 && mine.Within(theirs, c.metres-1, endless()) {
			t.Errorf("%s: Within is wrong", name)
		}
	}
}

// The tree finds what a comparison of each line with each other one finds.
func TestNearestEqualsTheComparisonOfEveryPair(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	line := func(lon, lat float64) []track.Position {
		out := []track.Position{{lon, lat}}
		for range r.IntN(30) {
			lon, lat = lon+r.Float64()/10-0.05, lat+r.Float64()/10-0.05
			out = append(out, track.Position{lon, lat})
		}
		return out
	}
	for range 300 {
		mine, theirs := line(125+r.Float64(), -8), line(125+r.Float64(), -8)
		want := math.Inf(1)
		for i := range mine {
			for k := range theirs {
				a, b := shapeOf(t, mine[max(i-1, 0):i+1]), shapeOf(t, theirs[max(k-1, 0):k+1])
				if got, near := a.Nearest(b, 1e6, endless()); near {
					want = min(want, got.DistanceM)
				}
			}
		}
		if got, near := shapeOf(t, mine).Nearest(shapeOf(t, theirs), 1e6, endless()); !near || got.DistanceM != want {
			t.Fatalf("%v and %v: %v m, want %v", mine, theirs, got.DistanceM, want)
		}
	}
}

// Each place of a shape lies in one of its circles.
func TestCirclesHoldTheShape(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	line := []track.Position{}
	for range 400 {
		line = append(line, track.Position{r.Float64()*360 - 180, r.Float64()*180 - 90})
	}
	for n := 1; n <= 64; n *= 2 {
		lons, lats, radii := shapeOf(t, line).Circles(n, 0)
		if len(lons) > n {
			t.Fatalf("%d circles, want %d at most", len(lons), n)
		}
		for _, p := range line {
			held := false
			for i := range lons {
				held = held || shapeOf(t, []track.Position{p}).Within(shapeOf(t, []track.Position{{lons[i], lats[i]}}), radii[i]+1, endless())
			}
			if !held {
				t.Errorf("%d circles: %v lies in none", n, p)
			}
		}
	}
}

func TestShapesAreBounded(t *testing.T) {
	t.Parallel()
	zigzag := make([]track.Position, 1500)
	for i := range zigzag {
		zigzag[i] = track.Position{85 * float64(i%2*2-1), float64(i) / 100}
	}
	if _, err := track.NewShape(zigzag); !errors.Is(err, track.ErrTooComplex) {
		t.Errorf("error is %v for a line of 28 million km", err)
	}
	if _, err := track.NewShape(zigzag[:200]); err != nil {
		t.Error(err)
	}
	same := make([]track.Position, 20_001) // a tree of equal places is not deep
	for i := range same {
		same[i] = track.Position{125, -8}
	}
	if got, near := shapeOf(t, same).Nearest(shapeOf(t, same[:1]), 0, endless()); !near || got.DistanceM != 0 {
		t.Errorf("%v, %v", got, near)
	}
}

// A zigzag of 10,000 lines, each as long as the whole, crosses everything. The comparison ends with the steps.
func TestComparisonsAreBounded(t *testing.T) {
	t.Parallel()
	zigzag := func(lon, lat, dx, dy float64) *track.Shape {
		line := make([]track.Position, 10_000)
		for i := range line {
			line[i] = track.Position{lon + float64(i%2)*dx + float64(i)*dy/1e5, lat + float64(i%2)*dy + float64(i)*dx/1e5}
		}
		return shapeOf(t, line)
	}
	steps := 1000
	zigzag(125, -8, 2, 0).Nearest(zigzag(125, -7, 2, 0), 500_000, &steps)
	if steps > 0 || steps < -100 {
		t.Errorf("%d of 1,000 steps are left", steps)
	}
}
