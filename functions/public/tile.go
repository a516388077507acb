package public

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/lafaekstreet/backend/shared/problem"
)

// tilePoints bounds the reports in one tile; the newest win.
const tilePoints = 2000

const mediaMVT = "application/vnd.mapbox-vector-tile"

type tileInput struct {
	Z int    `path:"z" minimum:"0" maximum:"20" doc:"Zoom level"`
	X int    `path:"x" minimum:"0" doc:"Column, from the antimeridian eastwards"`
	Y string `path:"y" pattern:"^[0-9]{1,7}(\\.mvt)?$" doc:"Row from the north, with or without .mvt" example:"1093.mvt"`
	Kinds
}

type tileOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

// tile draws the vector tile (MVT 2.1) of one map square: the layer "reports"
// with single reports or clusters (point_count), and "boundaries" where an
// operator has imported them.
func (p *Public) tile(ctx context.Context, in *tileInput) (*tileOutput, error) {
	y, err := strconv.Atoi(strings.TrimSuffix(in.Y, ".mvt"))
	if side := 1 << in.Z; err != nil || in.X >= side || y >= side {
		return nil, problem.InvalidField("x", "there is no such tile at this zoom level")
	}
	filter, err := in.filter()
	if err != nil {
		return nil, err
	}
	query := clusterTile
	if in.Z >= pointZoom {
		query = pointTile
	}
	// A cluster is what falls into one of 8 × 8 squares of the tile.
	cell := tileWidth / math.Pow(2, float64(in.Z)) / 8
	var body []byte
	if err := p.db.QueryRow(ctx, query, in.Z, in.X, y, cell, tilePoints, filter.statuses, filter.types).Scan(&body); err != nil {
		return nil, fmt.Errorf("draw tile %d/%d/%d: %w", in.Z, in.X, y, err)
	}
	return &tileOutput{ContentType: mediaMVT, Body: body}, nil
}

// tileWidth is the width of the world in web Mercator, metres.
const tileWidth = 2 * 20037508.342789244

// The tile's envelope in degrees, a sixteenth wider all round, so that symbols
// at an edge are drawn by both neighbours.
const tileBounds = `
	WITH bounds AS (
	    SELECT ST_TileEnvelope($1, $2, $3) AS mercator,
	           ST_Transform(ST_TileEnvelope($1, $2, $3, margin => 0.0625), 4326) AS degrees
	),
	shapes AS (
	    SELECT ST_AsMVTGeom(ST_Transform(b.area, 3857), bounds.mercator, 4096, 64, true) AS geom, b.level, b.name
	      FROM bounds, boundaries b
	     WHERE b.area && bounds.degrees
	       AND (b.level = 'municipality' OR b.level = 'district' AND $1 >= 10 OR b.level = 'suco' AND $1 >= 12)
	),`

var pointTile = tileBounds + `
	points AS (
	    SELECT ST_AsMVTGeom(ST_Transform(` + point + `, 3857), bounds.mercator, 4096, 256, true) AS geom,
	           r.id::text, r.report_number, r.issue_type, r.severity, r.status
	      FROM bounds, reports r
	     WHERE ` + point + ` && bounds.degrees AND ` + visible + ` AND ` + ofKinds("$6", "$7") + ` AND $4::float8 > 0
	     ORDER BY r.created_at DESC, r.id DESC LIMIT $5
	)
	SELECT coalesce((SELECT ST_AsMVT(points, 'reports', 4096, 'geom') FROM points), '')
	    || coalesce((SELECT ST_AsMVT(shapes, 'boundaries', 4096, 'geom') FROM shapes), '')`

var clusterTile = tileBounds + `
	cells AS (
	    SELECT count(*) AS point_count, ST_Transform(ST_SetSRID(ST_MakePoint(avg(r.longitude), avg(r.latitude)), 4326), 3857) AS middle
	      FROM bounds, reports r
	     WHERE ` + point + ` && bounds.degrees AND ` + visible + ` AND ` + ofKinds("$6", "$7") + ` AND $5::int > 0
	     GROUP BY ST_SnapToGrid(ST_Transform(` + point + `, 3857), $4)
	),
	points AS (
	    SELECT ST_AsMVTGeom(cells.middle, bounds.mercator, 4096, 256, true) AS geom, cells.point_count FROM bounds, cells
	)
	SELECT coalesce((SELECT ST_AsMVT(points, 'reports', 4096, 'geom') FROM points), '')
	    || coalesce((SELECT ST_AsMVT(shapes, 'boundaries', 4096, 'geom') FROM shapes), '')`
