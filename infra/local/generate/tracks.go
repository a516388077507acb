package generate

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/lafaekstreet/backend/functions/journeys/track"
)

// maxTrackPoints bounds the points of a generated track. All tracks together then have two million at most.
const maxTrackPoints = 600

const (
	trackStep   = 50  // metres from point to point, more where the track would have more than maxTrackPoints
	trackWiggle = 400 // metres that the road leaves the straight line between two stops
)

// track is the track of journey i; nil for every third journey. Every third is recorded along its past stops, every third
// is planned along the others.
func (w *dataset) track(i int) *track.Track {
	if i%3 == 2 {
		return nil
	}
	t := &track.Track{Name: "Track", Kind: track.Recorded}
	if i%3 == 1 {
		t.Kind, t.Route = track.Planned, true
	}
	var stops []stop
	for _, s := range w.stops(i) {
		if s.past == (t.Kind == track.Recorded) {
			stops = append(stops, s)
		}
	}
	if len(stops) < 2 {
		return nil
	}
	r := w.draw(ofTrack, i)
	_ = newID(w.start, r) // skips the track's own id
	t.Segments = [][]track.Point{w.road(stops, t.Kind, r)}
	return t
}

// road leads along the stops in curves. A recorded one takes ten hours from each stop to the next.
func (w *dataset) road(stops []stop, kind track.Kind, r *rand.Rand) []track.Point {
	total := 0.0
	for k := range stops[1:] {
		total += metresBetween(stops[k], stops[k+1])
	}
	step := max(trackStep, total/float64(maxTrackPoints-len(stops)))
	var out []track.Point
	for k, from := range stops[:len(stops)-1] {
		to := stops[k+1]
		n, bend := 1+int(metresBetween(from, to)/step), 0.0
		for p := range n {
			out = append(out, between(from, to, float64(p)/float64(n), bend*trackWiggle, kind))
			bend = max(-1, min(1, bend+r.Float64()-0.5))
		}
	}
	last := stops[len(stops)-1]
	return append(out, between(last, last, 0, 0, kind))
}

// between is a point at a part of the way between two stops, some metres to the north of the straight line.
func between(from, to stop, part, north float64, kind track.Kind) track.Point {
	p := track.Point{Lon: from.lon + part*(to.lon-from.lon), Lat: degrees(from.lat + part*(to.lat-from.lat) + north/111_195),
		Elevation: float32(math.NaN()), Time: track.NoTime}
	if kind == track.Recorded {
		p.Elevation = float32(math.Round(600 * math.Sin(part*math.Pi)))
		p.Time = from.on.Add(time.Duration(part * 10 * float64(time.Hour))).UnixMilli()
	}
	return p
}

// metresBetween is exact enough for the few degrees of the country.
func metresBetween(a, b stop) float64 {
	return 111_195 * math.Hypot(a.lat-b.lat, (a.lon-b.lon)*math.Cos(a.lat*math.Pi/180))
}
