package reportread

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/report"
)

// Update is a change of a report as everybody may read it: a move of a report that everybody sees, or the end of one that was taken
// down. Of the latter there is this one alone, without words.
type Update struct {
	ID      string         // the same each time
	Number  string         // of the report
	To      *report.Status // nil where the report was taken down
	Note    *string
	Picture *uuid.UUID // of the repair, where the report was fixed
	At      time.Time
	Removed *report.Tombstone // nil for a move
}

// movesQuery reads moves in the order of report_status_history_moves_idx. The row of a report's creation has no old status.
const movesQuery = `SELECT h.id::text AS id, r.report_number, h.new_status, ` + publicNoteSQL + ` AS note,
		CASE WHEN h.new_status = 'fixed' THEN (SELECT ri.id` + publicPhotosSQL + ` AND ri.kind = 'resolution' AND ri.created_at <= h.created_at ORDER BY ri.created_at DESC, ri.id DESC LIMIT 1) END AS picture,
		h.created_at AS at, NULL::jsonb AS tombstone
	FROM report_status_history h JOIN reports r ON r.id = h.report_id
	WHERE h.old_status IS NOT NULL AND h.created_at >= $1 AND h.created_at < $2 AND r.deleted_at IS NULL AND r.status <> 'rejected'
	ORDER BY h.created_at, h.id LIMIT $3`

// endsQuery reads what was taken down in the order of reports_removed_idx. The id of a rejection is that of its move, so that it
// stays when the report is restored.
const endsQuery = `SELECT coalesce(CASE WHEN r.deleted_at IS NULL THEN (SELECT h.id::text FROM report_status_history h
			WHERE h.report_id = r.id AND h.new_status = 'rejected' ORDER BY h.created_at DESC, h.id DESC LIMIT 1) END, r.id || '-removed') AS id,
		r.report_number, NULL, NULL, NULL::uuid, ` + report.RemovedAtSQL + ` AS at, ` + report.TombstoneSQL + `
	FROM reports r WHERE ` + report.TakenDownSQL + ` AND ` + report.RemovedAtSQL + ` >= $1 AND ` + report.RemovedAtSQL + ` < $2
	ORDER BY ` + report.RemovedAtSQL + `, r.id LIMIT $3`

// updatesQuery reads a page of both, oldest first.
const updatesQuery = `SELECT * FROM ((` + movesQuery + `) UNION ALL (` + endsQuery + `)) u ORDER BY u.at, u.id LIMIT $4 OFFSET $5`

// Updates returns a page of the updates from an instant on and before another, oldest first, and whether there are more.
func (r *Reader) Updates(ctx context.Context, from, to time.Time, q page.Query) ([]Update, bool, error) {
	most := q.Limit() + 1
	batch := &database.Batch{}
	batch.Queue(usePlaces) // a plan for this time and this page
	found := database.AskRows(batch, pgx.RowToStructByPos[Update], updatesQuery, from, to, q.Offset()+most, most, q.Offset())
	if err := batch.Send(ctx, r.db); err != nil {
		return nil, false, fmt.Errorf("list updates: %w", err)
	}
	all := found.Get()
	return all[:min(len(all), q.Limit())], len(all) > q.Limit(), nil
}
