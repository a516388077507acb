package track_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lafaekstreet/backend/functions/journeys/track"
)

const sphereM = 6_371_008.7714

// arc returns the angle between two places and the course from a to b, in radians.
func arc(a, b track.Position) (float64, float64) {
	const rad = math.Pi / 180
	turn, south, north := (b[0]-a[0])*rad, a[1]*rad, b[1]*rad
	half := math.Pow(math.Sin((north-south)/2), 2) + math.Cos(south)*math.Cos(north)*math.Pow(math.Sin(turn/2), 2)
	return 2 * math.Asin(math.Min(1, math.Sqrt(half))),
		math.Atan2(math.Sin(turn)*math.Cos(north), math.Cos(south)*math.Sin(north)-math.Sin(south)*math.Cos(north)*math.Cos(turn))
}

// fromArc returns the metres from p to the great circle from a to b, by the formulas of navigation.
func fromArc(p, a, b track.Position) float64 {
	whole, course := arc(a, b)
	angle, bearing := arc(a, p)
	aside := math.Asin(math.Sin(angle) * math.Sin(bearing-course))
	along := math.Acos(math.Min(1, math.Cos(angle)/math.Cos(aside)))
	if math.Cos(bearing-course) < 0 {
		return angle * sphereM
	}
	if along > whole {
		end, _ := arc(p, b)
		return end * sphereM
	}
	return math.Abs(aside) * sphereM
}

func fromRoute(p track.Position, legs [][]track.Position) float64 {
	best := math.Inf(1)
	for _, leg := range legs {
		for i := 1; i < len(leg); i++ {
			best = min(best, fromArc(p, leg[i-1], leg[i]))
		}
	}
	return best
}

// laid prepares a route.
func laid(t *testing.T, withinM float64, legs ...[]track.Position) *track.Route {
	t.Helper()
	r := track.NewRoute(withinM)
	for _, leg := range legs {
		if err := r.Add(leg, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Prepare(); err != nil {
		t.Fatal(err)
	}
	return r
}

// walk is a random walk of n steps of about the metres.
func walk(r *rand.Rand, from track.Position, n int, stepM float64) []track.Position {
	out := []track.Position{from}
	course := r.Float64() * 7
	for range n {
		course += r.NormFloat64()
		last := out[len(out)-1]
		lat := last[1] + stepM/111_195*math.Cos(course)
		lon := last[0] + stepM/111_195*math.Sin(course)/math.Max(0.001, math.Cos(last[1]*math.Pi/180))
		out = append(out, track.Position{math.Remainder(lon, 360), math.Max(-90, math.Min(90, lat))})
	}
	return out
}

func hardRoutes(r *rand.Rand) map[string][][]track.Position {
	there := walk(r, track.Position{125.5, -8.6}, 200, 300)
	back := slices.Clone(there)
	slices.Reverse(back)
	narrow, beside := walk(r, track.Position{125.5, -8.6}, 600, 15), []track.Position{}
	for _, at := range narrow {
		beside = append(beside, track.Position{at[0], at[1] + 0.0001})
	}
	return map[string][][]track.Position{
		"again, 11 m to the north": {narrow, beside},
		"a walk":                   {walk(r, track.Position{125.5, -8.6}, 300, 200)},
		"many small steps":         {walk(r, track.Position{125.5, -8.6}, 3000, 15)},
		"long legs":                {{{125.5, -8.6}, {126.9, -8.4}, {125.2, -9.2}}, {{125.2, -9.2}, {125.6, -8.3}}},
		"there and back":           {there, back, there},
		"two with a gap":           {walk(r, track.Position{125.5, -8.6}, 50, 200), walk(r, track.Position{125.6, -8.6}, 50, 200)},
		"over the antimeridian":    {walk(r, track.Position{179.99, -16.8}, 300, 400)},
		"over the pole":            {{{10, 89.9}, {-165, 89.95}}, walk(r, track.Position{100, 89.99}, 100, 800)},
		"one place":                {{{125.5, -8.6}, {125.5, -8.6}}},
		"one place, then onward":   {{{125.5, -8.6}, {125.5, -8.6}}, {{125.5, -8.6}, {125.52, -8.6}}},
	}
}

func TestPlacesBesideARoute(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for name, legs := range hardRoutes(r) {
		for _, within := range []float64{30, 500, 10_000} {
			route, found := laid(t, within, legs...), 0
			for range 150 {
				leg := legs[r.IntN(len(legs))]
				p := walk(r, leg[r.IntN(len(leg))], 1, within*1.5*r.Float64())[1]
				want := fromRoute(p, legs)
				got, beside, err := route.Place(p)
				if err != nil || beside != (want <= within) && math.Abs(want-within) > 0.1 {
					t.Fatalf("%s, %v: %v is beside: %t (%v), %.3f m away", name, within, p, beside, err, want)
				}
				if beside {
					found++
					if math.Abs(got.DistanceM-want) > 0.1 || got.AlongM < 0 || got.AlongM > route.LengthM() {
						t.Fatalf("%s, %v: %v is at %+v of %.0f, want %.3f m away", name, within, p, got, route.LengthM(), want)
					}
				}
			}
			if found < 20 {
				t.Errorf("%s, %v: only %d places were beside the route", name, within, found)
			}
		}
	}
}

// Whatever is beside the part of a route that was searched is beside a span that was returned.
func TestSpansReachAllThatIsBeside(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 8))
	for name, legs := range hardRoutes(r) {
		for _, within := range []float64{30, 500, 10_000} {
			route := laid(t, within, legs...)
			var spans []track.Span
			for done := false; !done; {
				next, err := route.Next(1+r.IntN(20), math.Pow(10, 1+2.3*r.Float64()))
				if err != nil {
					t.Fatal(err)
				}
				if len(next) > 1 && r.IntN(3) == 0 {
					route.Back(next[1])
					next = next[:1]
				}
				spans = append(spans, next...)
				done = math.IsInf(route.SearchedM(), 1)
				for range 50 {
					leg := legs[r.IntN(len(legs))]
					p := walk(r, leg[r.IntN(len(leg))], 1, within*1.2*r.Float64())[1]
					at, beside, err := route.Place(p)
					if err != nil {
						t.Fatal(err)
					}
					if beside && at.AlongM < route.SearchedM() && !slices.ContainsFunc(spans, func(s track.Span) bool {
						return fromArc(p, s.From, s.To) <= s.RadiusM
					}) {
						t.Fatalf("%s, %v: no span reaches %v at %+v, searched %.0f m", name, within, p, at, route.SearchedM())
					}
				}
			}
		}
	}
}

