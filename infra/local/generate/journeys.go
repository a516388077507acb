package generate

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/journeys"
	"github.com/lafaekstreet/backend/shared/database"
)

// journeyCount is the number of journeys; each has another rider.
func (w *dataset) journeyCount() int { return min(maxJourneys, w.people/10) }

// JourneyID is the id of the i-th journey. It belongs to PersonID(i).
func JourneyID(o Options, i int) uuid.UUID { return newDataset(o).journeyID(i) }

func (w *dataset) journeyID(i int) uuid.UUID { return newID(w.start, w.draw(ofJourney, i)) }

// stop is one marker of a journey. Stops lead from town to town, one a day, half of them before Options.Until.
type stop struct {
	id       uuid.UUID
	name     string
	lat, lon float64
	past     bool
	on       time.Time
}

func (w *dataset) stops(i int) []stop {
	r := w.draw(ofJourney, i)
	_ = newID(w.start, r) // skips the journey's own id
	n := 4 + r.IntN(33)
	at := w.Until.AddDate(0, 0, -n/2)
	here := pick(r, w.towns)
	var out []stop
	for k := range n {
		if r.IntN(4) == 0 {
			here = w.towns[r.IntN(len(w.towns))].value
		}
		lat, lon := here.around(w.country, r)
		on := at.AddDate(0, 0, k)
		out = append(out, stop{newID(w.start, r), here.post, lat, lon, on.Before(w.Until), on})
	}
	return out
}

// journeys writes journeys and markers by COPY, and routes by the code of functions/journeys.
func (f *filler) journeys(ctx context.Context) error {
	columns := []string{"id", "user_id", "name", "active", "created_at", "updated_at"}
	err := f.copy(ctx, "journeys", columns, 0, f.journeyCount(), func(i int, row write) {
		row(f.journeyID(i), f.personID(i), fmt.Sprintf("Ride %d", i+1), true, f.start, f.start)
	})
	if err != nil {
		return err
	}
	columns = []string{"id", "journey_id", "owner_id", "name", "marker_type", "lon", "lat", "happened_on", "planned_on", "created_at", "updated_at"}
	err = f.copy(ctx, "markers", columns, 0, f.journeyCount(), func(i int, row write) {
		for k, s := range f.stops(i) {
			kind, happened, planned := "past", &s.on, (*time.Time)(nil)
			if !s.past {
				kind, happened, planned = "plan", nil, &s.on
			}
			at := f.start.Add(time.Duration(k) * time.Minute)
			row(s.id, f.journeyID(i), f.personID(i), s.name, kind, s.lon, s.lat, happened, planned, at, at)
		}
	})
	if err != nil {
		return err
	}
	return f.routes(ctx)
}

// routes writes the tracks of the journeys that have one, and the legs of the others.
func (f *filler) routes(ctx context.Context) error {
	const together = 200 // journeys in a round trip
	for first := 0; first < f.journeyCount(); first += together {
		batch := &database.Batch{}
		for i := first; i < min(first+together, f.journeyCount()); i++ {
			if t := f.track(i); t != nil {
				journeys.StoreTrack(batch, f.journeyID(i), newID(f.start, f.draw(ofTrack, i)), t, f.start)
			} else {
				batch.Queue(journeys.UpdateLegsSQL, f.journeyID(i))
			}
		}
		if err := batch.Send(ctx, f.conn); err != nil {
			return fmt.Errorf("write routes: %w", err)
		}
	}
	return nil
}
