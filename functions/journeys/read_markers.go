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

// markerOutput is a marker with its ETag, which If-Match is compared with.
type markerOutput struct {
	ETag string `header:"ETag"`
	Body Marker
}

type markersOutput struct {
	Body []Marker
}

// markersOf reads the journey and its markers in one round trip: the published client asks for a hundred journeys at once.
func (g *Group) markersOf(ctx context.Context, in *journeyInput) (*markersOutput, error) {
	caller := identity.Must(ctx).UserID
	_, all, err := readJourneyWith(ctx, g.db, in.JourneyID, caller, scanMarker, markersSQL, caller, in.JourneyID)
	if err != nil {
		return nil, err
	}
	out := &markersOutput{Body: make([]Marker, 0, len(all))}
	for _, m := range all {
		out.Body = append(out.Body, m.wire())
	}
	return out, nil
}

// markersSQL reads the markers of journey $2 as person $1 may see them.
const markersSQL = `SELECT ` + markerColumns + ` FROM markers WHERE journey_id = $2 ORDER BY created_at, id`

func (g *Group) markerOf(ctx context.Context, in *markerInput) (*markerOutput, error) {
	caller := identity.Must(ctx).UserID
	_, found, err := readJourneyWith(ctx, g.db, in.JourneyID, caller, scanMarker, markerSQL, caller, in.MarkerID, in.JourneyID)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, errMarkerUnknown
	}
	m := found[0]
	return &markerOutput{ETag: m.etag(), Body: m.wire()}, nil
}

// markerSQL reads the marker $2 of journey $3 as person $1 may see it.
const markerSQL = `SELECT ` + markerColumns + ` FROM markers WHERE id = $2 AND journey_id = $3`

// askMarker adds a statement that reads a marker. The round trip fails with a 404 when there is none.
func askMarker(p database.Pipeline, journeyID, id, person uuid.UUID) *database.Ask[marker] {
	return database.AskRow(p, scanMarker, markerSQL, person, id, journeyID).Missing(errMarkerUnknown)
}
