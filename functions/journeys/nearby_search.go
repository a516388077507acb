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
)

// Bounds of the work of one search.
const (
	maxOwnShapes  = 5000      // markers, legs and stretches of the journey of the search
	maxFirst      = 800       // shapes of others that are read for the whole radius, before smaller circles
	maxNearShapes = 2500      // shapes of others that are read for a circle
	maxCrowded    = 2         // circles with more shapes than that
	maxSteps      = 1_000_000 // of comparisons of lines; about 20 ms
	circlesOfOwn  = 32        // areas that the journey of the search is divided into
)

// neighbour is somebody else's journey within the radius.
type neighbour struct {
	journey
	track.Nearest
}

// nearest is a search for the nearest journeys.
type nearest struct {
	*search
	own  *track.Shape
	seen map[shapeName]bool
	best map[uuid.UUID]track.Nearest
	left int // steps
}

// nearest returns the visible journeys within the radius, nearest first and up to the limit.
//
// Mostly few shapes are within the radius, and all are measured. If there are more, it searches circles around the journey,
// small ones first, until one has enough journeys. Every journey outside of that circle is farther away. The database finds
// the shapes whose boxes meet a circle, and the distances are measured here.
//
// The work is bounded: of a circle with very many shapes some are read, from all parts of the journey. The answer then has
// the nearest journeys among these, and a nearer one can be missing.
func (s *search) nearest(ctx context.Context, q database.Querier, own *track.Shape) ([]neighbour, error) {
	n := &nearest{search: s, own: own, seen: map[shapeName]bool{}, best: map[uuid.UUID]track.Nearest{}, left: maxSteps}
	more, err := n.few(ctx, q)
	if err != nil {
		return nil, err
	}
	if !more {
		found, err := n.visible(ctx, q)
		return found[:min(len(found), s.limit)], err
	}
	crowded := 0
	for within := s.radius / 4096; ; within *= 16 {
		more, err := n.circle(ctx, q, min(within, s.radius))
		if err != nil {
			return nil, err
		}
		if more {
			crowded++
		}
		last := within >= s.radius || crowded == maxCrowded
		if !last && len(n.best) < s.limit {
			continue
		}
		found, err := n.visible(ctx, q)
		if err != nil {
			return nil, err
		}
		if last || len(found) >= s.limit {
			return found[:min(len(found), s.limit)], nil
		}
	}
}

// few measures all shapes within the radius if they are few. It reports whether there are more; then it measures none.
func (n *nearest) few(ctx context.Context, q database.Querier) (bool, error) {
	var shapes []shape
	more, err := n.read(ctx, q, n.radius, maxFirst, nil, func(s shape) error {
		s.wkb = slices.Clone(s.wkb)
		shapes = append(shapes, s)
		return nil
	})
	if err != nil || more {
		return more, err
	}
	for _, s := range shapes {
		if err := n.measure(s, n.radius); err != nil {
			return false, err
		}
	}
	return false, nil
}

// circle measures the shapes within a distance of the own one, and reports whether there may be more than could be read. If a
// tenth or more of those that were read belong to one journey, it reads again without this journey: a scribble must not hide
// the others.
func (n *nearest) circle(ctx context.Context, q database.Querier, within float64) (bool, error) {
	clear(n.seen)
	all, of := 0, map[uuid.UUID]int{}
	more, err := n.read(ctx, q, within, maxNearShapes, nil, func(s shape) error {
		all, of[s.journeyID] = all+1, of[s.journeyID]+1
		return n.measure(s, within)
	})
	if err != nil || !more {
		return more, err
	}
	var filling []uuid.UUID
	for id, shapes := range of {
		if shapes*10 >= all {
			filling = append(filling, id)
		}
	}
	if len(filling) == 0 {
		return true, nil
	}
	return n.read(ctx, q, within, maxNearShapes/2, filling, func(s shape) error { return n.measure(s, within) })
}

// read reads shapes within a distance of the own one, and some that are farther away. It reports whether there may be more
// than could be read. Shapes of the journeys in without are left out.
func (n *nearest) read(ctx context.Context, q database.Querier, within float64, most int, without []uuid.UUID, f func(shape) error) (bool, error) {
	areas := areasAround(n.own, circlesOfOwn, within)
	if len(areas) == 0 {
		return false, nil
	}
	each := most / len(areas)
	rows, err := q.Query(ctx, nearShapesSQL(n.mode), n.journeyID, areas, n.from, n.to, each, without)
	if err != nil {
		return false, fmt.Errorf("read shapes nearby: %w", err)
	}
	return forEachShape(rows, each, f)
}

