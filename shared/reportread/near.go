package reportread

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
)

// Near is a report and its distance from a point.
type Near struct {
	_ struct{} `schema:"ReportNear"`
	Summary
	DistanceMeters float64 `json:"distance_meters" doc:"Along the ground"`
}

// NearPage is the reports around a point.
type NearPage struct {
	_     struct{} `schema:"ReportNearPage"`
	Items []Near   `json:"items"`
	Total int      `json:"total" doc:"Within the radius; counted up to 1,000"`
}

// Around asks for the reports within a radius of a point.
type Around struct {
	Latitude, Longitude float64 // degrees WGS 84
	Meters              float64
	Limit               int
	Status, IssueType   string // as in Query
}

// Near lists the reports that v may see around a point, nearest first. Distances are geodesic, so areas across the
// antimeridian and at the poles work like others.
func (r *Reader) Near(ctx context.Context, v Viewer, a Around, scopes ...Scope) (NearPage, error) {
	var w where
	v.visible(&w, a.Status)
	for _, s := range scopes {
		s.limit(&w)
	}
	q, by := Filters{Status: a.Status, IssueType: a.IssueType}, v.geometry()
	if err := q.filter(ctx, r.municipalities, v, by, &w); err != nil {
		return NearPage{}, err
	}
	const point = "ST_SetSRID(ST_MakePoint(?, ?), 4326)::geography"
	here := w.bind(point, a.Longitude, a.Latitude)
	radius := w.bind("?", a.Meters)
	bounds := w.bind("ST_GeogFromText(?)", circle{a.Longitude, a.Latitude, a.Meters}.bounds())
	meters := by.meters(here)
	near := `near AS MATERIALIZED (` + by.nearest(w.sql(), bounds, here, maxCounted) + `)`
	total, settings := fmt.Sprintf(`least(count(*) OVER (), %d)`, maxCounted), useIndexes
	if a.Status != "" || a.IssueType != "" {
		around := w.bind("ST_GeogFromText(?)", circle{a.Longitude, a.Latitude, a.Meters + by.margin}.bounds())
		// Few reports may match, far apart. So the query first counts the matches up to maxCounted, as in page.
		near = `hits AS MATERIALIZED (SELECT r.id, ` + meters + ` AS meters FROM reports r WHERE ` + w.sql() + ` AND r.position && ` + around + ` AND ` + meters + ` <= ` + radius +
			fmt.Sprintf(` LIMIT %d), total AS MATERIALIZED (SELECT count(*) AS n FROM hits), near AS (
				SELECT id, meters FROM hits WHERE (SELECT n FROM total) <= %d UNION ALL (`, maxCounted+1, maxCounted) +
			by.nearest(fmt.Sprintf(`(SELECT n FROM total) > %d AND `, maxCounted)+w.sql(), bounds, here, a.Limit) + `))`
		total, settings = fmt.Sprintf(`(SELECT least(n, %d) FROM total)`, maxCounted), usePlaces
	}
	list := `WITH ` + near + `,
		within AS (SELECT id, meters, ` + total + ` AS n FROM near WHERE meters <= ` + radius + fmt.Sprintf(` ORDER BY meters, id LIMIT %d`, a.Limit) + `)
		SELECT ` + summaryColumns + v.following(&w) + `, r.meters, r.n FROM (SELECT r.*, w.meters, w.n FROM within w JOIN reports r ON r.id = w.id) r` +
		summaryJoins + ` ORDER BY r.meters, r.id`

	batch := &database.Batch{}
	batch.Queue(settings)
	found := database.AskRows(batch, func(row pgx.CollectableRow) (nearRow, error) {
		n := nearRow{summary: &summaryRow{}}
		err := row.Scan(append(n.summary.targets(), &n.meters, &n.total)...)
		return n, err
	}, list, w.args...)
	if err := batch.Send(ctx, r.db); err != nil {
		return NearPage{}, fmt.Errorf("list reports nearby: %w", err)
	}
	out := NearPage{Items: make([]Near, len(found.Get()))}
	rows := make([]*summaryRow, len(out.Items))
	for i, n := range found.Get() {
		rows[i], out.Items[i].DistanceMeters, out.Total = n.summary, n.meters, n.total
	}
	items, err := r.presentAll(ctx, v, rows)
	if err != nil {
		return NearPage{}, fmt.Errorf("list reports nearby: %w", err)
	}
	for i := range items {
		out.Items[i].Summary = items[i]
	}
	return out, nil
}

// meters is SQL for the distance of report r from the point here, both geography.
func (by geometry) meters(here string) string {
	return "ST_Distance(" + by.position + ", " + here + ")"
}

// nearest is SQL for the ids and the distances in metres of reports r within bounds that meet the conditions: those nearest to the point here, at most limit.
// For viewers who see shown places these are at most limit with a verdict and as many without, which have an index of their own. The rows are in no
// order: the caller sorts them by distance. && finds what ST_DWithin would, and the planner can estimate the number of reports.
func (by geometry) nearest(conditions, bounds, here string, limit int) string {
	ordered := func(status, position string) string {
		return `SELECT r.id, ` + by.meters(here) + ` AS meters FROM reports r WHERE ` + status + conditions + ` AND ` + position + ` && ` + bounds +
			` ORDER BY ` + position + ` <-> ` + here + fmt.Sprintf(` LIMIT %d`, limit)
	}
	if by.exact {
		return ordered("", "r.position")
	}
	return `(` + ordered("r.status <> 'pending' AND ", "r.position") + `) UNION ALL (` + ordered("r.status = 'pending' AND ", pendingPositionSQL) + `)`
}

// pendingPositionSQL is the place that others are shown of pending reports r: the expression of reports_pending_position_idx.
const pendingPositionSQL = `(ST_SetSRID(ST_MakePoint(round(r.longitude * 1000) / 1000, round(r.latitude * 1000) / 1000), 4326)::geography)`

// nearRow is a report, its distance in metres, and how many are within the radius.
type nearRow struct {
	summary *summaryRow
	meters  float64
	total   int
}

// Summaries are the reports with the given ids that v may see, in that order.
func (r *Reader) Summaries(ctx context.Context, v Viewer, ids []uuid.UUID, scopes ...Scope) ([]Summary, error) {
	var w where
	v.visible(&w, "")
	for _, s := range scopes {
		s.limit(&w)
	}
	order := w.bind("array_position(?::uuid[], r.id)", ids)
	w.and("r.id = ANY(?)", ids)
	q := `SELECT ` + summaryColumns + v.following(&w) + ` FROM reports r` + summaryJoins + ` WHERE ` + w.sql() + ` ORDER BY ` + order
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
