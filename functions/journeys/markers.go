package journeys

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
)

type markerInput struct {
	JourneyID uuid.UUID `path:"journey_id" format:"uuid"`
	MarkerID  uuid.UUID `path:"marker_id" format:"uuid"`
}

// markerOutput is a marker with the version If-Match is held against.
type markerOutput struct {
	ETag string `header:"ETag"`
	Body Marker
}

type markersOutput struct {
	Body []Marker
}

// markersOf reads journey and markers in one trip: the journey client asks for a
// hundred journeys at once.
func (g *Group) markersOf(ctx context.Context, in *journeyInput) (*markersOutput, error) {
	all, err := visibleMarkers(ctx, g.db, in.JourneyID, identity.Must(ctx).UserID)
	if err != nil {
		return nil, err
	}
	out := &markersOutput{Body: make([]Marker, 0, len(all))}
	for _, m := range all {
		out.Body = append(out.Body, m.wire())
	}
	return out, nil
}

// visibleMarkers are the markers of a journey the person may see, oldest first; else 404.
func visibleMarkers(ctx context.Context, db *database.DB, journeyID, person uuid.UUID) ([]marker, error) {
	const list = `SELECT ` + markerColumns + ` FROM markers WHERE journey_id = $2 ORDER BY created_at, id`
	batch := &pgx.Batch{}
	batch.Queue(`SELECT `+journeyColumns+` FROM journeys WHERE id = $1`, journeyID)
	batch.Queue(list, person, journeyID)
	results := db.SendBatch(ctx, batch)
	all, err := visibleOf(results, person)
	if closed := results.Close(); err == nil && closed != nil {
		return nil, fmt.Errorf("list markers: %w", closed)
	}
	return all, err
}

func visibleOf(results pgx.BatchResults, person uuid.UUID) ([]marker, error) {
	rows, err := results.Query()
	if err != nil {
		return nil, fmt.Errorf("read journey: %w", err)
	}
	j, err := pgx.CollectExactlyOneRow(rows, scanJourney)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && !j.visibleTo(person) {
		return nil, errJourneyUnknown
	}
	if err != nil {
		return nil, fmt.Errorf("read journey: %w", err)
	}
	if rows, err = results.Query(); err != nil {
		return nil, fmt.Errorf("list markers: %w", err)
	}
	all, err := pgx.CollectRows(rows, scanMarker)
	if err != nil {
		return nil, fmt.Errorf("list markers: %w", err)
	}
	return all, nil
}

func (g *Group) markerOf(ctx context.Context, in *markerInput) (*markerOutput, error) {
	caller := identity.Must(ctx).UserID
	if _, err := visibleJourney(ctx, g.db, in.JourneyID, caller); err != nil {
		return nil, err
	}
	m, err := readMarker(ctx, g.db, in.JourneyID, in.MarkerID, caller)
	if err != nil {
		return nil, err
	}
	return &markerOutput{ETag: m.tag(), Body: m.wire()}, nil
}

// readMarker is the marker of that journey, or 404.
func readMarker(ctx context.Context, q database.Querier, journeyID, id, person uuid.UUID) (marker, error) {
	const read = `SELECT ` + markerColumns + ` FROM markers WHERE id = $2 AND journey_id = $3`
	rows, err := q.Query(ctx, read, person, id, journeyID)
	if err != nil {
		return marker{}, fmt.Errorf("read marker: %w", err)
	}
	m, err := pgx.CollectExactlyOneRow(rows, scanMarker)
	if errors.Is(err, pgx.ErrNoRows) {
		return marker{}, errMarkerUnknown
	}
	if err != nil {
		return marker{}, fmt.Errorf("read marker: %w", err)
	}
	return m, nil
}
