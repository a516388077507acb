package reportread

import (
	"math/rand/v2"
	"testing"
)

// TestCircleHoldsItsBox takes any boxes, across the antimeridian and up to the poles, and any of their points: none lies
// outside of the circle that is asked for in the box's place.
func TestCircleHoldsItsBox(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	circles := 0
	for range 20_000 {
		b := Box{MinLon: r.Float64()*360 - 180, MinLat: r.Float64()*180 - 90}
		width := r.Float64() * r.Float64() * 360
		b.MaxLat = b.MinLat + r.Float64()*(90-b.MinLat)
		if b.MaxLon = b.MinLon + width; b.MaxLon > 180 {
			b.MaxLon -= 360
		}
		c, ok := b.circle()
		if ok != (width < 180) {
			t.Fatalf("%v: a circle: %v", b, ok)
		}
		if !ok {
			continue
		}
		circles++
		for _, share := range [][2]float64{{0, 0}, {1, 0}, {0, 1}, {1, 1}, {r.Float64(), r.Float64()}, {0, r.Float64()}, {r.Float64(), 1}} {
			lon, lat := b.MinLon+share[0]*width, b.MinLat+share[1]*(b.MaxLat-b.MinLat)
			if d := onSphere(c.lat, lat, lon-c.lon); d > c.meters {
				t.Fatalf("%v: %g, %g is %g m from the middle of %+v", b, lon, lat, d, c)
			}
		}
	}
	if circles < 10_000 {
		t.Errorf("only %d boxes had a circle", circles)
	}
}
