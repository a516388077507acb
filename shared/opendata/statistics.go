package opendata

import (
	"context"
	"fmt"

	"github.com/lafaekstreet/backend/shared/database"
)

// Zone is the time zone of days, weeks and months.
const Zone = "Asia/Dili"

// current has the totals and the changes that Fold has not yet added to them.
const current = `(SELECT * FROM report_totals UNION ALL SELECT * FROM report_total_changes)`

// Counts has the counts of one group of reports.
type Counts struct {
	Total            int      `json:"total"`
	Pending          int      `json:"pending"`
	Verified         int      `json:"verified"`
	InProgress       int      `json:"in_progress"`
	Fixed            int      `json:"fixed"`
	Rejected         int      `json:"rejected"`
	Duplicate        int      `json:"duplicate"`
	AvgSeverityScore *float64 `json:"avg_severity_score" doc:"1 to 10, average of the reports that have a score; null when none has" example:"5.4"`
}

// counts are the columns of Counts, for current under the name c.
const counts = `
	coalesce(sum(c.reports), 0),
	coalesce(sum(c.reports) FILTER (WHERE c.status = 'pending'), 0),
	coalesce(sum(c.reports) FILTER (WHERE c.status = 'verified'), 0),
	coalesce(sum(c.reports) FILTER (WHERE c.status = 'in_progress'), 0),
	coalesce(sum(c.reports) FILTER (WHERE c.status = 'fixed'), 0),
	coalesce(sum(c.reports) FILTER (WHERE c.status = 'rejected'), 0),
	coalesce(sum(c.reports) FILTER (WHERE c.status = 'duplicate'), 0),
	round(sum(c.score_sum) / nullif(sum(c.scored), 0), 2)::float8`

func (c *Counts) fields() []any {
	return []any{&c.Total, &c.Pending, &c.Verified, &c.InProgress, &c.Fixed, &c.Rejected, &c.Duplicate, &c.AvgSeverityScore}
}

// Fold adds the stored changes to the totals and the map cells. Figures stay the same; reading them costs less. The relay
// function calls it.
func Fold(ctx context.Context, q database.Querier) error {
	if _, err := q.Exec(ctx, `SELECT fold_report_totals(), fold_account_totals(), fold_map_cells()`); err != nil {
		return fmt.Errorf("fold statistics: %w", err)
	}
	return nil
}
