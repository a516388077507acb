package journeys

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/functions/journeys/track"
	"github.com/lafaekstreet/backend/functions/journeys/trackfile"
	"github.com/lafaekstreet/backend/shared/database"
)

// addWaypoints adds the waypoints that the journey does not have yet as markers, and reports whether there were any. Two are
// the same when everything but their time of creation is.
func addWaypoints(ctx context.Context, tx *database.Tx, j journey, have []markerContent, waypoints []trackfile.Waypoint, now time.Time) (bool, error) {
	known := make(map[markerContent]bool, len(have))
	for _, c := range have {
		known[c] = true
	}
	var added []marker
	for _, w := range waypoints {
		m := markerOf(j, w, now)
		if c := m.content(); !known[c] {
			known[c] = true
			added = append(added, m)
		}
	}
	if len(added) == 0 {
		return false, nil
	}
	if len(have)+len(added) > maxMarkers {
		return false, errTooManyMarkers
	}
	return true, copyMarkers(ctx, tx, j, added)
}

// markerOf returns the marker of a waypoint.
func markerOf(j journey, w trackfile.Waypoint, now time.Time) marker {
	m := marker{ID: database.NewID(), JourneyID: j.ID, OwnerID: j.UserID, Name: w.Name, Notes: w.Notes, Type: markerPast,
		Lon: w.Lon, Lat: w.Lat, HappenedOn: w.Day, CreatedAt: now}
	if w.Planned {
		m.Type, m.HappenedOn, m.PlannedOn = markerPlan, nil, w.Day
	}
	return m
}

// markerContent is what makes two markers of a file the same.
type markerContent struct {
	name, kind, notes, day string
	lon, lat               int32 // ten-millionths of a degree, as files have them
}

func (m marker) content() markerContent {
	c := markerContent{name: m.Name, kind: m.Type, notes: m.Notes}
	c.lon, c.lat = track.Point{Lon: m.Lon, Lat: m.Lat}.Ints()
	if d := m.date(); d != nil {
		c.day = d.Format(time.DateOnly)
	}
	return c
}

// askMarkerContents adds a statement that reads the contents of all markers of a journey; of none unless they are wanted.
func askMarkerContents(p database.Pipeline, journeyID uuid.UUID, wanted bool) *database.Ask[[]markerContent] {
	return database.AskRows(p, func(row pgx.CollectableRow) (markerContent, error) {
		var m marker
		err := row.Scan(&m.Name, &m.Type, &m.Notes, &m.Lon, &m.Lat, &m.HappenedOn, &m.PlannedOn)
		return m.content(), err
	}, `SELECT name, marker_type, notes, lon, lat, happened_on, planned_on FROM markers WHERE journey_id = $1 AND $2`, journeyID, wanted)
}

// copyMarkers writes markers of one creation time. Their ids are in the order of the file, so the route keeps this order
// within a day.
func copyMarkers(ctx context.Context, tx *database.Tx, j journey, added []marker) error {
	columns := []string{"id", "journey_id", "owner_id", "name", "marker_type", "lon", "lat", "blur_m",
		"happened_on", "planned_on", "notes", "created_at", "updated_at"}
	source := pgx.CopyFromSlice(len(added), func(i int) ([]any, error) {
		m := added[i]
		return []any{m.ID, m.JourneyID, m.OwnerID, m.Name, m.Type, m.Lon, m.Lat, j.blurMeters(m), m.HappenedOn, m.PlannedOn, m.Notes, m.CreatedAt, m.CreatedAt}, nil
	})
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"markers"}, columns, source); err != nil {
		return fmt.Errorf("copy markers: %w", err)
	}
	return nil
}
