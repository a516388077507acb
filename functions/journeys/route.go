package journeys

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Route is a GeoJSON feature collection (RFC 7946): the line through the dated
// markers in riding order, then all markers.
type Route struct {
	Type         string         `json:"type" enum:"FeatureCollection"`
	JourneyID    uuid.UUID      `json:"journey_id"`
	Name         string         `json:"name"`
	LengthMeters float64        `json:"length_meters" doc:"Along the line, on the spheroid"`
	Features     []RouteFeature `json:"features"`
}

// ContentType implements huma.ContentTypeFilter.
func (*Route) ContentType(string) string { return "application/geo+json" }

// RouteFeature is the line or one marker.
type RouteFeature struct {
	Type       string          `json:"type" enum:"Feature"`
	ID         *uuid.UUID      `json:"id,omitempty" doc:"The marker's"`
	Geometry   Geometry        `json:"geometry"`
	Properties RouteProperties `json:"properties"`
}

// Geometry is a GeoJSON point, line or, across the antimeridian, several lines.
type Geometry struct {
	Type        string          `json:"type" enum:"Point,LineString,MultiLineString"`
	Coordinates json.RawMessage `json:"coordinates" doc:"Longitude, latitude; degrees, WGS 84"`
}

// RouteProperties say what a feature is. The kind decides which others there are.
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
	Body *Route
}

func (g *Group) route(ctx context.Context, in *journeyInput) (*routeOutput, error) {
	j, markers, err := g.journeyWithMarkers(ctx, in.JourneyID)
	if err != nil {
		return nil, err
	}
	r := &Route{Type: "FeatureCollection", JourneyID: j.ID, Name: j.Name, Features: []RouteFeature{}}
	if line := riding(markers); len(line) > 1 {
		if r.LengthMeters, err = routeLength(ctx, g.db, j, identity.Must(ctx).UserID); err != nil {
			return nil, err
		}
		geometry, err := lineGeometry(line)
		if err != nil {
			return nil, err
		}
		r.Features = append(r.Features, RouteFeature{Type: "Feature", Geometry: geometry,
			Properties: RouteProperties{Kind: kindRoute, LengthMeters: &r.LengthMeters}})
	}
	for _, m := range markers {
		f, err := m.feature()
		if err != nil {
			return nil, err
		}
		r.Features = append(r.Features, f)
	}
	return &routeOutput{Body: r}, nil
}

func (g *Group) journeyWithMarkers(ctx context.Context, id uuid.UUID) (journey, []marker, error) {
	caller := identity.Must(ctx).UserID
	j, err := visibleJourney(ctx, g.db, id, caller)
	if err != nil {
		return journey{}, nil, err
	}
	markers, err := visibleMarkers(ctx, g.db, id, caller)
	return j, markers, err
}

// routeLength is in metres, along the line as the person sees it.
func routeLength(ctx context.Context, q database.Querier, j journey, person uuid.UUID) (float64, error) {
	const query = `SELECT coalesce(sum(CASE WHEN $2 THEN length_m ELSE ST_Length(shown_line) END), 0) FROM journey_legs WHERE journey_id = $1`
	var length float64
	if err := q.QueryRow(ctx, query, j.ID, j.exactTo(person)).Scan(&length); err != nil {
		return 0, fmt.Errorf("measure route: %w", err)
	}
	return length, nil
}

func (m marker) feature() (RouteFeature, error) {
	coordinates, err := json.Marshal([2]float64{m.Lon, m.Lat})
	if err != nil {
		return RouteFeature{}, fmt.Errorf("encode marker: %w", err)
	}
	w := m.wire()
	return RouteFeature{Type: "Feature", ID: &w.ID, Geometry: Geometry{Type: "Point", Coordinates: coordinates},
		Properties: RouteProperties{Kind: kindMarker, Name: m.Name, MarkerType: m.Type, Timestamp: w.Timestamp,
			EstimatedTime: w.EstimatedTime, Notes: m.Notes}}, nil
}
