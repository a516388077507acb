package track_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/lafaekstreet/backend/functions/journeys/track"
)

// at is a point without elevation and time.
func at(lon, lat float64) track.Point {
	return track.Point{Lon: lon, Lat: lat, Elevation: float32(math.NaN()), Time: track.NoTime}
}

// one is a recorded track of one segment.
func one(points ...track.Point) *track.Track {
	return &track.Track{Kind: track.Recorded, Segments: [][]track.Point{points}}
}

// The lengths are those of PostGIS: ST_Length of the line as geography.
func TestLengthIsThatOfTheSpheroid(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		track *track.Track
		want  float64
	}{
		"a degree of latitude":    {one(at(125, -9), at(125, -8)), 110580.3},
		"a degree of longitude":   {one(at(125, -8.5), at(126, -8.5)), 110107.5},
		"short":                   {one(at(125.5, -8.5), at(125.501, -8.501)), 156.19},
		"Dili to Lisbon":          {one(at(125.5736, -8.5569), at(-9.1393, 38.7223)), 14401881},
		"over the antimeridian":   {one(at(179.9, 0), at(-179.9, 0)), 22263.9},
		"over the pole":           {one(at(0, 89), at(180, 89)), 223387.7},
		"with a gap in between":   {&track.Track{Segments: [][]track.Point{{at(125, -9), at(125, -8)}, {at(0, 0.5), at(0, 1.5)}}}, 110580.3 + 110576.4},
		"the other side of earth": {one(at(0, 0), at(180, 0.0001)), 0},
	} {
		if got := c.track.LengthM(); math.Abs(got-c.want) > c.want*2e-3 {
			t.Errorf("%s: %.1f m, want %.1f", name, got, c.want)
		}
	}
}

// wander is a track of n points that turns at random, some 10 m a point.
func wander(n int, seed uint64) *track.Track {
	r := rand.New(rand.NewPCG(seed, 1))
	lon, lat, course := 125.5, -8.5, 0.0
	var points []track.Point
	for i := range n {
		course += r.NormFloat64() / 3
		lon, lat = lon+math.Sin(course)*1e-4, lat+math.Cos(course)*1e-4
		p := at(lon, lat)
		p.Time = int64(i) * 1000
		points = append(points, p.Rounded())
	}
	return one(points...)
}

// metres is the distance between two places near each other.
func metres(a, b track.Position) float64 {
	return math.Hypot((a[0]-b[0])*math.Cos(a[1]*math.Pi/180), a[1]-b[1]) * 111195
}

// beside is the distance from a point to a line, in metres.
func beside(p track.Point, line []track.Position) float64 {
	best := math.Inf(1)
	for i := 1; i < len(line); i++ {
		for f := 0.0; f <= 1; f += 1.0 / 64 {
			best = min(best, metres(track.Position{p.Lon, p.Lat}, track.Position{
				line[i-1][0] + f*(line[i][0]-line[i-1][0]), line[i-1][1] + f*(line[i][1]-line[i-1][1])}))
		}
	}
	return best
}

func TestPiecesKeepToTheirLimits(t *testing.T) {
	t.Parallel()
	ride := wander(6000, 1)
	ride.Segments = [][]track.Point{ride.Segments[0][:2000], ride.Segments[0][2000:]}
	points := append(append([]track.Point{}, ride.Segments[0]...), ride.Segments[1]...)
	legs := ride.Legs()
	for name, c := range map[string]struct {
		pieces         []track.Piece
		length, off    float64
		most, vertices int
	}{"legs": {legs, 5000, 10, 200, 1000}, "stretches": {ride.Stretches(legs), 50_000, 100, 60, 50}} {
		sum := 0.0
		for i, p := range c.pieces {
			first, last := p.Vertices[0], p.Vertices[len(p.Vertices)-1]
			if p.LengthM > c.length+1 || len(p.Line) > c.vertices || len(p.Line) != len(p.Vertices) {
				t.Errorf("%s[%d]: %.0f m, %d vertices", name, i, p.LengthM, len(p.Line))
			}
			if i > 0 && c.pieces[i-1].Segment == p.Segment && c.pieces[i-1].Vertices[len(c.pieces[i-1].Vertices)-1] != first {
				t.Errorf("%s[%d] begins at point %d", name, i, first)
			}
			if name == "legs" && math.Abs(p.StartM-sum) > 0.1 {
				t.Errorf("%s[%d] starts at %.1f m, want %.1f", name, i, p.StartM, sum)
			}
			sum += p.LengthM
			for k := first; k <= last; k += 7 {
				if d := beside(points[k], p.Line); d > c.off+1 {
					t.Errorf("%s[%d]: point %d is %.1f m off", name, i, k, d)
				}
			}
		}
		if len(c.pieces) > c.most {
			t.Errorf("%d %s", len(c.pieces), name)
		}
	}
	if n := len(legs); n < 10 {
		t.Errorf("%d legs of 60 km", n)
	}
}

