package public

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/lafaekstreet/backend/shared/problem"
)

// mapPoints bounds the features of one answer; the newest win.
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
	box, err := parseBox(in.BBox)
	if err != nil {
		return nil, err
	}
	filter, err := in.filter()
	if err != nil {
		return nil, err
	}
	query := clusterFeatures(box)
	if in.Zoom >= pointZoom {
		query = pointFeatures(box)
	}
	cell := 360 / math.Pow(2, float64(in.Zoom)) / 8
	var features json.RawMessage
	err = p.db.QueryRow(ctx, query, box.minLon, box.minLat, box.maxLon, box.maxLat, cell, mapPoints,
		filter.statuses, filter.types).Scan(&features)
	if err != nil {
		return nil, fmt.Errorf("read map: %w", err)
	}
	body := append([]byte(`{"type":"FeatureCollection","features":`), features...)
	return &geoJSONOutput{ContentType: mediaGeoJSON, Body: append(body, '}')}, nil
}

// box is a rectangle in degrees; minLon above maxLon crosses the antimeridian.
type box struct{ minLon, minLat, maxLon, maxLat float64 }

func parseBox(text string) (box, error) {
	fault := problem.InvalidField("bbox", "expected minLon,minLat,maxLon,maxLat in degrees")
	parts := strings.Split(text, ",")
	if len(parts) != 4 {
		return box{}, fault
	}
	var v [4]float64
	for i, part := range parts {
		f, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if limit := []float64{180, 90}[i%2]; err != nil || !(math.Abs(f) <= limit) { // also refuses NaN
			return box{}, fault
		}
		v[i] = f
	}
	if v[1] > v[3] {
		return box{}, fault
	}
	return box{v[0], v[1], v[2], v[3]}, nil
}

// conditions are the index conditions for a box of $1–$4: one rectangle, or two
// where it crosses the antimeridian.
func (b box) condition() string {
	if b.minLon <= b.maxLon {
		return point + ` && ST_MakeEnvelope($1, $2, $3, $4, 4326)`
	}
	return `(` + point + ` && ST_MakeEnvelope($1, $2, 180, $4, 4326) OR ` + point + ` && ST_MakeEnvelope(-180, $2, $3, $4, 4326))`
}

func pointFeatures(b box) string {
	return `
	SELECT coalesce(jsonb_agg(jsonb_build_object('type', 'Feature', 'id', id,
	           'geometry', jsonb_build_object('type', 'Point', 'coordinates', jsonb_build_array(longitude, latitude)),
	           'properties', jsonb_build_object('report_number', report_number, 'issue_type', issue_type,
	               'severity', severity, 'status', status))), '[]')
	  FROM (SELECT r.id, r.report_number, r.issue_type, r.severity, r.status, r.longitude, r.latitude
	          FROM reports r
	         WHERE ` + b.condition() + ` AND ` + visible + ` AND ` + ofKinds("$7", "$8") + ` AND $5::float8 > 0
	         ORDER BY r.created_at DESC, r.id DESC LIMIT $6) newest`
}

func clusterFeatures(b box) string {
	return `
	SELECT coalesce(jsonb_agg(jsonb_build_object('type', 'Feature',
	           'geometry', jsonb_build_object('type', 'Point', 'coordinates', jsonb_build_array(round(lon::numeric, 5), round(lat::numeric, 5))),
	           'properties', jsonb_build_object('cluster', true, 'point_count', n))), '[]')
	  FROM (SELECT avg(r.longitude) AS lon, avg(r.latitude) AS lat, count(*) AS n
	          FROM reports r
	         WHERE ` + b.condition() + ` AND ` + visible + ` AND ` + ofKinds("$7", "$8") + `
	         GROUP BY floor(r.longitude / $5), floor(r.latitude / $5)
	         ORDER BY n DESC LIMIT $6) cells`
}
