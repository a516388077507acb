package generate

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// journeyCount is how many riders share a journey.
func (w *world) journeyCount() int { return min(maxJourneys, w.people/10) }

// JourneyID is the i-th journey, of PersonID(i).
func JourneyID(o Options, i int) uuid.UUID { return newWorld(o).journeyID(i) }

func (w *world) journeyID(i int) uuid.UUID { return newID(w.start, w.draw(ofJourney, i)) }

// stops of a journey go from town to town, two weeks behind and two ahead of the end of what is generated.
type stop struct {
	id       uuid.UUID
	name     string
	lat, lon float64
	past     bool
	on       time.Time
}

func (w *world) stops(i int) []stop {
	r := w.draw(ofJourney, i)
	_ = newID(w.start, r) // the journey's
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

// journeys follow roads from town to town; their legs are laid as functions/journeys lays them.
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
	return f.run(ctx, `
		INSERT INTO journey_legs (journey_id, seq, kind, dates, line, shown_line, start_m, length_m)
		SELECT journey_id, seq, kind, dates, line, shown_line, sum(length_m) OVER (PARTITION BY journey_id ORDER BY seq) - length_m, length_m FROM (
			SELECT journey_id, row_number() OVER riding AS seq,
			       CASE WHEN marker_type = lead(marker_type) OVER riding THEN marker_type ELSE 'transition' END AS kind,
			       daterange(coalesce(happened_on, planned_on), lead(coalesce(happened_on, planned_on)) OVER riding, '[]') AS dates,
			       ST_MakeLine(position::geometry, lead(position::geometry) OVER riding)::geography AS line,
			       ST_MakeLine(shown::geometry, lead(shown::geometry) OVER riding)::geography AS shown_line,
			       ST_Distance(position, lead(position) OVER riding) AS length_m
			  FROM markers WINDOW riding AS (PARTITION BY journey_id ORDER BY marker_type = 'plan', coalesce(happened_on, planned_on), created_at, id)) legs
		 WHERE length_m IS NOT NULL`)
}
