package opendata

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
)

// ByType has the counts of one issue type.
type ByType struct {
	IssueType string `json:"issue_type" example:"pothole"`
	Counts
}

// ReadByType returns the issue types that have reports, the most frequent first.
func ReadByType(ctx context.Context, q database.Querier) ([]ByType, error) {
	const query = `SELECT c.issue_type, ` + counts + ` FROM ` + current + ` c
		GROUP BY 1 HAVING sum(c.reports) > 0 ORDER BY 2 DESC, 1`
	return read(ctx, q, "by type", func(t *ByType) []any { return append([]any{&t.IssueType}, t.fields()...) }, query)
}

// ByMunicipality has the counts of one municipality.
type ByMunicipality struct {
	Municipality string `json:"municipality" example:"Dili"`
	Code         string `json:"code" example:"TL-DI"`
	Counts
	Latitude  float64 `json:"latitude" doc:"Of the centre, degrees WGS 84"`
	Longitude float64 `json:"longitude" doc:"Of the centre, degrees WGS 84"`
}

// ReadByMunicipality returns all 14 municipalities by name, also those without a report.
func ReadByMunicipality(ctx context.Context, q database.Querier) ([]ByMunicipality, error) {
	const query = `SELECT m.name, m.code, ` + counts + `, m.latitude, m.longitude
		FROM municipalities m LEFT JOIN ` + current + ` c ON c.municipality_code = m.code
		GROUP BY m.code ORDER BY m.name`
	return read(ctx, q, "by municipality", func(m *ByMunicipality) []any {
		return append(append([]any{&m.Municipality, &m.Code}, m.fields()...), &m.Latitude, &m.Longitude)
	}, query)
}

// ByDistrict has the counts of one administrative post.
type ByDistrict struct {
	District     string `json:"district" example:"Cristo Rei"`
	Municipality string `json:"municipality" example:"Dili"`
	Counts
}

// ReadByDistrict returns the districts that have reports, of one municipality (code or name) or of all when it is empty.
func ReadByDistrict(ctx context.Context, q database.Querier, municipality string) ([]ByDistrict, error) {
	const query = `SELECT c.district, m.name, ` + counts + `
		FROM ` + current + ` c JOIN municipalities m ON m.code = c.municipality_code
		WHERE c.district <> '' AND ($1 = '' OR EXISTS (
		      SELECT 1 FROM unnest(m.aliases || ARRAY[m.code, m.name, m.name_tet, m.name_pt]) a WHERE fold_name(a) = fold_name($1)))
		GROUP BY 1, 2 HAVING sum(c.reports) > 0 ORDER BY 2, 1`
	return read(ctx, q, "by district", func(d *ByDistrict) []any {
		return append([]any{&d.District, &d.Municipality}, d.fields()...)
	}, query, municipality)
}

// read runs a query and scans each row into the fields that into returns.
func read[T any](ctx context.Context, q database.Querier, what string, into func(*T) []any, query string, args ...any) ([]T, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read statistics %s: %w", what, err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (T, error) {
		var v T
		err := row.Scan(into(&v)...)
		return v, err
	})
	if err != nil {
		return nil, fmt.Errorf("read statistics %s: %w", what, err)
	}
	return out, nil
}
