package public

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/reportread"
)

// mapPoints bounds the number of features of one answer.
const mapPoints = 1000

const mediaGeoJSON = "application/geo+json"

type mapInput struct {
	BBox string `query:"bbox" required:"true" doc:"minLon,minLat,maxLon,maxLat in degrees WGS 84; minLon above maxLon crosses the antimeridian" example:"125.4,-8.7,125.8,-8.4"`
	Zoom int    `query:"zoom" minimum:"0" maximum:"20" default:"8" doc:"Zoom level; from 13 on single reports, below it clusters with counts"`
	Kinds
}

type geoJSONOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

// mapData answers with GeoJSON points: reports when zoomed in, else clusters.
func (p *Public) mapData(ctx context.Context, in *mapInput) (*geoJSONOutput, error) {
	box, ok := reportread.ParseBox(in.BBox)
	if !ok {
		return nil, problem.InvalidField("bbox", "expected minLon,minLat,maxLon,maxLat in degrees")
	}
	filter, err := in.filter()
	if err != nil {
		return nil, err
	}
	limit := 0
	if in.Zoom >= pointZoom {
		limit = mapPoints
	}
	args := append(cellsOfBox(box, in.Zoom).args(filter), box.MinLon, box.MinLat, box.MaxLon, box.MaxLat, limit, mapPoints)
	var features json.RawMessage
	if err := p.db.QueryRow(ctx, mapQuery(box), args...).Scan(&features); err != nil {
		return nil, fmt.Errorf("read map: %w", err)
	}
	body := append([]byte(`{"type":"FeatureCollection","features":`), features...)
	return &geoJSONOutput{ContentType: mediaGeoJSON, Body: append(body, '}')}, nil
}

// condition returns the condition for reports in the box $7 to $10. It can use the index. A box that crosses the antimeridian
// is two rectangles.
func condition(b reportread.Box) string {
	if b.MinLon <= b.MaxLon {
		return point + ` && ST_MakeEnvelope($7, $8, $9, $10, 4326)`
	}
	return `(` + point + ` && ST_MakeEnvelope($7, $8, 180, $10, 4326) OR ` + point + ` && ST_MakeEnvelope(-180, $8, $9, $10, 4326))`
}

// mapQuery returns at most $12 features: clusters when they have more than $11 reports, else single reports. Parameters $1 to
// $6 as in clusters, $7 to $10 the box.
func mapQuery(b reportread.Box) string {
	return `
	WITH ` + clusters + `,
	crowded AS (SELECT coalesce(sum(n), 0) > $11::int AS yes FROM clusters),
	features AS (
	    (SELECT jsonb_build_object('type', 'Feature',
	            'geometry', jsonb_build_object('type', 'Point', 'coordinates', jsonb_build_array(round(lon::numeric, 5), round(lat::numeric, 5))),
	            'properties', jsonb_build_object('cluster', true, 'point_count', n)) AS feature
	       FROM clusters WHERE (SELECT yes FROM crowded) ORDER BY n DESC LIMIT $12)
	    UNION ALL
	    (SELECT jsonb_build_object('type', 'Feature', 'id', r.id,
	            'geometry', jsonb_build_object('type', 'Point', 'coordinates', jsonb_build_array(r.longitude, r.latitude)),
	            'properties', jsonb_build_object('report_number', r.report_number, 'issue_type', r.issue_type,
	                'severity', r.severity, 'status', r.status))
	       FROM reports r
	      WHERE NOT (SELECT yes FROM crowded) AND $11 > 0 AND ` + condition(b) + ` AND ` + visible + ` AND ` + ofKinds("$5", "$6") + `
	      ORDER BY r.created_at DESC, r.id DESC LIMIT $12)
	)
	SELECT coalesce(jsonb_agg(feature), '[]') FROM features`
}
