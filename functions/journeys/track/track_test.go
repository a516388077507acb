package track_test

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
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
	home := track.Position{125.5, -8.5}
	for _, hide := range []float64{500, 1500} {
		p := track.Privacy{HideEndsM: hide, Seed: [16]byte{7}}
		r, ok := ride.ShownRange(p)
		legs := ride.Legs()
		length := ride.Show(legs, r, ok, p)
		if least, most := 6600-2*(hide+400)-50, 6600-2*hide+50; !ok || length < least || length > most {
			t.Errorf("%.0f m are hidden, and others see %.0f m of the ride, want %.0f to %.0f", hide, length, least, most)
		}
		for i, l := range legs {
			for _, at := range l.Shown {
				if metres(home, at) < hide-5 {
					t.Errorf("leg %d: others see %v, %.0f m from home", i, at, metres(home, at))
				}
			}
		}
	}
	if r, ok := ride.ShownRange(track.Privacy{}); !ok || r != (track.Range{From: 0, To: 799}) {
		t.Errorf("of a ride that hides nothing others see %v", r)
	}
	if r, ok := ride.ShownRange(track.Privacy{HideEndsM: 5000}); ok {
		t.Errorf("a ride near home shows %v", r)
	}
	plan := *ride
	plan.Kind = track.Planned
	if r, ok := plan.ShownRange(track.Privacy{HideEndsM: 500}); !ok || r.From != 0 || r.To != 799 {
		t.Errorf("of a plan others see %v", r)
	}
}

// The places where rides from one house become visible lie on a circle. Its middle is not the house, and differs from person
// to person; it is the same for 200 rides as for three, and for every hidden distance.
func TestManyRidesDoNotTellTheHouse(t *testing.T) {
	t.Parallel()
	house := track.Position{125.505, -8.505}
	var offs []float64
	for person := range 20 {
		near := middleOfRides(t, house, track.Privacy{HideEndsM: 500, Seed: [16]byte{byte(person)}})
		far := middleOfRides(t, house, track.Privacy{HideEndsM: 1500, Seed: [16]byte{byte(person)}})
		if apart := metres(near, far); apart > 20 {
			t.Errorf("person %d: the middles of two hidden distances are %.0f m apart", person, apart)
		}
		wandered := middleOfRides(t, track.Position{house[0] + 5e-5, house[1]}, track.Privacy{HideEndsM: 500, Seed: [16]byte{byte(person)}})
		if apart := metres(near, wandered); apart > 20 {
			t.Errorf("person %d: the middle moves by %.0f m when the receiver starts 5 m away", person, apart)
		}
		offs = append(offs, metres(near, house))
	}
	slices.Sort(offs)
	if offs[5] < 60 || offs[19] > 220 {
		t.Errorf("the house is %.0f m from the middles", offs)
	}
}

// middleOfRides is the middle of the circle on which three rides from a house become visible.
func middleOfRides(t *testing.T, house track.Position, p track.Privacy) track.Position {
	t.Helper()
	var seen [3]track.Position
	for i := range seen {
		var points []track.Point
		east, north := math.Sincos(float64(i) * 2.1)
		for k := range 900 { // 5 m a point
			points = append(points, at(house[0]+east*float64(k)*5/111195/math.Cos(house[1]*math.Pi/180), house[1]+north*float64(k)*5/111195))
		}
		r, ok := one(points...).ShownRange(p)
		if !ok {
			t.Fatal("nothing is shown")
		}
		seen[i] = track.Position{points[r.From].Lon, points[r.From].Lat}
	}
	return middle(seen)
}

// middle is the middle of the circle through three places.
func middle(p [3]track.Position) track.Position {
	narrow := math.Cos(p[0][1] * math.Pi / 180)
	bx, by := (p[1][0]-p[0][0])*narrow, p[1][1]-p[0][1]
	cx, cy := (p[2][0]-p[0][0])*narrow, p[2][1]-p[0][1]
	d := 2 * (bx*cy - by*cx)
	x, y := (cy*(bx*bx+by*by)-by*(cx*cx+cy*cy))/d, (bx*(cx*cx+cy*cy)-cx*(bx*bx+by*by))/d
	return track.Position{p[0][0] + x/narrow, p[0][1] + y}
}

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

// Recorders that pause by themselves write thousands of segments. The work grows with their number and not with its square,
// and the search for riders nearby sees one line. Not parallel: it measures what is allocated.
func TestManySegmentsAreOneRide(t *testing.T) { //nolint:paralleltest // others would count
	var segments [][]track.Point
	for i := range 5000 {
		segments = append(segments, []track.Point{at(125+float64(i)*2e-4, -8.5), at(125+float64(i)*2e-4+1e-4, -8.5)})
	}
	ride := &track.Track{Kind: track.Recorded, Segments: segments}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	legs := ride.Legs()
	stretches := ride.Stretches(legs)
	r, ok := ride.ShownRange(track.Privacy{HideEndsM: 500})
	ride.Show(legs, r, ok, track.Privacy{})
	runtime.ReadMemStats(&after)
	if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; mb > 50 {
		t.Errorf("%d MB were allocated", mb)
	}
	if len(legs) != 5000 || len(stretches) > 12 {
		t.Errorf("%d legs, %d stretches", len(legs), len(stretches))
	}
	for i := range segments { // 6 km from each other
		segments[i][0].Lat += float64(i%2) * 0.05
		segments[i][1].Lat += float64(i%2) * 0.05
	}
	apart := &track.Track{Segments: segments}
	if n := len(apart.Stretches(apart.Legs())); n != 5000 {
		t.Errorf("%d stretches of 5000 segments far from each other", n)
	}
}
