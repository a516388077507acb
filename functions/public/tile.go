package public

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
)

// tilePoints bounds the single reports in one tile. Where there are more, a tile has clusters up to zoom 15, and the newest
// reports beyond it. Reports have their number and no id: ids cannot be compressed and would be half of the tile.
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

// row returns Y as a number. It fails when there is no such tile.
func (in *tileInput) row() (int, error) {
	y, err := strconv.Atoi(strings.TrimSuffix(in.Y, ".mvt"))
	if side := 1 << in.Z; err != nil || in.X >= side || y >= side {
		return 0, problem.InvalidField("x", "there is no such tile at this zoom level")
	}
	return y, nil
}

// tile returns a vector tile (MVT 2.1) with three layers: "reports" has single reports or clusters (with point_count),
// "boundaries" has the imported boundaries, "names" the names of places that are written at this zoom.
func (p *Public) tile(ctx context.Context, in *tileInput) (*tileOutput, error) {
	y, err := in.row()
	if err != nil {
		return nil, err
	}
	filter, err := in.filter()
	if err != nil {
		return nil, err
	}
	// Up to zoom 15 a cell is not larger than the tile, so the cells say how many reports are in it.
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

// tileQuery returns the tile at zoom $7, column $8, row $9. It has clusters when they have more than $10 reports, else single
// reports; with -1 for $10 always single reports. Parameters $1 to $6 as in clusters. Layers reach a sixteenth of the tile
// beyond its edge, so that neighbouring tiles show things on the edge in the same way.
var tileQuery = `
	WITH bounds AS (
	    SELECT ST_TileEnvelope($7, $8, $9) AS mercator, ST_Transform(ST_TileEnvelope($7, $8, $9, margin => 0.0625), 4326) AS degrees
	),` + clusters + `,
	crowded AS (SELECT $10::int >= 0 AND coalesce(sum(n), 0) > $10 AS yes FROM clusters),` + newest() + `,
	reports_layer AS (
	    SELECT ST_AsMVTGeom(ST_Transform(ST_SetSRID(ST_MakePoint(c.lon, c.lat), 4326), 3857), bounds.mercator, 4096, 256, true) AS geom,
	           CASE WHEN c.n > 1 THEN c.n END AS point_count, one.report_number, one.issue_type, one.severity, one.status
	      FROM bounds, clusters c LEFT JOIN LATERAL (
	          SELECT r.report_number, r.issue_type, ` + report.ShownSeveritySQL + ` AS severity, r.status FROM reports r
	           WHERE c.n = 1 AND ` + shownIn(`ST_Expand(ST_SetSRID(ST_MakePoint(c.lon, c.lat), 4326), 0.000001)`) + ` AND ` + visible + ` AND ` + ofKinds("$5", "$6") + ` LIMIT 1
	      ) one ON true
	     WHERE (SELECT yes FROM crowded)
	    UNION ALL
	    SELECT ST_AsMVTGeom(ST_Transform(s.place, 3857), bounds.mercator, 4096, 256, true), NULL, s.report_number, s.issue_type, s.severity, s.status
	      FROM bounds, single s
	),
	shapes AS (
	    SELECT ST_AsMVTGeom(ST_Transform(b.area, 3857), bounds.mercator, 4096, 64, true) AS geom, b.level, b.name
	      FROM bounds, boundaries b
	     WHERE b.area && bounds.degrees
	       AND (b.level = 'municipality' OR b.level = 'district' AND $7 >= 10 OR b.level = 'suco' AND $7 >= 12)
	),` + namesLayer + `
	SELECT coalesce((SELECT ST_AsMVT(reports_layer, 'reports', 4096, 'geom') FROM reports_layer), '')
	    || coalesce((SELECT ST_AsMVT(shapes, 'boundaries', 4096, 'geom') FROM shapes), '')
	    || coalesce((SELECT ST_AsMVT(names, 'names', 4096, 'geom') FROM names), '')`

// tileDays are the spans of time, in days, in which a tile looks for its newest reports one after another; then it looks in all time.
func tileDays() []int { return []int{1, 8, 64} }

// newest returns the common table expression single: the newest tilePoints reports of a tile that is not crowded. It looks in the newest
// day first, then in the newest week and months, by the index of place and day, until it has found as many. So a tile does not cost more
// the more reports lie in it. There is no condition that the index of places alone can use: the planner would choose it for small areas.
func newest() string {
	var b strings.Builder
	var parts []string
	before := "" // no span before has enough
	span := func(name, since string) {
		area := fmt.Sprintf(`created_box(ST_XMin(degrees) - %[1]g, ST_YMin(degrees) - %[1]g, ST_XMax(degrees) + %[1]g, ST_YMax(degrees) + %[1]g, %[2]s, NULL)`, report.ShownWithinDegrees, since)
		fmt.Fprintf(&b, `
	%s AS MATERIALIZED (
	    SELECT r.id, r.created_at, `+shownPoint+` AS place, r.report_number, r.issue_type, `+report.ShownSeveritySQL+` AS severity, r.status
	      FROM bounds, reports r
	     WHERE NOT (SELECT yes FROM crowded) AND $10 <> 0%s AND created_point(r.longitude, r.latitude, r.created_at) &&& (SELECT %s FROM bounds)
	       AND `+shownPoint+` && bounds.degrees AND `+visible+` AND `+ofKinds("$5", "$6")+`),`, name, before, area)
	}
	for _, days := range tileDays() {
		name := fmt.Sprintf("days%d", days)
		span(name, fmt.Sprintf("now() - interval '%d days'", days))
		found := fmt.Sprintf("(SELECT count(*) FROM %s)", name)
		parts = append(parts, fmt.Sprintf("SELECT * FROM %s WHERE %s >= %d", name, found, tilePoints))
		before += fmt.Sprintf(" AND %s < %d", found, tilePoints)
	}
	span("ever", "NULL")
	parts = append(parts, "SELECT * FROM ever")
	fmt.Fprintf(&b, `
	single AS (SELECT * FROM (%s) s ORDER BY created_at DESC, id DESC LIMIT %d)`, strings.Join(parts, " UNION ALL "), tilePoints)
	return b.String()
}

// namesLayer is the layer "names". Where names have no room beside each other, those with the lowest rank are to be shown.
// Municipalities have their place without boundaries too.
const namesLayer = `
	places AS (
	    SELECT ST_SetSRID(ST_MakePoint(m.longitude, m.latitude), 4326) AS at, m.name, nullif(m.name_tet, m.name) AS name_tet, nullif(m.name_pt, m.name) AS name_pt,
	           'municipality' AS level, 1 AS rank
	      FROM municipalities m WHERE $7 BETWEEN 5 AND 11
	    UNION ALL
	    SELECT b.label, b.name, NULL, NULL, b.level, CASE b.level WHEN 'district' THEN 2 ELSE 3 END
	      FROM bounds, boundaries b
	     WHERE b.label && bounds.degrees AND (b.level = 'district' AND $7 >= 9 OR b.level = 'suco' AND $7 >= 11)
	    UNION ALL
	    (SELECT n.place, n.name, NULL, NULL, 'locality', 4 FROM bounds, place_names n
	      WHERE $7 >= 12 AND n.place && bounds.degrees ORDER BY n.id LIMIT 200)
	),
	names AS (
	    SELECT ST_AsMVTGeom(ST_Transform(p.at, 3857), bounds.mercator, 4096, 64, true) AS geom, p.name, p.name_tet, p.name_pt, p.level, p.rank
	      FROM bounds, places p WHERE p.at && bounds.degrees
	)`

// Zoom levels. The database has map cells up to cellZoom. From pointZoom on the map shows single reports, except where there
// are too many.
const (
	cellZoom  = 12
	pointZoom = 13
)

// cells is a block of map cells of one zoom level. Columns and rows are counted as in migrations/00012; a cell is an eighth of
// a tile wide and high.
type cells struct {
	zoom        int
	columns     []int32
	top, bottom int32
}

// maxColumns bounds the width of a block, in cells.
const maxColumns = 128

// cellsOfTile returns the cells that a tile covers. For a tile beyond cellZoom it returns the cells of cellZoom around it.
func cellsOfTile(z, x, y int) cells {
	c := cells{zoom: min(z, cellZoom)}
	first, last, top, bottom := x*8, x*8+7, y*8, y*8+7
	if beyond := z - cellZoom; beyond > 0 {
		first, last, top, bottom = first>>beyond, last>>beyond, top>>beyond, bottom>>beyond
	}
	c.top, c.bottom = int32(top), int32(bottom)
	for column := first; column <= last; column++ {
		c.columns = append(c.columns, int32(column))
	}
	return c
}

// cellsOfBox returns the cells that a box touches, at the given zoom level, or at a lower one when they would be too many.
func cellsOfBox(b reportread.Box, zoom int) cells {
	width := b.MaxLon - b.MinLon
	if width < 0 {
		width += 360
	}
	zoom = min(zoom, cellZoom)
	for zoom > 0 && width/360*float64(int(8)<<zoom) > maxColumns-2 {
		zoom--
	}
	side := int32(8) << zoom
	c := cells{zoom: zoom, top: row(b.MaxLat, side), bottom: row(b.MinLat, side)}
	first, last := column(b.MinLon, side), column(b.MaxLon, side)
	for i := first; ; i = (i + 1) % side {
		c.columns = append(c.columns, i)
		if i == last || len(c.columns) > maxColumns {
			return c
		}
	}
}

// column returns the column of a longitude; side is the number of columns of the world.
func column(longitude float64, side int32) int32 {
	return min(int32(math.Floor((longitude+180)/360*float64(side))), side-1)
}

// row returns the row of a latitude in Web Mercator; side is the number of rows of the world.
func row(latitude float64, side int32) int32 {
	latitude = min(max(latitude, -85.0511), 85.0511) * math.Pi / 180
	y := (1 - math.Asinh(math.Tan(latitude))/math.Pi) / 2 * float64(side)
	return min(max(int32(math.Floor(y)), 0), side-1)
}

// clusters is a common table expression with the cells that have reports: their number n and their mean place lon, lat.
// Parameters: zoom $1, columns $2, first and last row $3 and $4, statuses $5, issue types $6.
var clusters = `
	clusters AS (
	    SELECT sum(r.reports) AS n, sum(r.sum_lon) / sum(r.reports) AS lon, sum(r.sum_lat) / sum(r.reports) AS lat
	      FROM (SELECT x, y, issue_type, status, reports, sum_lon, sum_lat FROM map_cells
	             WHERE zoom = $1 AND x = ANY($2::int[]) AND y BETWEEN $3 AND $4
	            UNION ALL
	            SELECT map_column(longitude, $1), map_row(latitude, $1), issue_type, status, reports, reports * longitude, reports * latitude
	              FROM map_cell_changes WHERE map_column(longitude, $1) = ANY($2::int[]) AND map_row(latitude, $1) BETWEEN $3 AND $4) r
	     WHERE ` + ofKinds("$5", "$6") + `
	     GROUP BY r.x, r.y HAVING sum(r.reports) > 0
	)`

func (c cells) args(f kindFilter) []any {
	return []any{c.zoom, c.columns, c.top, c.bottom, f.statuses, f.types}
}
