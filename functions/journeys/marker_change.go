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
)

type addMarkerInput struct {
	JourneyID uuid.UUID `path:"journey_id" format:"uuid"`
	Body      markerBody
}

// MarkerWrite names a marker to change, and the version the client has seen.
type MarkerWrite struct {
	JourneyID uuid.UUID `path:"journey_id" format:"uuid"`
	MarkerID  uuid.UUID `path:"marker_id" format:"uuid"`
	IfMatch   string    `header:"If-Match" doc:"Only when the marker is still as this ETag"`
}

type replaceMarkerInput struct {
	MarkerWrite
	Body markerBody
}

func (g *Group) addMarker(ctx context.Context, in *addMarkerInput) (*markerOutput, error) {
	caller := identity.Must(ctx).UserID
	m, fault := in.Body.marker(in.JourneyID)
	m.ID, m.OwnerID, m.Version = database.NewID(), caller, 1
	m.CreatedAt = g.clock.Now().UTC().Truncate(time.Microsecond)
	err := g.db.InTx(ctx, func(tx *database.Tx) error {
		j, room, err := lockedWithRoom(ctx, tx, in.JourneyID, caller)
		if err != nil {
			return err
		}
		if fault != nil { // after whose journey it is: a stranger learns nothing from it
			return fault
		}
		if room < 1 {
			return errTooManyMarkers
		}
		insertMarker(tx, m, j.blurOf(m))
		layRoute(tx, j.ID)
		return httpapi.RecordAnswer(ctx, tx, http.StatusCreated, m.wire())
	})
	if err != nil {
		return nil, err
	}
	return &markerOutput{ETag: m.tag(), Body: m.wire()}, nil
}

// lockedWithRoom is lockedJourney, and how many more markers the journey takes.
func lockedWithRoom(ctx context.Context, tx *database.Tx, journeyID, person uuid.UUID) (journey, int, error) {
	j := lockJourney(tx, journeyID, person)
	there := database.AskRow(tx, pgx.RowTo[int], `SELECT count(*) FROM markers WHERE journey_id = $1`, journeyID)
	if err := tx.Flush(ctx); err != nil {
		return journey{}, 0, fmt.Errorf("lock journey: %w", err)
	}
	return j.Get(), maxMarkers - there.Get(), nil
}

func insertMarker(tx *database.Tx, m marker, blur int) {
	const insert = `
		INSERT INTO markers (id, journey_id, owner_id, name, marker_type, lon, lat, blur_m, happened_on, planned_on, notes, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)`
	tx.Queue(insert, m.ID, m.JourneyID, m.OwnerID, m.Name, m.Type, m.Lon, m.Lat, blur, m.HappenedOn, m.PlannedOn, m.Notes, m.CreatedAt)
}

func (g *Group) replaceMarker(ctx context.Context, in *replaceMarkerInput) (*markerOutput, error) {
	next, fault := in.Body.marker(in.JourneyID)
	var m marker
	err := g.changeMarker(ctx, in.MarkerWrite, func(tx *database.Tx, j journey, was marker) error {
		if fault != nil {
			return fault
		}
		m = next
		m.ID, m.OwnerID, m.CreatedAt, m.Version = was.ID, was.OwnerID, was.CreatedAt, was.Version+1
		updateMarker(tx, m, j.blurOf(m))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &markerOutput{ETag: m.tag(), Body: m.wire()}, nil
}

func (g *Group) removeMarker(ctx context.Context, in *MarkerWrite) (*struct{}, error) {
	return nil, g.changeMarker(ctx, *in, func(tx *database.Tx, _ journey, was marker) error {
		tx.Queue(`DELETE FROM markers WHERE id = $1`, was.ID)
		return nil
	})
}

// changeMarker runs f on a marker of the caller's, in a transaction that then lays the route anew.
func (g *Group) changeMarker(ctx context.Context, in MarkerWrite, f func(tx *database.Tx, j journey, was marker) error) error {
	caller := identity.Must(ctx).UserID
	return g.db.InTx(ctx, func(tx *database.Tx) error {
		j := lockJourney(tx, in.JourneyID, caller)
		was := askMarker(tx, in.JourneyID, in.MarkerID, caller)
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("lock journey: %w", err)
		}
		if err := httpapi.CheckMatch(in.IfMatch, was.Get().Version); err != nil {
			return err
		}
		if err := f(tx, j.Get(), was.Get()); err != nil {
			return err
		}
		layRoute(tx, in.JourneyID)
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
