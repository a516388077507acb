package journeys

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/functions/journeys/track"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
)

// legErrorM is the greatest distance of a point of a track from its legs, in metres.
const legErrorM = 10

// route is a journey as a person sees it.
type route struct {
	journey   journey
	markers   []marker // oldest first
	length    float64  // metres of route
	hasTracks bool     // also when the person sees none of them
	tracks    []Track  // in riding order
	lines     [][]track.Position
	segments  map[uuid.UUID]int // how many of the lines belong to a track, in its order
}

// routeLengthSQL is the length in metres of the route of journey $2, as person $1 sees it.
const routeLengthSQL = `
	SELECT coalesce(
	       (SELECT sum(CASE WHEN j.user_id = $1 THEN t.length_m ELSE t.shown_length_m END)
	          FROM tracks t JOIN journeys j ON j.id = t.journey_id WHERE t.journey_id = $2),
	       (SELECT sum(CASE WHEN j.user_id = $1 THEN l.length_m ELSE ST_Length(l.shown_line) END)
	          FROM journey_legs l JOIN journeys j ON j.id = l.journey_id WHERE l.journey_id = $2),
	       0)`

// trackLegsSQL reads the legs of the tracks of journey $2 that person $1 sees, in riding order.
const trackLegsSQL = `
	SELECT l.track_id, l.segment, ST_AsBinary(s.line::geometry, 'NDR')
	  FROM tracks t JOIN track_legs l ON l.track_id = t.id
	  JOIN LATERAL (SELECT CASE WHEN j.user_id = $1 THEN l.line ELSE l.shown_line END AS line FROM journeys j WHERE j.id = t.journey_id) s ON s.line IS NOT NULL
	 WHERE t.journey_id = $2 ORDER BY ` + trackOrder + `, l.seq`

// trackLeg is a leg of a track.
type trackLeg struct {
	track   uuid.UUID
	segment int
	line    []byte // WKB
}

func scanTrackLeg(row pgx.CollectableRow) (trackLeg, error) {
	var l trackLeg
	return l, row.Scan(&l.track, &l.segment, &l.line)
}

// readRoute reads a journey for the caller with its tracks and markers, in one round trip.
func (g *Group) readRoute(ctx context.Context, id uuid.UUID) (*route, error) {
	caller := identity.Must(ctx).UserID
	batch := &database.Batch{}
	j := database.AskRow(batch, scanJourney, `SELECT `+journeyColumns+` FROM journeys WHERE id = $1`, id).
		Missing(errJourneyUnknown).Check(journeyVisibleTo(caller))
	markers := database.AskRows(batch, scanMarker, markersSQL, caller, id)
	length := database.AskRow(batch, pgx.RowTo[float64], routeLengthSQL, caller, id)
	hasTracks := database.AskRow(batch, pgx.RowTo[bool], `SELECT EXISTS (SELECT FROM tracks WHERE journey_id = $1)`, id)
	tracks := database.AskRows(batch, scanTrack, tracksSQL, caller, id)
	legs := database.AskRows(batch, scanTrackLeg, trackLegsSQL, caller, id)
	if err := batch.SendSnapshot(ctx, g.db); err != nil {
		return nil, fmt.Errorf("read route: %w", err)
	}
	r := &route{journey: j.Get(), markers: markers.Get(), length: length.Get(), hasTracks: hasTracks.Get(), segments: make(map[uuid.UUID]int)}
	if err := r.addLines(legs.Get()); err != nil {
		return nil, err
	}
	for _, t := range tracks.Get() {
		if r.segments[t.ID] > 0 {
			r.tracks = append(r.tracks, t)
		}
	}
	return r, nil
}

// addLines joins the legs of each segment.
func (r *route) addLines(legs []trackLeg) error {
	for i, l := range legs {
		line, err := track.LineOfWKB(l.line)
		if err != nil {
			return fmt.Errorf("read leg: %w", err)
		}
		last := len(r.lines) - 1
		if i > 0 && legs[i-1].track == l.track && legs[i-1].segment == l.segment && r.lines[last][len(r.lines[last])-1] == line[0] {
			r.lines[last] = append(r.lines[last], line[1:]...)
			continue
		}
		r.lines = append(r.lines, line)
		r.segments[l.track]++
	}
	return nil
}
