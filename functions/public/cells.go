package public

import (
	"math"

	"github.com/lafaekstreet/backend/shared/reportread"
)

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
