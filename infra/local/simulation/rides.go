package simulation

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

// acceptedJourney is a journey that was accepted.
type acceptedJourney struct {
	id, owner string

	mu      sync.Mutex
	tracks  []string // the points of each, as points writes them
	markers []string // their names
}

// ridden is a stretch that a device recorded: a GPX file with one track and one waypoint.
type ridden struct {
	gpx    []byte
	points string
	count  int
	marker string
}

// newRide is a ride in Timor-Leste within the last days. Some have an interruption.
func newRide(random *rand.Rand) ridden {
	r := ridden{count: 4 + random.IntN(60), marker: "stop " + uuid.NewString()}
	lon, lat := int32(1253000000+random.IntN(12000000)), int32(-87500000+random.IntN(2500000)) // ten-millionths of a degree
	at := time.Now().Add(-time.Duration(1+random.IntN(72*3600)) * time.Second).Truncate(time.Second).UTC()
	interrupted := 0
	if random.IntN(3) == 0 {
		interrupted = 2 + random.IntN(r.count-3)
	}
	var file, points bytes.Buffer
	fmt.Fprintf(&file, `<gpx version="1.1" creator="load" xmlns="http://www.topografix.com/GPX/1/1"><wpt lat="%s" lon="%s"><name>%s</name></wpt><trk><trkseg>`,
		degrees(lat), degrees(lon), r.marker)
	segment := 0
	for i := range r.count {
		if i > 0 && i == interrupted {
			segment++
			file.WriteString("</trkseg><trkseg>")
		}
		fmt.Fprintf(&file, `<trkpt lat="%s" lon="%s"><time>%s</time></trkpt>`, degrees(lat), degrees(lon), at.Format(time.RFC3339))
		addPoint(&points, segment, lon, lat, at.UnixMilli())
		lon, lat, at = lon+500+int32(random.IntN(4000)), lat+int32(random.IntN(2000)), at.Add(5*time.Second)
	}
	file.WriteString("</trkseg></trk></gpx>")
	r.gpx, r.points = file.Bytes(), points.String()
	return r
}

// degrees writes ten-millionths of a degree as degrees.
func degrees(n int32) string { return fmt.Sprintf("%.7f", float64(n)/1e7) }

// addPoint writes a point for a comparison.
func addPoint(w *bytes.Buffer, segment int, lon, lat int32, at int64) {
	fmt.Fprintf(w, "%d:%d,%d,%d ", segment, lon, lat, at)
}

// ride sends a stretch that was ridden to the citizen's journey, sometimes twice.
func (s *Simulation) ride(ctx context.Context, who *user, random *rand.Rand) {
	j := s.journeyOf(ctx, who, random)
	if j == nil {
		return
	}
	ridden := newRide(random)
	r := post("ride", "/journeys/"+j.id+"/import", apiclient.Raw{ContentType: "application/gpx+xml", Body: ridden.gpx}).withKey(uuid.NewString())
	r.aborted = random.IntN(4) == 0
	a, err := who.persist(ctx, r)
	if err != nil {
		return
	}
	if a.Status != http.StatusCreated || a.Object().Number("points") != float64(ridden.count) {
		s.accepted.refused("ride: %d %.300s", a.Status, a.Body)
		return
	}
	j.mu.Lock()
	j.tracks, j.markers = append(j.tracks, ridden.points), append(j.markers, ridden.marker)
	j.mu.Unlock()
	s.accepted.add()
	if random.IntN(3) > 0 {
		return
	}
	// The device lost the response and the key, and sends the file again.
	r.kind = "ride again"
	if again, err := who.persist(ctx, r.withKey(uuid.NewString())); err == nil && again.Status != http.StatusOK {
		s.accepted.refused("ride sent again: %d %.300s", again.Status, again.Body)
	}
}

// journeyOf is the citizen's journey, now and then a new one. It is nil when none was accepted.
func (s *Simulation) journeyOf(ctx context.Context, who *user, random *rand.Rand) *acceptedJourney {
	who.riding.Lock()
	defer who.riding.Unlock()
	if who.journey != nil && random.IntN(12) > 0 {
		return who.journey
	}
	r := post("journey", "/journeys/", map[string]any{"name": "To the coast", "active": random.IntN(2) == 0}).withKey(uuid.NewString())
	r.aborted = random.IntN(4) == 0
	a, err := who.persist(ctx, r)
	if err != nil {
		return nil
	}
	if a.Status != http.StatusCreated {
		s.accepted.refused("journey: %d %.300s", a.Status, a.Body)
		return nil
	}
	who.journey = &acceptedJourney{id: a.Object().Text("id"), owner: who.id}
	s.accepted.addJourney(who.journey)
	return who.journey
}

// addJourney adds a journey and counts it.
func (b *accepted) addJourney(j *acceptedJourney) {
	b.mu.Lock()
	b.journeys = append(b.journeys, j)
	b.mu.Unlock()
	b.add()
}
