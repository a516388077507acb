package journeys

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/warning"
)

// MarkerWrite names the marker to change and the version the client has read.
type MarkerWrite struct {
	JourneyID uuid.UUID `path:"journey_id" format:"uuid"`
	MarkerID  uuid.UUID `path:"marker_id" format:"uuid"`
	IfMatch   string    `header:"If-Match" doc:"Change only when the marker still has this ETag"`
}

type replaceMarkerInput struct {
	MarkerWrite
	Body markerBody
}

func (g *Group) replaceMarker(ctx context.Context, in *replaceMarkerInput) (*markerOutput, error) {
	next, fault := in.Body.marker(in.JourneyID, warning.FromContext(ctx))
	var m marker
	err := g.changeMarker(ctx, in.MarkerWrite, func(tx *database.Tx, j journey, was marker) (bool, error) {
		if fault != nil {
			return false, fault
		}
		m = next
		m.ID, m.OwnerID, m.CreatedAt, m.Version = was.ID, was.OwnerID, was.CreatedAt, was.Version
		if m.equal(was) {
			return false, nil
		}
		m.Version++
		updateMarker(tx, m, j.blurMeters(m))
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	return &markerOutput{ETag: m.etag(), Body: m.answer(ctx)}, nil
}

func (g *Group) removeMarker(ctx context.Context, in *MarkerWrite) (*struct{}, error) {
	return nil, g.changeMarker(ctx, *in, func(tx *database.Tx, _ journey, was marker) (bool, error) {
		tx.Queue(`DELETE FROM markers WHERE id = $1`, was.ID)
		return true, nil
	})
}

// changeMarker runs f on a marker of the caller in a transaction, then updates the legs if f reports a change.
func (g *Group) changeMarker(ctx context.Context, in MarkerWrite, f func(tx *database.Tx, j journey, was marker) (bool, error)) error {
	caller := identity.Must(ctx).UserID
	return g.db.InTx(ctx, func(tx *database.Tx) error {
		j := askLockedJourney(tx, in.JourneyID, caller)
		was := askMarker(tx, in.JourneyID, in.MarkerID, caller)
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("lock journey: %w", err)
		}
		if err := httpapi.CheckMatch(in.IfMatch, was.Get().Version); err != nil {
			return err
		}
		changed, err := f(tx, j.Get(), was.Get())
		if err != nil || !changed {
			return err
		}
		updateLegs(tx, in.JourneyID)
		return nil
	})
}

func updateMarker(tx *database.Tx, m marker, blur int) {
	const update = `
		UPDATE markers
		   SET name = $2, marker_type = $3, lon = $4, lat = $5, happened_on = $6, planned_on = $7, notes = $8,
		       version = $9, blur_m = $10, updated_at = now()
		 WHERE id = $1`
	tx.Queue(update, m.ID, m.Name, m.Type, m.Lon, m.Lat, m.HappenedOn, m.PlannedOn, m.Notes, m.Version, blur)
}
