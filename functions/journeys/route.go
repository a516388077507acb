package journeys

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Route is a GeoJSON feature collection (RFC 7946). If there are two or more dated markers, its first feature is the line
// through them in riding order. The other features are all markers.
type Route struct {
	Type         string         `json:"type" enum:"FeatureCollection"`
	JourneyID    uuid.UUID      `json:"journey_id"`
	Name         string         `json:"name"`
	LengthMeters float64        `json:"length_meters" doc:"Along the line, on the spheroid"`
	Features     []RouteFeature `json:"features"`
}

// ContentType implements huma.ContentTypeFilter.
func (Route) ContentType(string) string { return "application/geo+json" }

// RouteFeature is the line or one marker.
type RouteFeature struct {
	Type       string          `json:"type" enum:"Feature"`
	ID         *uuid.UUID      `json:"id,omitempty" doc:"Id of the marker"`
	Geometry   Geometry        `json:"geometry"`
	Properties RouteProperties `json:"properties"`
}

// Geometry is a GeoJSON point, line or, across the antimeridian, several lines.
type Geometry struct {
	Type        string `json:"type" enum:"Point,LineString,MultiLineString"`
	Coordinates any    `json:"coordinates" doc:"Longitude, latitude; degrees, WGS 84; a list of those for a line, of such lists for several"`
}

// RouteProperties say what a feature is. Its kind decides which of the other fields are present.
type RouteProperties struct {
	Kind          string          `json:"kind" enum:"route,marker"`
	LengthMeters  *float64        `json:"length_meters,omitempty"`
	Name          string          `json:"name,omitempty"`
	MarkerType    string          `json:"marker_type,omitempty" enum:"past,plan"`
	Timestamp     *timestamp.Date `json:"timestamp,omitempty"`
	EstimatedTime *timestamp.Date `json:"estimated_time,omitempty"`
	Notes         string          `json:"notes,omitempty"`
}

const (
	kindRoute  = "route"
	kindMarker = "marker"
)

type routeOutput struct {
	Body Route
}

func (g *Group) route(ctx context.Context, in *journeyInput) (*routeOutput, error) {
	j, markers, length, err := g.journeyWithMarkers(ctx, in.JourneyID)
	if err != nil {
		return nil, err
	}
	r := &Route{Type: "FeatureCollection", JourneyID: j.ID, Name: j.Name, LengthMeters: length, Features: []RouteFeature{}}
	if line := ridingOrder(markers); len(line) > 1 {
		r.Features = append(r.Features, RouteFeature{Type: "Feature", Geometry: lineGeometry(line),
			Properties: RouteProperties{Kind: kindRoute, LengthMeters: &r.LengthMeters}})
	}
	for _, m := range markers {
		r.Features = append(r.Features, m.feature())
	}
	return &routeOutput{Body: *r}, nil
}

// routeSQL is markersSQL with one more column: the length of the route in metres, as the person sees it.
const routeSQL = `SELECT ` + markerColumns + `, (` + routeLengthSQL + `) FROM markers WHERE journey_id = $2 ORDER BY created_at, id`

// routeLengthSQL is the length in metres of the route of journey $2, as person $1 sees it.
const routeLengthSQL = `
	SELECT coalesce(sum(CASE WHEN j.user_id = $1 THEN l.length_m ELSE ST_Length(l.shown_line) END), 0)
	  FROM journey_legs l JOIN journeys j ON j.id = l.journey_id WHERE l.journey_id = $2`

// journeyWithMarkers reads a journey for the caller, its markers, oldest first, and the length of its route in metres.
func (g *Group) journeyWithMarkers(ctx context.Context, id uuid.UUID) (journey, []marker, float64, error) {
	var length float64
	caller := identity.Must(ctx).UserID
	j, markers, err := readJourneyWith(ctx, g.db, id, caller, func(row pgx.CollectableRow) (marker, error) {
		var m marker
		err := row.Scan(append(m.scanTargets(), &length)...)
		return m, err
	}, routeSQL, caller, id)
	return j, markers, length, err
}

func (m marker) feature() RouteFeature {
	w := m.wire()
	return RouteFeature{Type: "Feature", ID: &w.ID, Geometry: Geometry{Type: "Point", Coordinates: [2]float64{m.Lon, m.Lat}},
		Properties: RouteProperties{Kind: kindMarker, Name: m.Name, MarkerType: m.Type, Timestamp: w.Timestamp,
			EstimatedTime: w.EstimatedTime, Notes: m.Notes}}
}
