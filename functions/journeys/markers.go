package journeys

import (
	"context"

	"github.com/google/uuid"

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
	_, found, err := journeyAnd(ctx, g.db, in.JourneyID, caller, scanMarker, markerQuery, caller, in.MarkerID, in.JourneyID)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, errMarkerUnknown
	}
	m := found[0]
	return &markerOutput{ETag: m.tag(), Body: m.wire()}, nil
}

// markerQuery reads the marker $2 of journey $3 as person $1 may see it.
const markerQuery = `SELECT ` + markerColumns + ` FROM markers WHERE id = $2 AND journey_id = $3`

// askMarker reads a marker in a pipeline, which fails with a 404 for one that is not there.
func askMarker(p database.Pipeline, journeyID, id, person uuid.UUID) *database.Ask[marker] {
	return database.AskRow(p, scanMarker, markerQuery, person, id, journeyID).Missing(errMarkerUnknown)
}