// enoughM is the size of a circle that is not divided further, in metres: smaller ones have the same shapes.
const enoughM = 2000

// areasAround returns at most n areas (track.AreaAround) that hold everything within a distance of a shape.
func areasAround(s *track.Shape, n int, within float64) [][]byte {
	lons, lats, radii := s.Circles(n, max(within/2, enoughM))
	areas := make([][]byte, len(radii))
	for i := range radii {
		areas[i] = track.AreaAround(track.Position{lons[i], lats[i]}, radii[i]+within)
	}
	return areas
}

// measure keeps the closest places of the shape's journey that are within a distance. A shape that comes for several parts of
// the own journey is measured once.
func (n *nearest) measure(sh shape, within float64) error {
	name := shapeName{sh.source, sh.seq}
	if n.seen[name] {
		return nil
	}
	n.seen[name] = true
	reach := within
	closest, known := n.best[sh.journeyID]
	if known {
		reach = closest.DistanceM
	}
	if known && reach == 0 {
		return nil
	}
	theirs, err := sh.prepared()
	if err != nil {
		return err
	}
	found, near := n.own.Nearest(theirs, reach, &n.left)
	if n.left <= 0 {
		return errTooComplex
	}
	if near && (!known || found.DistanceM < reach) {
		found.DistanceM = math.Round(found.DistanceM*1000) / 1000
		n.best[sh.journeyID] = found
	}
	return nil
}

// visible reads the journeys that were found, without those that the caller may not find.
func (n *nearest) visible(ctx context.Context, q database.Querier) ([]neighbour, error) {
	if len(n.best) == 0 {
		return nil, nil
	}
	ids := make([]uuid.UUID, 0, len(n.best))
	for id := range n.best {
		ids = append(ids, id)
	}
	rows, err := q.Query(ctx, visibleSQL, ids, n.caller)
	if err != nil {
		return nil, fmt.Errorf("read journeys nearby: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (neighbour, error) {
		j, err := scanJourney(row)
		return neighbour{j, n.best[j.ID]}, err
	})
	if err != nil {
		return nil, fmt.Errorf("read journeys nearby: %w", err)
	}
	slices.SortFunc(found, func(a, b neighbour) int {
		return cmp.Or(cmp.Compare(a.DistanceM, b.DistanceM), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return found, nil
}

// ownShapes are the shapes of the journey of the search.
type ownShapes struct {
	compared *track.Shape // what the mode compares
	// For the question who is where on the same day: everything the journey has, and its parts with days.
	all   *track.Shape
	dated []dated
}

// own reads the shapes of the journey of the search: those of the mode, or all.
func (s *search) own(ctx context.Context, q database.Querier, m searchMode) (ownShapes, error) {
	scan := func(row pgx.CollectableRow) (shape, error) {
		var sh shape
		err := row.Scan(&sh.journeyID, &sh.source, &sh.seq, &sh.first, &sh.next, &sh.wkb)
		return sh, err
	}
	_, shapes, err := readJourneyWith(ctx, q, s.journeyID, s.caller, scan, ownShapesSQL(m), s.journeyID, s.caller, maxOwnShapes+1)
	if err != nil {
		return ownShapes{}, err
	}
	if len(shapes) > maxOwnShapes {
		return ownShapes{}, errTooComplex
	}
	var out ownShapes
	var compared, all [][]track.Position
	for _, sh := range shapes {
		line, err := track.LineOfWKB(sh.wkb)
		if err != nil {
			return out, err
		}
		all = append(all, line)
		if m != byAll || s.compares(sh, line) {
			compared = append(compared, line)
		}
		if m == byAll && sh.first != nil && sh.next != nil {
			prepared, err := track.NewShape(line)
			if err != nil {
				return out, errTooComplex
			}
			out.dated = append(out.dated, dated{prepared, *sh.first, *sh.next})
		}
	}
	if out.compared, err = track.NewShape(compared...); err == nil {
		out.all, err = track.NewShape(all...)
	}
	if err != nil {
		return out, errTooComplex
	}
	return out, nil
}

// compares reports whether the mode compares a shape. The source of a leg is the journey itself.
func (s *search) compares(sh shape, line []track.Position) bool {
	switch {
	case len(line) == 1:
		return s.mode == byMarkers
	case sh.source == sh.journeyID:
		return s.mode == byRoute
	}
	return true
}
