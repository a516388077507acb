package reportwrite

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/report"
)

// Dispute says that a report which is marked as fixed is not.
type Dispute struct {
	ID uuid.UUID
	// By is who says so: a citizen, also where the person is staff elsewhere; staff where OnBehalfOf is true.
	By report.Actor
	// OnBehalfOf: staff say so on the word of the person for whom they filed the report.
	OnBehalfOf bool
	// FixedAt is when the report was marked as fixed.
	FixedAt time.Time
	// Note becomes a comment; "" for none. Name is that of its author.
	Note, Name string
	// Image is a picture of the report that was added in the transaction; nil for none.
	Image *uuid.UUID
	// Due is the new deadline of its agency.
	Due time.Time
}

// Dispute moves a fixed report back to in_progress: its agency has it again, with a new deadline. It writes the note as a
// comment, the row of the dispute, status, history and event, and notifies the reporter, the followers and the agency. It checks
// nothing but the status, reads nothing and queues what it writes.
func (h *Locked) Dispute(ctx context.Context, tx *outbox.Tx, d Dispute) error {
	if h.Status != report.Fixed {
		return h.notAllowed(report.InProgress, report.Allowed(h.Status, d.By, h.AssignedAgency))
	}
	var comment *uuid.UUID
	if d.Note != "" {
		id := h.Comment(tx, d.Note, d.By)
		comment = &id
	}
	const move = `UPDATE reports SET status = 'in_progress', resolved_at = NULL, disputed_at = now(), due_at = $2, due_paused_at = NULL,
		overdue_told = 0, version = version + 1, updated_at = now() WHERE id = $1`
	tx.Queue(move, h.ID, d.Due)
	Move{To: report.InProgress, By: d.By}.applyToPeople(tx, h, nil)
	h.Status, h.DueAt, h.pausedAt = report.InProgress, &d.Due, nil
	h.Version++
	from := report.Fixed
	seq := h.Event(tx, ledger.Event{Type: ledger.Disputed, OldStatus: string(from), OnBehalfOf: d.OnBehalfOf}, d.By)
	step := History(tx, h.ID, &from, report.InProgress, d.By, "", seq)
	const row = `INSERT INTO report_disputes (id, report_id, user_id, fixed_at, on_behalf_of, comment_id, image_id, seq) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	tx.Queue(row, d.ID, h.ID, d.By.UserID, d.FixedAt, d.OnBehalfOf, comment, d.Image, seq)
	if err := audit.Record(ctx, tx, audit.Entry{Action: "report.dispute", Entity: "report", EntityID: h.ID.String(),
		Before: map[string]any{"status": from}, After: map[string]any{"status": h.Status, "agency_id": h.AssignedAgency, "due_at": d.Due, "on_behalf_of": d.OnBehalfOf}}); err != nil {
		return err
	}
	if comment != nil { // its words are told as a comment alone, so that hiding and erasure reach them
		if err := h.TellComment(ctx, tx, CommentNotice{ID: *comment, Author: *d.By.UserID, Name: d.Name, Content: d.Note, Quiet: true}); err != nil {
			return err
		}
	}
	params := map[string]string{notification.ParamReportNumber: h.Number, notification.ParamStatus: string(h.Status)}
	if err := h.Notify(ctx, tx, notification.ReportDisputed, "status:"+step.String(), params, actorsOf(d.By.UserID)...); err != nil || h.AssignedAgency == nil {
		return err
	}
	item := queue.StaffItem{ReportID: h.ID, Key: "disputed:" + step.String(), UserID: h.AssignedUser}
	return tellStaff(ctx, tx, queue.StaffNotice{Event: queue.ReportsDisputed, AgencyID: *h.AssignedAgency, Items: []queue.StaffItem{item}, Except: d.By.UserID}, 0)
}
