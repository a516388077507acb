package public

import (
	"slices"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/reportread"
)

// TestCellsEqualThoseOfTheDatabase compares our columns and rows with those of the functions in migrations/00012.
func TestCellsEqualThoseOfTheDatabase(t *testing.T) {
	t.Parallel()
	db := testdb.Pool(t)
	for _, p := range [][2]float64{{-8.5569, 125.5603}, {0, 0}, {90, 180}, {-90, -180}, {85.06, 179.9999}, {-9.5, 124.04}} {
		for _, zoom := range []int{0, 5, cellZoom} {
			var x, y int32
			if err := db.QueryRow(t.Context(), `SELECT map_column($1, $3), map_row($2, $3)`, p[1], p[0], zoom).Scan(&x, &y); err != nil {
				t.Fatal(err)
			}
			side := int32(8) << zoom
			if column(p[1], side) != x || row(p[0], side) != y {
				t.Errorf("%v at zoom %d: ours %d/%d, the database's %d/%d", p, zoom, column(p[1], side), row(p[0], side), x, y)
			}
		}
	}
}

func TestBlocksAreBounded(t *testing.T) {
	t.Parallel()
	world := cellsOfBox(reportread.Box{MinLon: -180, MinLat: -90, MaxLon: 180, MaxLat: 90}, 20)
	if len(world.columns) > maxColumns || world.columns[0] != 0 || world.columns[len(world.columns)-1] != int32(8)<<world.zoom-1 {
		t.Errorf("the world takes %d columns at zoom %d", len(world.columns), world.zoom)
	}
	across := cellsOfBox(reportread.Box{MinLon: 179, MinLat: -1, MaxLon: -179, MaxLat: 1}, 4)
	if side := int32(8) << 4; !slices.Equal(across.columns, []int32{side - 1, 0}) {
		t.Errorf("across the antimeridian: %v", across.columns)
	}
	if deep := cellsOfTile(15, 27812, 17165); deep.zoom != cellZoom || len(deep.columns) != 1 || deep.top != deep.bottom {
		t.Errorf("a deep tile lies in %+v", deep)
	}
}
