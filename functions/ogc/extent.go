package ogc

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/opendata"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Extent is where and when the features of a collection are.
type Extent struct {
	Spatial  *Spatial  `json:"spatial,omitempty"`
	Temporal *Temporal `json:"temporal,omitempty"`
}

// box is minLon, minLat, maxLon, maxLat in degrees.
type box [4]float64

// around is the smallest box that contains both.
func (b box) around(o box) box {
	return box{min(b[0], o[0]), min(b[1], o[1]), max(b[2], o[2]), max(b[3], o[3])}
}

// Spatial is where all features of a collection are.
type Spatial struct {
	BBox []box  `json:"bbox"`
	CRS  string `json:"crs"`
}

// Temporal is an interval; its end is null, which means open.
type Temporal struct {
	Interval [][2]*timestamp.Time `json:"interval"`
	TRS      string               `json:"trs"`
}

const gregorian = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"

// extents are the boxes of the collections by id, and the time of the oldest report. A collection without features has no box.
type extents struct {
	boxes  map[string]box
	oldest *timestamp.Time
}

// has reports whether there is such a collection.
func (e extents) has(c collection) bool {
	_, ok := e.boxes[c.id]
	return ok || !c.imported()
}

// present are the collections that there are.
func (e extents) present() []collection {
	var out []collection
	for _, c := range known() {
		if e.has(c) {
			out = append(out, c)
		}
	}
	return out
}

// of is the extent of a collection.
func (e extents) of(c collection) *Extent {
	out := &Extent{}
	if b, ok := e.boxes[c.id]; ok {
		out.Spatial = &Spatial{[]box{b}, crs84}
	}
	if c.id == reportsID {
		out.Temporal = &Temporal{[][2]*timestamp.Time{{e.oldest, nil}}, gregorian}
	}
	return out
}

// cellZoom is the zoom level of the map cells that say where reports are; a cell is 0.35 degrees wide. So the box of reports is
// larger than it must be by up to one cell on each side, and no report is read.
const cellZoom = 7

const (
	cellsQuery = `SELECT min(x), max(x), min(y), max(y) FROM (
		SELECT x, y FROM map_cells WHERE zoom = $1 AND reports > 0
		UNION ALL SELECT map_column(longitude, $1), map_row(latitude, $1) FROM map_cell_changes) c`

	oldestQuery = `SELECT r.created_at FROM reports r WHERE ` + opendata.PublicCondition + ` ORDER BY r.created_at, r.id LIMIT 1`

	// Places are rounded to 5 decimals in answers.
	areasQuery = `SELECT level, ARRAY[ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e)]
	  FROM (SELECT level, ST_Expand(ST_Extent(area), 0.00001) AS e FROM boundaries GROUP BY level) l
	UNION ALL SELECT '', ARRAY[min(min_lon), min(min_lat), max(max_lon), max(max_lat)] FROM municipalities`
)

// cells are the first and the last column and row of the map cells that have reports; nil without any.
type cells struct{ West, East, North, South *int }

// box is the area of the cells in degrees. The cells at the top and at the bottom reach to the poles.
func (c cells) box() box {
	side := float64(int(8) << cellZoom)
	longitude := func(column int) float64 { return float64(column)/side*360 - 180 }
	latitude := func(row int) float64 {
		switch float64(row) {
		case 0:
			return 90
		case side:
			return -90
		}
		return math.Atan(math.Sinh(math.Pi*(1-2*float64(row)/side))) * 180 / math.Pi
	}
	return box{longitude(*c.West), latitude(*c.South + 1), longitude(*c.East + 1), latitude(*c.North)}
}

type area struct {
	Level string
	Box   []float64
}

func (g *Group) extents(ctx context.Context) (extents, error) {
	batch := &database.Batch{}
	reports := database.AskRow(batch, pgx.RowToStructByPos[cells], cellsQuery, cellZoom)
	oldest := database.AskOptional(batch, pgx.RowTo[time.Time], oldestQuery)
	areas := database.AskRows(batch, pgx.RowToStructByPos[area], areasQuery)
	if err := batch.Send(ctx, g.db); err != nil {
		return extents{}, fmt.Errorf("read extents: %w", err)
	}
	out := extents{boxes: make(map[string]box), oldest: timestamp.OfPtr(oldest.Get())}
	if c := reports.Get(); c.West != nil {
		out.boxes[reportsID] = c.box()
	}
	for _, a := range areas.Get() {
		for _, c := range known() {
			if a.Level != c.level && (a.Level != "" || c.id != municipalitiesID) || c.id == reportsID {
				continue
			}
			b := box(a.Box)
			if other, ok := out.boxes[c.id]; ok {
				b = b.around(other)
			}
			out.boxes[c.id] = b
		}
	}
	return out, nil
}
