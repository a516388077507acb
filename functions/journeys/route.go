package journeys

import (
	"context"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/journeys/track"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Route is a GeoJSON feature collection (RFC 7946). Its first features are the tracks in riding order; without any, the first
// feature is the line through the markers, if there are two or more. The other features are all markers.
type Route struct {
	_            struct{}       `schema:"JourneyRoute"`
	Type         string         `json:"type" enum:"FeatureCollection"`
	JourneyID    uuid.UUID      `json:"journey_id"`
	Name         string         `json:"name"`
	LengthMeters float64        `json:"length_meters" doc:"Along the lines, on the spheroid"`
	ErrorMeters  float64        `json:"error_meters" doc:"How far a track may be from its line here; route.gpx has all points"`
	Features     []RouteFeature `json:"features"`
}

// ContentType implements huma.ContentTypeFilter.
func (Route) ContentType(string) string { return "application/geo+json" }

// RouteFeature is a line or a marker.
type RouteFeature struct {
	Type       string          `json:"type" enum:"Feature"`
	ID         *uuid.UUID      `json:"id,omitempty" doc:"Id of the track or marker"`
	Geometry   Geometry        `json:"geometry"`
	Properties RouteProperties `json:"properties"`
}

// Geometry is a GeoJSON point, line or, across the antimeridian, several lines.
type Geometry struct {
	_           struct{} `schema:"RouteGeometry"`
	Type        string   `json:"type" enum:"Point,LineString,MultiLineString"`
	Coordinates any      `json:"coordinates" doc:"Longitude, latitude; degrees, WGS 84; a list of those for a line, of such lists for several"`
}

// RouteProperties say what a feature is. Its kind decides which of the other fields are present.
type RouteProperties struct {
	Kind          string          `json:"kind" enum:"track,route,marker" doc:"route is the line through the markers"`
	TrackKind     track.Kind      `json:"track_kind,omitempty" enum:"recorded,planned"`
	StartedAt     *timestamp.Time `json:"started_at,omitempty"`
	EndedAt       *timestamp.Time `json:"ended_at,omitempty"`
	LengthMeters  *float64        `json:"length_meters,omitempty"`
	Name          string          `json:"name,omitempty"`
	MarkerType    string          `json:"marker_type,omitempty" enum:"past,plan"`
	Timestamp     *timestamp.Date `json:"timestamp,omitempty"`
	EstimatedTime *timestamp.Date `json:"estimated_time,omitempty"`
	Notes         string          `json:"notes,omitempty"`
}

const (
	kindTrack  = "track"
	kindRoute  = "route"
	kindMarker = "marker"
)

type routeOutput struct {
	Body Route
}

// maxVertices bounds the vertices of all tracks in an answer: about 120 KB of JSON, 40 KB packed.
const maxVertices = 5000

func (g *Group) route(ctx context.Context, in *journeyInput) (*routeOutput, error) {
	r, err := g.readRoute(ctx, in.JourneyID)
	if err != nil {
		return nil, err
	}
	lines, errorM, ok := track.Thin(r.lines, maxVertices)
	if !ok {
		return nil, errTooComplex
	}
	out := Route{Type: "FeatureCollection", JourneyID: r.journey.ID, Name: r.journey.Name, LengthMeters: r.length, Features: []RouteFeature{}}
	if len(r.tracks) > 0 {
		out.ErrorMeters = legErrorM + errorM
	}
	for _, t := range r.tracks {
		n := r.segments[t.ID]
		out.Features = append(out.Features, t.feature(lines[:n]))
		lines = lines[n:]
	}
	if line := ridingOrder(r.markers); len(line) > 1 && !r.hasTracks {
		out.Features = append(out.Features, RouteFeature{Type: "Feature", Geometry: geometryOf([][]track.Position{positions(line)}),
			Properties: RouteProperties{Kind: kindRoute, LengthMeters: &out.LengthMeters}})
	}
	for _, m := range r.markers {
		out.Features = append(out.Features, m.feature())
	}
	return &routeOutput{Body: out}, nil
}

// feature returns the track with its lines, one for each segment.
func (t Track) feature(lines [][]track.Position) RouteFeature {
	return RouteFeature{Type: "Feature", ID: &t.ID, Geometry: geometryOf(lines), Properties: RouteProperties{Kind: kindTrack, Name: t.Name,
		TrackKind: t.Kind, LengthMeters: &t.LengthMeters, StartedAt: t.StartedAt, EndedAt: t.EndedAt}}
}

func (m marker) feature() RouteFeature {
	w := m.wire()
	return RouteFeature{Type: "Feature", ID: &w.ID, Geometry: Geometry{Type: "Point", Coordinates: [2]float64{m.Lon, m.Lat}},
		Properties: RouteProperties{Kind: kindMarker, Name: m.Name, MarkerType: m.Type, Timestamp: w.Timestamp,
			EstimatedTime: w.EstimatedTime, Notes: m.Notes}}
}
