package public

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
)

// maxRemovals is the largest total that the list of removals says, as in lists of reports.
const maxRemovals = 1_000

func (p *Public) registerRemovals(a *httpapi.API) {
	list := read("/api/v1/public/removals", "List what was taken down",
		fmt.Sprintf("The tombstones of reports that are rejected, withdrawn or removed, newest first. total is counted up to %d.", maxRemovals))
	list.Aliases = page.Aliases()
	httpapi.Register(a, list, p.removals)
}

type removalsInput struct {
	page.Query
	Status       string    `query:"status" doc:"rejected, withdrawn or removed; one or several, comma-separated" example:"removed"`
	Municipality string    `query:"municipality" doc:"Code or name, in any of its spellings" example:"Dili"`
	From         time.Time `query:"from" doc:"Taken down at this instant or later"`
	To           time.Time `query:"to" doc:"Taken down before this instant"`
}

type removalsOutput struct {
	Body page.Envelope[report.Tombstone]
}

// The index reports_removed_idx has the order and the first condition.
const (
	removalsWhere = ` FROM reports r WHERE ` + report.TakenDownSQL + `
		AND ($1::text[] IS NULL OR CASE WHEN r.deleted_at IS NULL THEN 'rejected' WHEN ` + report.RemovedBySQL + ` = 'reporter' THEN 'withdrawn' ELSE 'removed' END = ANY($1))
		AND ($2 = '' OR r.municipality_code = $2) AND ` + report.RemovedAtSQL + ` >= $3 AND ` + report.RemovedAtSQL + ` < $4`
	removalsQuery = `SELECT ` + report.TombstoneSQL + removalsWhere + ` ORDER BY ` + report.RemovedAtSQL + ` DESC, r.id DESC LIMIT $5 OFFSET $6`
	removalsCount = `SELECT count(*) FROM (SELECT ` + removalsWhere + ` ORDER BY ` + report.RemovedAtSQL + ` DESC, r.id DESC LIMIT $5) c`
)

func (p *Public) removals(ctx context.Context, in *removalsInput) (*removalsOutput, error) {
	var statuses []report.TombstoneStatus
	if in.Status != "" {
		var bad string
		if statuses, bad = report.ParseList(in.Status, report.ParseTombstoneStatus); bad != "" || len(statuses) == 0 {
			return nil, problem.InvalidField("status", "holds a word that is not in the list of values")
		}
	}
	code := ""
	if in.Municipality != "" {
		var ok bool
		var err error
		if code, ok, err = p.places.Code(ctx, in.Municipality); err != nil {
			return nil, err
		} else if !ok {
			return nil, problem.InvalidField("municipality", "no municipality goes by that name")
		}
	}
	to := in.To
	if to.IsZero() {
		to = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	batch := &database.Batch{}
	found := database.AskRows(batch, pgx.RowTo[report.Tombstone], removalsQuery, statuses, code, in.From, to, in.Limit()+1, in.Offset())
	total := database.AskRow(batch, pgx.RowTo[int], removalsCount, statuses, code, in.From, to, maxRemovals)
	if err := batch.Send(ctx, p.db); err != nil {
		return nil, fmt.Errorf("list removals: %w", err)
	}
	items := found.Get()
	more := len(items) > in.Limit()
	out := &removalsOutput{Body: page.NewEnvelope(in.Query, items[:min(len(items), in.Limit())], total.Get())}
	out.Body.HasNext = more
	return out, nil
}
