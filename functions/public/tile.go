package public

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/lafaekstreet/backend/shared/problem"
)

// tilePoints bounds the single reports in one tile; where there are more,
// clusters are shown up to zoom 15, and beyond that the newest. Each is known by
// its number alone: an id is what nothing can compress, and would be half the tile.
const tilePoints = 1000

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

// row is Y as a number, for a square there is.
func (in *tileInput) row() (int, error) {
	y, err := strconv.Atoi(strings.TrimSuffix(in.Y, ".mvt"))
	if side := 1 << in.Z; err != nil || in.X >= side || y >= side {
		return 0, problem.InvalidField("x", "there is no such tile at this zoom level")
	}
	return y, nil
}

// tile draws the vector tile (MVT 2.1) of one map square: the layer "reports"
// with single reports or clusters (point_count), and "boundaries" where an
// operator has imported them.
func (p *Public) tile(ctx context.Context, in *tileInput) (*tileOutput, error) {
	y, err := in.row()
	if err != nil {
		return nil, err
	}
	filter, err := in.filter()
	if err != nil {
		return nil, err
	}
	// Up to zoom 15 cells are not larger than the tile, so they tell how much is in it.
	limit := 0
	switch {
	case in.Z >= cellZoom+4:
		limit = -1
	case in.Z >= pointZoom:
		limit = tilePoints
	}
	args := append(cellsOfTile(in.Z, in.X, y).args(filter), in.Z, in.X, y, limit)
	var body []byte
	if err := p.db.QueryRow(ctx, tileQuery, args...).Scan(&body); err != nil {
		return nil, fmt.Errorf("draw tile %d/%d/%d: %w", in.Z, in.X, y, err)
	}
	return &tileOutput{ContentType: mediaMVT, Body: body}, nil
}

// tileQuery draws tile $7/$8/$9: clusters when they hold more than $10 reports,
// else single ones; -1 for single ones always. Shapes reach a sixteenth beyond
// the edge, so that neighbours draw what lies on it alike.
var tileQuery = `
	WITH bounds AS (
	    SELECT ST_TileEnvelope($7, $8, $9) AS mercator, ST_Transform(ST_TileEnvelope($7, $8, $9, margin => 0.0625), 4326) AS degrees
	),` + clusters + `,
	crowded AS (SELECT $10::int >= 0 AND coalesce(sum(n), 0) > $10 AS yes FROM clusters),
	reports_layer AS (
	    SELECT ST_AsMVTGeom(ST_Transform(ST_SetSRID(ST_MakePoint(c.lon, c.lat), 4326), 3857), bounds.mercator, 4096, 256, true) AS geom,
	           c.n AS point_count, NULL::text AS report_number, NULL::text AS issue_type, NULL::text AS severity, NULL::text AS status
	      FROM bounds, clusters c WHERE (SELECT yes FROM crowded)
	    UNION ALL
	    (SELECT ST_AsMVTGeom(ST_Transform(` + point + `, 3857), bounds.mercator, 4096, 256, true),
	            NULL, r.report_number, r.issue_type, r.severity, r.status
	       FROM bounds, reports r
	      WHERE NOT (SELECT yes FROM crowded) AND $10 <> 0 AND ` + point + ` && bounds.degrees AND ` + visible + ` AND ` + ofKinds("$5", "$6") + `
	      ORDER BY r.created_at DESC, r.id DESC LIMIT ` + strconv.Itoa(tilePoints) + `)
	),
	shapes AS (
	    SELECT ST_AsMVTGeom(ST_Transform(b.area, 3857), bounds.mercator, 4096, 64, true) AS geom, b.level, b.name
	      FROM bounds, boundaries b
	     WHERE b.area && bounds.degrees
	       AND (b.level = 'municipality' OR b.level = 'district' AND $7 >= 10 OR b.level = 'suco' AND $7 >= 12)
	)
	SELECT coalesce((SELECT ST_AsMVT(reports_layer, 'reports', 4096, 'geom') FROM reports_layer), '')
	    || coalesce((SELECT ST_AsMVT(shapes, 'boundaries', 4096, 'geom') FROM shapes), '')`
