package public

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
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
		return shownIn(`ST_MakeEnvelope($7, $8, $9, $10, 4326)`)
	}
	return `(` + shownIn(`ST_MakeEnvelope($7, $8, 180, $10, 4326)`) + ` OR ` + shownIn(`ST_MakeEnvelope(-180, $8, $9, $10, 4326)`) + `)`
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
	            'geometry', jsonb_build_object('type', 'Point', 'coordinates', jsonb_build_array(` + report.ShownLongitudeSQL + `, ` + report.ShownLatitudeSQL + `)),
	            'properties', jsonb_build_object('report_number', r.report_number, 'issue_type', r.issue_type,
	                'severity', ` + report.ShownSeveritySQL + `, 'status', r.status))
	       FROM reports r
	      WHERE NOT (SELECT yes FROM crowded) AND $11 > 0 AND ` + condition(b) + ` AND ` + visible + ` AND ` + ofKinds("$5", "$6") + `
	      ORDER BY r.created_at DESC, r.id DESC LIMIT $12)
	)
	SELECT coalesce(jsonb_agg(feature), '[]') FROM features`
}

func (p *Public) registerMap(a *httpapi.API) {
	data := read("/api/v1/public/map", "Reports in a box, as GeoJSON",
		"Single reports from zoom 13 on where there are at most 1000, else clusters with `point_count`. Never a rejected or withdrawn report. While a report is pending, its place has 3 decimals and its severity is null.")
	content(&data, "A GeoJSON FeatureCollection (RFC 7946)", mediaGeoJSON)
	httpapi.Register(a, data, p.mapData)

	tile := read("/api/v1/public/tiles/{z}/{x}/{y}", "A vector tile of the map",
		"Mapbox Vector Tile 2.1 with the layers `reports`, `boundaries` and `names`. `reports` has single reports from zoom 13 on; below it, and where there are too many, clusters with `point_count`, and a report that is alone as itself. `names` has the names of places at this zoom, with `level` and `rank`.")
	content(&tile, "The tile; empty where nothing is to show", mediaMVT)
	httpapi.Register(a, tile, p.tile)
}

// Kinds limits a map to some statuses and issue types.
type Kinds struct {
	Status    string `query:"status" doc:"Statuses, separated by commas" example:"verified,in_progress"`
	IssueType string `query:"issue_type" doc:"Issue types, separated by commas" example:"pothole"`
}

// kindFilter is Kinds as query parameters; nil means all.
type kindFilter struct {
	statuses, types []string
}

func (k Kinds) filter() (kindFilter, error) {
	statuses, bad := report.ParseList(k.Status, report.ParseStatus)
	if bad != "" {
		return kindFilter{}, problem.InvalidField("status", "names no status")
	}
	types, bad := report.ParseList(k.IssueType, report.ParseIssueType)
	if bad != "" {
		return kindFilter{}, problem.InvalidField("issue_type", "names no issue type")
	}
	return kindFilter{texts(statuses), texts(types)}, nil
}

func texts[T ~string](values []T) []string {
	var out []string
	for _, v := range values {
		out = append(out, string(v))
	}
	return out
}

// ofKinds returns the condition for rows r that match a kindFilter. The arguments are the names of its two parameters.
func ofKinds(statuses, types string) string {
	return `(` + statuses + `::text[] IS NULL OR r.status = ANY(` + statuses + `)) AND (` +
		types + `::text[] IS NULL OR r.issue_type = ANY(` + types + `))`
}
