package journeys

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/functions/journeys/track"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Track is a line of an imported file, as the API returns it. Others see a recorded track without its ends; length, points
// and times are then those of what they see.
type Track struct {
	ID           uuid.UUID       `json:"id"`
	Name         string          `json:"name" doc:"Empty when the file has none"`
	Kind         track.Kind      `json:"kind" enum:"recorded,planned"`
	LengthMeters float64         `json:"length_meters" doc:"Along all points, on the spheroid, without the gaps between segments"`
	Points       int             `json:"points"`
	StartedAt    *timestamp.Time `json:"started_at,omitempty" doc:"Time of the first point; left out when no point has a time"`
	EndedAt      *timestamp.Time `json:"ended_at,omitempty"`
}

type tracksOutput struct {
	Body []Track
}

func (g *Group) tracksOf(ctx context.Context, in *journeyInput) (*tracksOutput, error) {
	caller := identity.Must(ctx).UserID
	_, tracks, err := readJourneyWith(ctx, g.db, in.JourneyID, caller, scanTrack, tracksSQL, caller, in.JourneyID)
	if err != nil {
		return nil, err
	}
	return &tracksOutput{Body: append([]Track{}, tracks...)}, nil
}

// tracksSQL reads tracks of journey $2 in riding order. A track is left out if person $1 may not see any point of it.
const tracksSQL = `
	SELECT t.id, t.name, t.kind,
	       CASE WHEN o.owned THEN t.length_m ELSE t.shown_length_m END,
	       CASE WHEN o.owned THEN t.points ELSE t.shown_to - t.shown_from + 1 END,
	       CASE WHEN o.owned THEN t.started_at ELSE t.shown_started_at END,
	       CASE WHEN o.owned THEN t.ended_at ELSE t.shown_ended_at END
	  FROM tracks t JOIN LATERAL (SELECT user_id = $1 AS owned FROM journeys WHERE id = t.journey_id) o ON o.owned OR t.shown_from IS NOT NULL
	 WHERE t.journey_id = $2 ORDER BY ` + trackOrder

// trackOrder is the riding order of the tracks t of a journey: recorded ones by time, then planned ones as they were added.
const trackOrder = `t.kind = 'planned', t.started_at, t.created_at, t.id`

func scanTrack(row pgx.CollectableRow) (Track, error) {
	var t Track
	var started, ended *time.Time
	err := row.Scan(&t.ID, &t.Name, &t.Kind, &t.LengthMeters, &t.Points, &started, &ended)
	t.StartedAt, t.EndedAt = timestamp.OfPtr(started), timestamp.OfPtr(ended)
	return t, err
}

// TrackWrite names the track to delete and the version of the journey that the client has read.
type TrackWrite struct {
	JourneyWrite
	TrackID uuid.UUID `path:"track_id" format:"uuid"`
}

// removeTrack deletes a track. Without any, the markers are the route of the journey again.
func (g *Group) removeTrack(ctx context.Context, in *TrackWrite) (*struct{}, error) {
	return nil, g.db.InTx(ctx, func(tx *database.Tx) error {
		j, err := lockJourney(ctx, tx, in.JourneyID, identity.Must(ctx).UserID)
		if err != nil {
			return err
		}
		if err := httpapi.CheckMatch(in.IfMatch, j.Version); err != nil {
			return err
		}
		deleted, err := tx.Exec(ctx, `DELETE FROM tracks WHERE id = $1 AND journey_id = $2`, in.TrackID, j.ID)
		if err != nil {
			return fmt.Errorf("delete track: %w", err)
		}
		if deleted.RowsAffected() == 0 {
			return errTrackUnknown
		}
		updateLegs(tx, j.ID)
		return nil
	})
}
