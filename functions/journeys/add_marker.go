package journeys

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/warning"
)

type addMarkerInput struct {
	JourneyID uuid.UUID `path:"journey_id" format:"uuid"`
	Body      markerBody
}

func (g *Group) addMarker(ctx context.Context, in *addMarkerInput) (*markerOutput, error) {
	caller := identity.Must(ctx).UserID
	m, fault := in.Body.marker(in.JourneyID, warning.FromContext(ctx))
	m.ID, m.OwnerID, m.Version = database.NewID(), caller, 1
	m.CreatedAt = g.clock.Now().UTC().Truncate(time.Microsecond)
	err := g.db.InTx(ctx, func(tx *database.Tx) error {
		j, room, err := lockJourneyWithRoom(ctx, tx, in.JourneyID, caller)
		if err != nil {
			return err
		}
		if fault != nil { // after the check of the owner: other people are not told what is wrong with the body
			return fault
		}
		if room < 1 {
			return errTooManyMarkers
		}
		insertMarker(tx, m, j.blurMeters(m))
		updateLegs(tx, j.ID)
		return httpapi.RecordAnswer(ctx, tx, http.StatusCreated, m.answer(ctx))
	})
	if err != nil {
		return nil, err
	}
	return &markerOutput{ETag: m.etag(), Body: m.answer(ctx)}, nil
}

// lockJourneyWithRoom is lockJourney that also returns how many markers can still be added.
func lockJourneyWithRoom(ctx context.Context, tx *database.Tx, journeyID, person uuid.UUID) (journey, int, error) {
	j := askLockedJourney(tx, journeyID, person)
	count := database.AskRow(tx, pgx.RowTo[int], `SELECT count(*) FROM markers WHERE journey_id = $1`, journeyID)
	if err := tx.Flush(ctx); err != nil {
		return journey{}, 0, fmt.Errorf("lock journey: %w", err)
	}
	return j.Get(), maxMarkers - count.Get(), nil
}

func insertMarker(tx *database.Tx, m marker, blur int) {
	const insert = `
		INSERT INTO markers (id, journey_id, owner_id, name, marker_type, lon, lat, blur_m, happened_on, planned_on, notes, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)`
	tx.Queue(insert, m.ID, m.JourneyID, m.OwnerID, m.Name, m.Type, m.Lon, m.Lat, blur, m.HappenedOn, m.PlannedOn, m.Notes, m.CreatedAt)
}
