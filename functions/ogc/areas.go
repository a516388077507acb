package ogc

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/reportread"
)

func municipalityFields() []field {
	return []field{
		{"name", "string", "", ""}, {"name_tet", "string", "", "In Tetum"}, {"name_pt", "string", "", "In Portuguese"}, {"code", "string", "", "ISO 3166-2, as features have it for their id"},
	}
}

func areaFields() []field {
	return []field{
		{"name", "string", "", ""}, {"parent", "string", "", "The name of the unit above"}, {"code", "string", "", "As the imported file has it"},
	}
}

// Areas as answers have them: the 14 municipalities with their boundary or, where none was imported, with their middle; posts and
// sucos with their boundary. outline is the boundary within 50 m; it serves pages and searches.
const (
	municipalities = `
	SELECT m.code AS id, m.name, m.name_tet, m.name_pt, m.code, NULL AS parent, coalesce(b.outline, ST_SetSRID(ST_MakePoint(m.longitude, m.latitude), 4326)) AS shape, b.area
	  FROM municipalities m CROSS JOIN LATERAL (
	       SELECT ST_CollectionExtract(ST_Collect(outline), 3) AS outline, ST_CollectionExtract(ST_Collect(area), 3) AS area
	         FROM boundaries WHERE level = $1 AND boundaries.code = m.code) b`

	boundaries = `SELECT id::text, name, NULL AS name_tet, NULL AS name_pt, code, parent, outline AS shape, area FROM boundaries WHERE level = $1`
)

// chosen has the areas $1 that a request selects: those whose name is $2, whose code is $3 and whose parent is $4, empty for any.
func (c collection) chosen(condition string) string {
	source, named := boundaries, `fold_name(a.name) = fold_name($2)`
	if !c.imported() {
		source = municipalities
		named = `fold_name($2) IN (fold_name(a.name), fold_name(a.name_tet), fold_name(a.name_pt))`
	}
	return `SELECT * FROM (` + source + `) a WHERE ($2 = '' OR ` + named + `) AND ($3 = '' OR a.code = $3) AND ($4 = '' OR fold_name(a.parent) = fold_name($4)) AND ` + condition
}

// areaRow is an area: its properties, and its shape as GeoJSON.
type areaRow struct {
	ID, Name                      string
	NameTet, NamePt, Code, Parent *string
	Shape                         string
}

const areaColumns = `id, name, name_tet, name_pt, code, parent, `

// areas reads a page of areas, by id. It is not there as long as no boundary of the level was imported.
func (g *Group) areas(ctx context.Context, c collection, s selection) (featurePage, error) {
	batch := &database.Batch{}
	there := database.AskRow(batch, pgx.RowTo[bool], `SELECT EXISTS (SELECT FROM boundaries WHERE level = $1)`, c.level)
	condition, args := "true", []any{c.level, s.Name, s.Code, s.Parent}
	if s.box != "" {
		condition, args = within(s.box, args)
	}
	chosen := c.chosen(condition)
	matched := database.AskRow(batch, pgx.RowTo[int], `SELECT count(*) FROM (`+chosen+`) c`, args...)
	n := len(args)
	page := fmt.Sprintf(`SELECT `+areaColumns+`ST_AsGeoJSON(shape, 5) FROM (%s) c WHERE id > $%d COLLATE "C" ORDER BY id COLLATE "C" LIMIT $%d`, chosen, n+1, n+2)
	rows := database.AskRows(batch, pgx.RowToStructByPos[areaRow], page, append(args, s.cursor, s.limit+1)...)
	if err := batch.Send(ctx, g.db); err != nil {
		return featurePage{}, fmt.Errorf("read areas: %w", err)
	}
	if c.imported() && !there.Get() {
		return featurePage{}, errNotFound
	}
	total := matched.Get()
	out := featurePage{matched: &total}
	for _, row := range rows.Get() {
		f, err := row.feature(c)
		if err != nil {
			return featurePage{}, err
		}
		out.features = append(out.features, f)
	}
	if n := min(fitting(out.features), s.limit); n < len(out.features) {
		out.features = out.features[:n]
		out.next = out.features[n-1].ID
	}
	return out, nil
}

// within is the condition that a shape touches a box, with the arguments after args. A box across the antimeridian is two.
func within(text string, args []any) (string, []any) {
	b, _ := reportread.ParseBox(text) // it was read before
	boxes := []reportread.Box{b}
	if b.MinLon > b.MaxLon {
		boxes = []reportread.Box{{MinLon: b.MinLon, MinLat: b.MinLat, MaxLon: 180, MaxLat: b.MaxLat}, {MinLon: -180, MinLat: b.MinLat, MaxLon: b.MaxLon, MaxLat: b.MaxLat}}
	}
	var either []string
	for _, b := range boxes {
		n := len(args)
		either = append(either, fmt.Sprintf(`ST_Intersects(a.shape, ST_MakeEnvelope($%d::float8, $%d::float8, $%d::float8, $%d::float8, 4326))`, n+1, n+2, n+3, n+4))
		args = append(args, b.MinLon, b.MinLat, b.MaxLon, b.MaxLat)
	}
	return "(" + strings.Join(either, " OR ") + ")", args
}

// mostPoints bounds a boundary that is answered exactly: with 7 decimals (1 cm) it has at most 3 MB. A longer one is answered as its
// outline.
const mostPoints = 100_000

// area reads one area, with its exact boundary.
func (g *Group) area(ctx context.Context, c collection, id string) (Feature, error) {
	query := `SELECT ` + areaColumns + `CASE WHEN ST_NPoints(area) <= $6 THEN ST_AsGeoJSON(area, 7) ELSE ST_AsGeoJSON(shape, 5) END FROM (` + c.chosen("a.id = $5") + `) c`
	rows, err := g.db.Query(ctx, query, c.level, "", "", "", id, mostPoints)
	if err != nil {
		return Feature{}, fmt.Errorf("read area: %w", err)
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[areaRow])
	if errors.Is(err, pgx.ErrNoRows) {
		return Feature{}, errNotFound
	}
	if err != nil {
		return Feature{}, fmt.Errorf("read area: %w", err)
	}
	return row.feature(c)
}

func (r areaRow) feature(c collection) (Feature, error) {
	if c.imported() {
		return newFeature(r.ID, []byte(r.Shape), c.fields, r.Name, r.Parent, r.Code)
	}
	return newFeature(r.ID, []byte(r.Shape), c.fields, r.Name, r.NameTet, r.NamePt, r.Code)
}