func TestAlongCountsMetresOfLegs(t *testing.T) {
	t.Parallel()
	r := track.NewRoute(500)
	length := func(m float64) *float64 { return &m }
	for _, leg := range []struct {
		line []track.Position
		m    *float64
	}{
		{[]track.Position{{125.50, -8.5}, {125.51, -8.5}}, length(2000)}, // 1,101 m as the crow flies
		{[]track.Position{{125.51, -8.5}, {125.51, -8.5}}, length(300)},  // around a place
		{[]track.Position{{125.51, -8.5}, {125.52, -8.5}}, nil},
		{[]track.Position{{125.60, -8.5}, {125.61, -8.5}}, length(1500)}, // after a gap, which nobody rode
	} {
		if err := r.Add(leg.line, leg.m); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Prepare(); err != nil {
		t.Fatal(err)
	}
	for lon, want := range map[float64]float64{125.499: 0, 125.505: 1000, 125.515: 2300 + 550.5, 125.521: 2300 + 1101, 125.599: 2300 + 1101, 125.605: 2300 + 1101 + 750, 125.611: 2300 + 1101 + 1500} {
		at, beside, err := r.Place(track.Position{lon, -8.501})
		if err != nil || !beside || math.Abs(at.AlongM-want) > 1 {
			t.Errorf("%v is at %+v (%t, %v), want %v m", lon, at, beside, err, want)
		}
	}
	if _, beside, _ := r.Place(track.Position{125.56, -8.5}); beside {
		t.Error("a place in the gap is beside the route")
	}
}

func TestAPlaceThatIsPassedTwiceIsPassedFirst(t *testing.T) {
	t.Parallel()
	there := []track.Position{{125.50, -8.5}, {125.52, -8.5}}
	back := []track.Position{{125.52, -8.5}, {125.50, -8.5}}
	r := laid(t, 500, there, back, there)
	if at, _, _ := r.Place(track.Position{125.505, -8.501}); math.Abs(at.AlongM-550.5) > 1 {
		t.Errorf("it is at %+v", at)
	}
	closer := []track.Position{{125.50, -8.5009}, {125.52, -8.5009}}
	if at, _, _ := laid(t, 500, there, closer).Place(track.Position{125.505, -8.501}); math.Abs(at.AlongM-2202-550.5) > 2 {
		t.Errorf("with a closer line it is at %+v", at)
	}
}

// A route that goes the same way again is not searched again.
func TestTheSameWayIsSearchedOnce(t *testing.T) {
	t.Parallel()
	once := walk(rand.New(rand.NewPCG(1, 2)), track.Position{125.5, -8.6}, 100, 200)
	back := slices.Clone(once)
	slices.Reverse(back)
	count := func(legs ...[]track.Position) int {
		spans, err := laid(t, 500, legs...).Next(1000, 1500)
		if err != nil {
			t.Fatal(err)
		}
		return len(spans)
	}
	many := [][]track.Position{}
	for range 50 {
		many = append(many, once, back)
	}
	if one, hundred := count(once), count(many...); one < 10 || hundred > one+1 {
		t.Errorf("%d spans for a way, %d for a hundred times this way", one, hundred)
	}
}

// search is what a search beside a route does, with places among the vertices.
func search(withinM float64, places int, legs ...[]track.Position) error {
	r := track.NewRoute(withinM)
	for _, leg := range legs {
		if err := r.Add(leg, nil); err != nil {
			return err
		}
	}
	if err := r.Prepare(); err != nil {
		return err
	}
	if _, err := r.Next(1_000_000, 1500); err != nil {
		return err
	}
	for i := range places {
		leg := legs[i%len(legs)]
		if _, _, err := r.Place(leg[i*7919%len(leg)]); err != nil {
			return err
		}
	}
	return nil
}

// Every route is searched within the limits or refused.
func TestRoutesThatCostTooMuchAreRefused(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(9, 9))
	zigzag := func(n int) []track.Position {
		var out []track.Position
		for i := range n {
			out = append(out, track.Position{85 - 170*float64(i%2), -60 + 120*float64(i)/float64(n)})
		}
		return out
	}
	spiral := func(n int) []track.Position { // a point each 15 m, its turns 10 m apart
		var out []track.Position
		for i := range n {
			a := math.Sqrt(2 * 15 * float64(i) * 2 * math.Pi / 10)
			w := a * 10 / (2 * math.Pi) / 111_195
			out = append(out, track.Position{125.5 + w*math.Cos(a), -8.5 + w*math.Sin(a)})
		}
		return out
	}
	scatter := make([]track.Position, 10_000)
	for i := range scatter {
		scatter[i] = track.Position{124.2 + 3*r.Float64(), -9.4 + r.Float64()}
	}
	for name, c := range map[string]struct {
		legs    []track.Position
		places  int
		refused bool
	}{
		"200 markers across the world":    {zigzag(200), 0, true},
		"1,500 markers across the world":  {zigzag(1500), 0, true},
		"10,000 markers across the world": {zigzag(10_000), 0, true},
		"10,000 markers in the country":   {scatter, 0, true},
		"100 markers in the country":      {scatter[:100], 0, true},
		"20 markers in the country":       {scatter[:20], 20_000, false},
		"a zigzag of 200,000 points":      {walk(r, track.Position{125.5, -8.5}, 200_000, 15), 0, true},
		"a spiral of 200,000 points":      {spiral(200_000), 0, true},
		"a spiral of 20,000 points":       {spiral(20_000), 2_000, false},
		"a ride of 20,000 points":         {walk(r, track.Position{125.5, -8.5}, 20_000, 60), 5_000, false},
		"places in this spiral":           {spiral(20_000), 20_000, true},
		"300,000 points around a place":   {walk(r, track.Position{125.5, -8.5}, 300_000, 1), 0, true},
	} {
		err := search(500, c.places, c.legs)
		if errors.Is(err, track.ErrTooComplex) != c.refused || err != nil && !c.refused {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A route may go around the world, but not often: it is searched only where there are reports, and must be prepared first.
func TestTheLengthOfARouteIsBounded(t *testing.T) {
	t.Parallel()
	around := []track.Position{{0, 0}, {120, 0}, {-120, 0}, {0, 0}}
	if areas := laid(t, 500, around).Areas(); len(areas) > 500 {
		t.Errorf("%d areas", len(areas))
	}
	r := track.NewRoute(500)
	if err := errors.Join(r.Add(around, nil), r.Add(around, nil)); err != nil {
		t.Fatal(err)
	}
	if err := r.Prepare(); !errors.Is(err, track.ErrTooComplex) {
		t.Errorf("twice around the world: %v", err)
	}
}