// A hop longer than a leg is a leg of its own. One to the other side of the earth is none.
func TestLongHops(t *testing.T) {
	t.Parallel()
	ride := one(at(125, -8.5), at(125.001, -8.5), at(130, -8.5), at(130.001, -8.5), at(-50, 8.5), at(-50.001, 8.5))
	legs := ride.Legs()
	if len(legs) != 4 || legs[1].LengthM < 500_000 || legs[3].Vertices[0] != 4 {
		t.Errorf("%+v", legs)
	}
	if s := ride.Stretches(legs); s[len(s)-1].Vertices[0] != 4 {
		t.Errorf("%+v", s)
	}
}

func TestEndsAreHidden(t *testing.T) {
	t.Parallel()
	// East from home, 11 m a point for 3,300 m, and home again. Before that, the receiver wanders 2 km within 50 m.
	var points []track.Point
	for i := range 200 {
		points = append(points, at(125.5+float64(i%2)*1e-4, -8.5))
	}
	for i := range 300 {
		points = append(points, at(125.5+float64(i)*1e-4, -8.5))
	}
	for i := range 300 {
		points = append(points, at(125.5+float64(300-i)*1e-4, -8.501))
	}
	ride := one(points...)
	for hide, want := range map[float64]track.Range{0: {0, 799}, 500: {246, 754}, 2000: {382, 618}} {
		r, ok := ride.ShownRange(track.Privacy{HideEndsM: hide})
		if !ok || abs(r.From-want.From) > 1 || abs(r.To-want.To) > 1 {
			t.Errorf("%v m: %v, %v, want %v", hide, r, ok, want)
		}
	}
	if r, ok := ride.ShownRange(track.Privacy{HideEndsM: 5000}); ok {
		t.Errorf("a ride near home shows %v", r)
	}
	r, ok := ride.ShownRange(track.Privacy{HideEndsM: 500})
	legs := ride.Legs()
	if shown := ride.Show(legs, r, ok, track.Privacy{HideEndsM: 500}); math.Abs(shown-(2*3300-1000)) > 150 {
		t.Errorf("others see %.0f m", shown)
	}
	home := track.Position{125.5, -8.5}
	for i, l := range legs {
		for _, p := range l.Shown {
			if metres(home, p) < 495 {
				t.Errorf("leg %d: others see %v, %.0f m from home", i, p, metres(home, p))
			}
		}
	}
	plan := *ride
	plan.Kind = track.Planned
	if r, ok := plan.ShownRange(track.Privacy{HideEndsM: 500}); !ok || r.From != 0 || r.To != 799 {
		t.Errorf("of a plan others see %v", r)
	}
}

func abs(n int) int { return max(n, -n) }

func TestSameTrackHasTheSameHash(t *testing.T) {
	t.Parallel()
	ride := wander(50, 3)
	again := wander(50, 3)
	again.Name, again.Kind = "Another name", track.Planned
	if ride.Hash() != again.Hash() {
		t.Error("name and kind count")
	}
	for name, change := range map[string]func(t *track.Track){
		"place":     func(t *track.Track) { t.Segments[0][9].Lon += 1e-6 },
		"time":      func(t *track.Track) { t.Segments[0][9].Time++ },
		"elevation": func(t *track.Track) { t.Segments[0][9].Elevation = 12 },
		"segments":  func(t *track.Track) { t.Segments = [][]track.Point{t.Segments[0][:20], t.Segments[0][20:]} },
	} {
		other := wander(50, 3)
		change(other)
		if ride.Hash() == other.Hash() {
			t.Errorf("%s does not count", name)
		}
	}
}
