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
	caller := identity.Must(ctx).UserID
	_, all, err := journeyAnd(ctx, g.db, in.JourneyID, caller, scanMarker, markersQuery, caller, in.JourneyID)
	if err != nil {
		return nil, err
	}
	out := &markersOutput{Body: make([]Marker, 0, len(all))}
	for _, m := range all {
		out.Body = append(out.Body, m.wire())
	}
	return out, nil
}

// markersQuery reads the markers of journey $2 as person $1 may see them.
const markersQuery = `SELECT ` + markerColumns + ` FROM markers WHERE journey_id = $2 ORDER BY created_at, id`

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
