package journeys

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/journeys/track"
	"github.com/lafaekstreet/backend/shared/database"
)

// Bounds of the work that answers who is where on the same day.
const (
	maxDated    = 10_000    // shapes of others that are read
	maxDaySteps = 1_000_000 // of comparisons of lines; about 20 ms
)

// dated is a shape with days, prepared for measuring.
type dated struct {
	*track.Shape
	first, next time.Time // its first day and the one after its last
}

// sameDay looks for journeys that are within the radius of this one on the same day.
type sameDay struct {
	*search
	own        ownShapes
	together   map[uuid.UUID]bool
	read, left int // shapes that were read; steps that are left
}

// sameDay returns those of the journeys that are within the radius of the own shapes on the same day. A few shapes of each
// journey are read first: they are enough for most. More are read of the others.
func (s *search) sameDay(ctx context.Context, q database.Querier, own ownShapes, ids []uuid.UUID) (map[uuid.UUID]bool, error) {
	d := &sameDay{search: s, own: own, together: map[uuid.UUID]bool{}, left: maxDaySteps}
	if len(own.dated) == 0 {
		return d.together, nil
	}
	for each := 8; len(ids) > 0; each *= 8 {
		rows, err := d.round(ctx, q, ids, each)
		if err != nil {
			return nil, err
		}
		ids = slices.DeleteFunc(slices.Clone(ids), func(id uuid.UUID) bool { return d.together[id] || rows[id] < each })
	}
	return d.together, nil
}

// round compares at most so many shapes of each journey, and returns how many were read.
func (d *sameDay) round(ctx context.Context, q database.Querier, ids []uuid.UUID, each int) (map[uuid.UUID]int, error) {
	first := slices.MinFunc(d.own.dated, func(a, b dated) int { return a.first.Compare(b.first) }).first
	next := slices.MaxFunc(d.own.dated, func(a, b dated) int { return a.next.Compare(b.next) }).next
	rows, err := q.Query(ctx, datedShapesSQL, ids, first, next, areasAround(d.own.all, 8, d.radius), each)
	if err != nil {
		return nil, fmt.Errorf("read shapes with days: %w", err)
	}
	counts := map[uuid.UUID]int{}
	_, err = forEachShape(rows, each, func(theirs shape) error {
		counts[theirs.journeyID]++
		if d.read++; d.read > maxDated {
			return errTooComplex
		}
		return d.compare(theirs)
	})
	return counts, err
}

// compare compares a shape with the own ones of its days.
func (d *sameDay) compare(theirs shape) error {
	if d.together[theirs.journeyID] {
		return nil
	}
	prepared, err := theirs.prepared()
	if err != nil {
		return err
	}
	for _, mine := range d.own.dated {
		if !mine.first.Before(*theirs.next) || !theirs.first.Before(mine.next) {
			continue
		}
		if mine.Within(prepared, d.radius, &d.left) {
			d.together[theirs.journeyID] = true
			return nil
		}
		if d.left <= 0 {
			return errTooComplex
		}
	}
	return nil
}
