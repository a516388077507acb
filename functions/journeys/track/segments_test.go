package track_test

import (
	"runtime"
	"testing"

	"github.com/lafaekstreet/backend/functions/journeys/track"
)

// The work grows with the points, not with the segments times the points: recorders that pause by themselves write thousands of
// segments. It is measured by the memory taken, while no other test runs.
func TestManySegmentsAreCutWithLittleMemory(t *testing.T) { //nolint:paralleltest // others would count
	const segments = 4000
	ride := &track.Track{Kind: track.Recorded}
	for i := range segments {
		lon := 125 + float64(i)/10_000
		ride.Segments = append(ride.Segments, []track.Point{at(lon, -8.5), at(lon+0.00005, -8.5)})
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	legs := ride.Legs()
	stretches := ride.Stretches(legs)
	runtime.ReadMemStats(&after)
	if len(legs) != segments || len(stretches) != segments {
		t.Errorf("%d legs and %d stretches, want %d of each", len(legs), len(stretches), segments)
	}
	if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 50 {
		t.Errorf("took %d MB, want 50 at most", took)
	}
}
