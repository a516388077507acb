package reportread

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/problem"
)

// Changes is one part of the feed of changes.
type Changes struct {
	_       struct{}     `schema:"ReportChanges"`
	Items   []Summary    `json:"items" doc:"Reports as they are now, in the order of their changes. One may come again unchanged"`
	Gone    []GoneReport `json:"gone" doc:"Reports that the caller no longer sees, or never saw"`
	Next    string       `json:"next" doc:"Opaque; send it as since of the next request. The same as since where nothing changed"`
	HasMore bool         `json:"has_more" doc:"Ask again at once"`
}

// GoneReport is a report that went out of a viewer's sight.
type GoneReport struct {
	ID           uuid.UUID  `json:"id"`
	ReportNumber string     `json:"report_number" example:"LS-2026-000123"`
	Reason       GoneReason `json:"reason" enum:"withdrawn,rejected,removed"`
}

// GoneReason is why a report is gone.
type GoneReason string

// The reasons: by its reporter, or by an administrator; a rejected report is gone for everybody but its reporter and staff.
const (
	GoneWithdrawn GoneReason = "withdrawn"
	GoneRejected  GoneReason = "rejected"
	GoneRemoved   GoneReason = "removed"
)

// ChangesQuery asks for a part of the feed.
type ChangesQuery struct {
	Since string // Next of the answer before; empty for the beginning
	Mine  bool   // only the viewer's own reports
	Limit int    // reports in one part
}

var ErrSinceUnknown = problem.New(problem.Gone, "since_unknown")

// Changes returns what changed after a position, for a viewer who is signed in.
//
// A reader first walks all reports that it may see, by id, then follows report_changes in the order (xid, report_id). xid is
// the transaction of a report's newest change. The walk remembers the newest change, when it began, of those older than
// every transaction that still ran; following starts after it. A part ends before the oldest transaction that still runs
// now, so a change that began early and is committed late has a place that no reader has passed. A transaction that only
// reads, such as a backup, delays nothing. One that writes delays the feed until it ends: statements of the functions end
// after 20 seconds, those of an operator do not.
//
// It fails with 410 "since_unknown" for a position of another database or another viewer, and with 422 for text that is
// no position. It takes one round trip.
func (r *Reader) Changes(ctx context.Context, v Viewer, q ChangesQuery) (Changes, error) {
	from, err := parsePosition(q.Since)
	if err != nil {
		return Changes{}, err
	}
	batch := &database.Batch{}
	batch.Queue(useIndexes)
	// A statement of its own before the other one, so the walk sees every change up to this one. It names the newest change and
	// not the oldest transaction, so that the answer stays the same while nothing changes.
	const present = `SELECT report_change_epoch(), coalesce((SELECT c.xid::text FROM report_changes c
		WHERE c.xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY c.xid DESC LIMIT 1), '0')`
	here := database.AskRow(batch, pgx.RowToStructByPos[feedState], present)
	sql, args := changesSQL(v, q, from)
	rows := database.AskRows(batch, scanChanged, sql, args...)
	if err := batch.Send(ctx, r.db); err != nil {
		return Changes{}, fmt.Errorf("read changes: %w", err)
	}
	stamp := stampOf(here.Get().Epoch, v, q.Mine)
	if q.Since == "" {
		from.stamp, from.xid = stamp, here.Get().Newest
	}
	if from.stamp != stamp {
		return Changes{}, ErrSinceUnknown
	}
	return r.part(ctx, v, q, from, rows.Get())
}

// feedState is where the database is.
type feedState struct {
	Epoch  string
	Newest string // transaction of the newest change that is older than every transaction that still runs; "0" for none
}

// changedRow is a report of the feed.
type changedRow struct {
	*summaryRow
	xid string // of its newest change; "" in the walk
}

func scanChanged(row pgx.CollectableRow) (changedRow, error) {
	c := changedRow{summaryRow: &summaryRow{}}
	return c, row.Scan(append(c.targets(), &c.xid)...)
}

// changesSQL reads the reports after a position, and one more than the limit, with its arguments. While following, it
// reads nothing at or above the oldest transaction that still runs.
func changesSQL(v Viewer, q ChangesQuery, from position) (string, []any) {
	var w where
	if !from.following {
		v.visible(&w, "")
		w.and("r.id > ?", from.id)
		if q.Mine {
			w.and("r.user_id = ?", v.userID)
		}
		sql := `WITH page AS (SELECT r.id FROM reports r WHERE ` + w.sql() + w.bind(` ORDER BY r.id LIMIT ?`, q.Limit+1) + `)
			SELECT ` + summaryColumns + v.following(&w) + `, '' FROM page JOIN reports r ON r.id = page.id` + summaryJoins + ` ORDER BY r.id`
		return sql, w.args
	}
	w.and("(c.xid, c.report_id) > (?::text::xid8, ?)", from.xid, from.id)
	w.and("c.xid < pg_snapshot_xmin(pg_current_snapshot())")
	if q.Mine {
		w.and("c.user_id = ?", v.userID)
	}
	sql := `WITH page AS (SELECT c.xid, c.report_id FROM report_changes c WHERE ` + w.sql() + w.bind(` ORDER BY c.xid, c.report_id LIMIT ?`, q.Limit+1) + `)
		SELECT ` + summaryColumns + v.following(&w) + `, page.xid::text FROM page JOIN reports r ON r.id = page.report_id` + summaryJoins + `
		ORDER BY page.xid, page.report_id`
	return sql, w.args
}

// part makes the answer out of the rows after from.
func (r *Reader) part(ctx context.Context, v Viewer, q ChangesQuery, from position, rows []changedRow) (Changes, error) {
	out := Changes{Items: []Summary{}, Gone: []GoneReport{}, HasMore: len(rows) > q.Limit}
	rows = rows[:min(len(rows), q.Limit)]
	for _, row := range rows {
		if reason := row.gone(v); reason != "" {
			out.Gone = append(out.Gone, GoneReport{ID: row.ID, ReportNumber: row.ReportNumber, Reason: reason})
			continue
		}
		item, err := r.present(ctx, v, row.summaryRow)
		if err != nil {
			return Changes{}, fmt.Errorf("read changes: %w", err)
		}
		out.Items = append(out.Items, item)
	}
	next := from
	switch {
	case from.following && len(rows) > 0:
		next.xid, next.id = rows[len(rows)-1].xid, rows[len(rows)-1].ID
	case !from.following && out.HasMore:
		next.id = rows[len(rows)-1].ID
	case !from.following: // the walk is over; what changed meanwhile comes next
		next.following, next.id = true, uuid.Max
		out.HasMore = q.Since != ""
	}
	out.Next = next.String()
	return out, nil
}

// gone is why the viewer does not see the report; empty where the viewer does.
func (c changedRow) gone(v Viewer) GoneReason {
	if c.Removed == nil || !c.Removed.Final() && v.KnowsAuthor(c.author) {
		return ""
	}
	return GoneReason(c.Removed.Status)
}
