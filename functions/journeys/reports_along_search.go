package journeys

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/functions/journeys/track"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/report"
)

// Limits of a search along a route.
const (
	maxReportsRead  = 20_000 // from the database; beyond is track.ErrTooComplex. A report counts each time it is read
	maxReportsFound = 1_000  // so many are counted
)

// alongSearch finds the open reports beside a route, in riding order. It reads the reports of a few spans of the route, then
// those of more and longer ones, until it has found maxReportsFound or the route ends. So where there are many reports, only
// the start of the route is searched.
type alongSearch struct {
	db    database.Querier
	route *track.Route
	read  int // rows
	known map[uuid.UUID]bool
	hits  []alongHit
}

// alongHit is a report beside the route.
type alongHit struct {
	id uuid.UUID
	track.Place
}

// step is how much of a route one statement searches, at most.
type step struct {
	spans   int
	lengthM float64 // of a span; infinity for a whole run, 0 for a piece
	reports int
}

var firstStep = step{spans: 4, lengthM: math.Inf(1), reports: 2_000}

// next returns the step after one that read n of its spans whole, and some reports. Short spans are better where there are
// many reports: fewer are read that are not beside the route.
func (s step) next(n, of, read int, withinM float64) step {
	short := 2 * withinM
	switch {
	case n == of && s.lengthM == 0:
		return step{1, short, s.reports}
	case n == of && read < 500:
		return step{min(s.spans*4, 512), math.Inf(1), 2_000}
	case n == of:
		return s
	case n > 0:
		return step{4 * n, short, 4_000}
	}
	return step{1, 0, maxReportsRead} // there are too many reports beside the first span: its first piece comes alone
}

// reportsBeside returns the reports beside a prepared route, in riding order: all, or at least the first maxReportsFound. It
// fails with track.ErrTooComplex.
func reportsBeside(ctx context.Context, db database.Querier, route *track.Route) ([]alongHit, error) {
	s := &alongSearch{db: db, route: route, known: map[uuid.UUID]bool{}}
	if err := s.skipEmptyAreas(ctx); err != nil {
		return nil, err
	}
	for step := firstStep; !math.IsInf(route.SearchedM(), 1) && len(s.inOrder()) < maxReportsFound; {
		spans, err := route.Next(step.spans, step.lengthM)
		if err != nil {
			return nil, err
		}
		before := s.read
		n, err := s.readBeside(ctx, spans, step.reports)
		if err != nil {
			return nil, err
		}
		if n < len(spans) {
			route.Back(spans[n])
		}
		step = step.next(n, len(spans), s.read-before, route.WithinM())
	}
	hits := s.inOrder()
	slices.SortFunc(hits, func(a, b alongHit) int {
		return cmp.Or(cmp.Compare(a.AlongM, b.AlongM), bytes.Compare(a.id[:], b.id[:]))
	})
	return hits, nil
}

// inOrder returns the hits in the part of the route that was searched. A report that was read and is closest to a later part
// may come after others that were not read.
func (s *alongSearch) inOrder() []alongHit {
	return slices.DeleteFunc(slices.Clone(s.hits), func(h alongHit) bool { return h.AlongM >= s.route.SearchedM() })
}

// skipEmptyAreas keeps the search away from the parts of the route without reports.
func (s *alongSearch) skipEmptyAreas(ctx context.Context) error {
	areas := s.route.Areas()
	if len(areas) < 2 {
		return nil
	}
	var lons, lats, radii []float64
	for _, a := range areas {
		lons, lats, radii = append(lons, a.Lon), append(lats, a.Lat), append(radii, a.RadiusM)
	}
	rows, err := s.db.Query(ctx, areasWithReportsSQL, lons, lats, radii)
	if err != nil {
		return fmt.Errorf("search areas of the route: %w", err)
	}
	full, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		return fmt.Errorf("search areas of the route: %w", err)
	}
	has := make([]bool, len(areas))
	for _, area := range full {
		has[area] = true
	}
	s.route.Skip(func(area int) bool { return !has[area] })
	return nil
}

// readBeside reads at most limit reports beside spans, span by span. It returns how many spans are complete.
func (s *alongSearch) readBeside(ctx context.Context, spans []track.Span, limit int) (int, error) {
	if limit = min(limit, maxReportsRead-s.read); limit <= 0 {
		return 0, track.ErrTooComplex
	}
	var from, to [2][]float64
	var radii []float64
	for _, p := range spans {
		for i := range 2 {
			from[i], to[i] = append(from[i], p.From[i]), append(to[i], p.To[i])
		}
		radii = append(radii, p.RadiusM)
	}
	rows, err := s.db.Query(ctx, reportsBesideSQL, from[0], from[1], to[0], to[1], radii, limit)
	if err != nil {
		return 0, fmt.Errorf("search beside the route: %w", err)
	}
	var (
		n, span int
		id      uuid.UUID
		at      track.Position
		pending bool
	)
	_, err = pgx.ForEachRow(rows, []any{&span, &id, &at[0], &at[1], &pending}, func() error {
		n++
		return s.add(id, at, pending)
	})
	if err != nil {
		return 0, fmt.Errorf("search beside the route: %w", err)
	}
	if s.read += n; n == limit {
		return span, nil
	}
	return len(spans), nil
}

// add keeps a report that is beside the route where everybody is shown it, so that no route tells where it is exactly.
func (s *alongSearch) add(id uuid.UUID, at track.Position, pending bool) error {
	if s.known[id] {
		return nil
	}
	s.known[id] = true
	if pending {
		at = track.Position{report.ShownPlace(at[0]), report.ShownPlace(at[1])}
	}
	place, beside, err := s.route.Place(at)
	if beside {
		s.hits = append(s.hits, alongHit{id, place})
	}
	return err
}
