package reportread

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/testdb"
)

// TestCircleHoldsItsBox uses random boxes, across the antimeridian and up to the poles, and random points of them. No point
// is outside of the circle of its box.
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
			if d := sphereDistance(c.lat, lat, lon-c.lon); d > c.meters {
				t.Fatalf("%v: %g, %g is %g m from the middle of %+v", b, lon, lat, d, c)
			}
		}
	}
	if circles < 10_000 {
		t.Errorf("only %d boxes had a circle", circles)
	}
}

// TestBoundsHoldTheCircle uses circles of 1 m to 15,000 km, also at the poles, across the antimeridian and at the ends of
// the three axes. The bounds contain every point of the circle, and few of the points that are three times as far away.
func TestBoundsHoldTheCircle(t *testing.T) {
	t.Parallel()
	db := testdb.Pool(t)
	r := rand.New(rand.NewPCG(5, 6))
	special := [][2]float64{{0, 90}, {0, -90}, {180, 0}, {-180, -17}, {179.9999, -17}, {0, 0}, {90, 0}, {-90, 0}, {10, 89.9999}, {125.57, -8.55}}
	const q = `
		SELECT count(*) FILTER (WHERE NOT near && box), count(*) FILTER (WHERE far && box)
		  FROM (SELECT ST_GeogFromText($4) AS box, ST_SetSRID(ST_MakePoint($1, $2), 4326)::geography AS middle) c,
		       LATERAL (SELECT ST_Project(middle, $3::float8 * share, radians(azimuth)) AS near,
		                       ST_Project(middle, least($3::float8 * 3, 2e7), radians(azimuth)) AS far
		                  FROM generate_series(0, 359) azimuth, unnest('{0.3,0.9999}'::float8[]) share) p`
	var reached, all int
	for i := range 400 {
		c := circle{lon: r.Float64()*360 - 180, lat: math.Asin(r.Float64()*2-1) * 180 / math.Pi, meters: math.Pow(10, r.Float64()*7.17)}
		if at := i / 2; i%2 == 0 && at < len(special)*5 {
			c.lon, c.lat = special[at%len(special)][0], special[at%len(special)][1]
		}
		if strings.Contains(c.bounds(), "NaN") {
			t.Fatalf("%+v: %s", c, c.bounds())
		}
		var missed, far int
		if err := db.QueryRow(t.Context(), q, c.lon, c.lat, c.meters, c.bounds()).Scan(&missed, &far); err != nil {
			t.Fatal(err)
		}
		if missed > 0 {
			t.Errorf("%+v: %d points of the circle are not within %s", c, missed, c.bounds())
		}
		if c.meters > 100 && c.meters < 1_000_000 { // not so small that rounding counts, nor so large that thrice as far is around the earth
			reached, all = reached+far, all+720
		}
	}
	if reached*20 > all || all == 0 {
		t.Errorf("the bounds meet %d of %d points that are three times as far away as the circle reaches", reached, all)
	}
}
