package report

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Near is a report and how far it is.
type Near struct {
	Summary
	DistanceMeters float64 `json:"distance_meters" doc:"Along the ground"`
}

// NearPage is the reports around a point.
type NearPage struct {
	Items []Near `json:"items"`
	Total int    `json:"total" doc:"Within the radius; counted up to 10,000"`
}

// Around asks for the reports within a radius of a point.
type Around struct {
	Latitude, Longitude float64 // degrees WGS 84
	Meters              float64
	Limit               int
	Status, IssueType   string // as in Query
}

// Near lists the reports v may see around a point, nearest first. Distances are
// geodesic, so neither the antimeridian nor a pole is an edge.
func (r *Reader) Near(ctx context.Context, v Viewer, a Around, scopes ...Scope) (NearPage, error) {
	var w where
	v.visible(&w)
	for _, s := range scopes {
		w.and(s.condition, s.args...)
	}
	q := Query{Status: a.Status, IssueType: a.IssueType}
	if err := q.filter(ctx, r.municipalities, &w); err != nil {
		return NearPage{}, err
	}
	const point = "ST_SetSRID(ST_MakePoint(?, ?), 4326)::geography"
	w.and("ST_DWithin(r.position, "+point+", ?)", a.Longitude, a.Latitude, a.Meters)
	count := `SELECT count(*) FROM (SELECT FROM reports r WHERE ` + w.sql() + fmt.Sprintf(` LIMIT %d) c`, maxCounted)
	countArgs := len(w.args)
	here := w.bind(point, a.Longitude, a.Latitude)
	// The index finds the nearest ones; their order is then by exact distance.
	inner := `SELECT r.*, ST_Distance(r.position, ` + here + `) AS meters FROM reports r WHERE ` + w.sql() +
		` ORDER BY r.position <-> ` + here + fmt.Sprintf(` LIMIT %d`, a.Limit)
	list := `SELECT ` + summaryColumns + `, r.meters FROM (` + inner + `) r` + summaryJoins + ` ORDER BY r.meters, r.id`

	batch := &pgx.Batch{}
	var total int
	var rows []*summaryRow
	var meters []float64
	batch.Queue(list, w.args...).Query(func(found pgx.Rows) error {
		var err error
		rows, meters, err = collectMeasured(found)
		return err
	})
	batch.Queue(count, w.args[:countArgs]...).QueryRow(func(row pgx.Row) error { return row.Scan(&total) })
	if err := r.db.SendBatch(ctx, batch).Close(); err != nil {
		return NearPage{}, fmt.Errorf("list reports nearby: %w", err)
	}
	items, err := r.presentAll(ctx, v, rows)
	if err != nil {
		return NearPage{}, fmt.Errorf("list reports nearby: %w", err)
	}
	out := NearPage{Items: make([]Near, len(items)), Total: total}
	for i := range items {
		out.Items[i] = Near{Summary: items[i], DistanceMeters: meters[i]}
	}
	return out, nil
}

// collectMeasured scans rows of summaryColumns and a number.
func collectMeasured(found pgx.Rows) ([]*summaryRow, []float64, error) {
	var numbers []float64
	rows, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (*summaryRow, error) {
		s := &summaryRow{}
		var number float64
		if err := row.Scan(append(s.targets(), &number)...); err != nil {
			return nil, err
		}
		numbers = append(numbers, number)
		return s, nil
	})
	return rows, numbers, err
}

// Summaries are the reports with the given ids that v may see, in that order.
func (r *Reader) Summaries(ctx context.Context, v Viewer, ids []uuid.UUID, scopes ...Scope) ([]Summary, error) {
	var w where
	v.visible(&w)
	for _, s := range scopes {
		w.and(s.condition, s.args...)
	}
	order := w.bind("array_position(?::uuid[], r.id)", ids)
	w.and("r.id = ANY(?)", ids)
	q := `SELECT ` + summaryColumns + ` FROM reports r` + summaryJoins + ` WHERE ` + w.sql() + ` ORDER BY ` + order
	found, err := r.db.Query(ctx, q, w.args...)
	if err != nil {
		return nil, fmt.Errorf("read summaries: %w", err)
	}
	rows, err := pgx.CollectRows(found, scanSummary)
	if err != nil {
		return nil, fmt.Errorf("read summaries: %w", err)
	}
	return r.presentAll(ctx, v, rows)
}
