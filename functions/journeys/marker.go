package journeys

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/warning"
)

// Kinds of markers.
const (
	markerPast = "past" // where the rider was
	markerPlan = "plan" // where the rider plans to go
)

// Point is a GeoJSON point (RFC 7946).
type Point struct {
	_           struct{}   `schema:"Coordinates"`
	Type        string     `json:"type" enum:"Point"`
	Coordinates [2]float64 `json:"coordinates" doc:"Longitude, latitude; degrees, WGS 84"`
}

func point(lon, lat float64) Point { return Point{Type: "Point", Coordinates: [2]float64{lon, lat}} }

// Marker is a point of a journey as the API returns it.
type Marker struct {
	ID            uuid.UUID       `json:"id"`
	SameID        uuid.UUID       `json:"_id" doc:"The same as id"`
	Name          string          `json:"name" minLength:"1" maxLength:"200"`
	JourneyID     uuid.UUID       `json:"journey_id"`
	OwnerID       uuid.UUID       `json:"owner_id"`
	MarkerType    string          `json:"marker_type" enum:"past,plan"`
	Coordinates   Point           `json:"coordinates"`
	Timestamp     *timestamp.Date `json:"timestamp" doc:"When the rider was there; past markers only"`
	EstimatedTime *timestamp.Date `json:"estimated_time" doc:"When the rider plans to be there; planned markers only"`
	Notes         string          `json:"notes" maxLength:"5000"`
	CreatedAt     timestamp.Time  `json:"created_at"`
	// Warnings is set in the answer to a request that sent something which was not kept.
	Warnings []warning.Warning `json:"warnings,omitempty" doc:"What of the request was not kept; left out if everything was"`
}

// marker is a row of the table markers, with the place the reader may see.
type marker struct {
	ID         uuid.UUID
	JourneyID  uuid.UUID
	OwnerID    uuid.UUID
	Name       string
	Type       string
	Lon, Lat   float64
	HappenedOn *time.Time
	PlannedOn  *time.Time
	Notes      string
	Version    int
	CreatedAt  time.Time
}

// equal is true for two markers with the same content.
func (m marker) equal(o marker) bool {
	sameDay := func(a, b *time.Time) bool { return a == b || a != nil && b != nil && a.Equal(*b) }
	days := sameDay(m.HappenedOn, o.HappenedOn) && sameDay(m.PlannedOn, o.PlannedOn)
	m.HappenedOn, m.PlannedOn, m.CreatedAt = o.HappenedOn, o.PlannedOn, o.CreatedAt
	return days && m == o
}

// markerColumns are the columns of a marker for person $1: the exact place for the owner, the shown place for others.
const markerColumns = `id, journey_id, owner_id, name, marker_type,
	CASE WHEN owner_id = $1 THEN lon ELSE ST_X(shown::geometry) END,
	CASE WHEN owner_id = $1 THEN lat ELSE ST_Y(shown::geometry) END,
	happened_on, planned_on, notes, version, created_at`

// scanTargets returns the fields that markerColumns are scanned into.
func (m *marker) scanTargets() []any {
	return []any{&m.ID, &m.JourneyID, &m.OwnerID, &m.Name, &m.Type, &m.Lon, &m.Lat,
		&m.HappenedOn, &m.PlannedOn, &m.Notes, &m.Version, &m.CreatedAt}
}

func scanMarker(row pgx.CollectableRow) (marker, error) {
	var m marker
	err := row.Scan(m.scanTargets()...)
	return m, err
}

func (m marker) wire() Marker {
	return Marker{
		ID: m.ID, SameID: m.ID, Name: m.Name, JourneyID: m.JourneyID, OwnerID: m.OwnerID, MarkerType: m.Type,
		Coordinates: point(m.Lon, m.Lat), Timestamp: timestamp.DateOfPtr(m.HappenedOn),
		EstimatedTime: timestamp.DateOfPtr(m.PlannedOn), Notes: m.Notes, CreatedAt: timestamp.Of(m.CreatedAt),
	}
}

// answer is the marker in the answer to a request that wrote it.
func (m marker) answer(ctx context.Context) Marker {
	out := m.wire()
	out.Warnings = warning.FromContext(ctx).List()
	return out
}

func (m marker) etag() string { return httpapi.VersionTag(m.Version) }
