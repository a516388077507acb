package reportwrite

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/report"
)

// The actions of the audit log about assignments.
const (
	assignAction   = "report.assign"
	handBackAction = "report.hand_back"
)

// Assignment is who gets a report, and until when.
type Assignment struct {
	Agency Agency
	User   *uuid.UUID // one of its officials; nil for nobody in particular
	Due    *time.Time // nil: assignedDeadline
	Note   string     // for staff
	Why    *Why       // nil where a person chose the agency
	// Gathered: the caller tells the agency about several reports at once (TellGathered).
	Gathered bool

	cause *uuid.UUID // of a rule: whose act led to it; they are told nothing
	quiet bool       // the reporter and the followers see it in the app alone
}

// gatherAfter is how long what an agency is told waits where several reports are assigned in one request. The caller sends one
// message about all of them before. If it cannot, each report is told by itself.
const gatherAfter = time.Minute

// Assign assigns a locked report, writes its ledger event and audit entry, and tells the reporter, the followers and the agency.
// The reporter and the followers are told only of a new agency. An assignment that changes nothing writes only its note. It fails with 409 "not_assignable" where the report is not open. It
// reads nothing and queues what it writes. The report must have been locked for a change.
func (h *Locked) Assign(ctx context.Context, tx *outbox.Tx, a Assignment, by report.Actor) error {
	if !h.open() {
		return h.notAssignable()
	}
	return h.assign(ctx, tx, a, by)
}

// assign is Assign of a report in any status.
func (h *Locked) assign(ctx context.Context, tx *outbox.Tx, a Assignment, by report.Actor) error {
	due := a.Due
	if due == nil {
		due = h.assignedDeadline(a.Agency.ID, by)
	}
	if h.assignedAs(a, due) {
		h.addNoteOnce(tx, by, a.Note)
		return nil
	}
	note := h.addNote(tx, by, a.Note)
	was := *h
	h.writeAssignment(tx, &a.Agency.ID, a.User, due)
	h.Event(tx, ledger.Event{Type: ledger.Assigned, AssignedTo: a.User, Note: a.Note}, by)
	if err := h.tellAssigned(ctx, tx, a, note, by, !same(was.AssignedAgency, &a.Agency.ID)); err != nil {
		return err
	}
	if !same(was.AssignedAgency, &a.Agency.ID) {
		if err := h.tellLost(ctx, tx, was.AssignedAgency, by); err != nil {
			return err
		}
	}
	after := map[string]any{"agency_id": a.Agency.ID, "user_id": a.User, "due_at": due}
	if a.Why != nil {
		after["why"] = a.Why
	}
	return audit.Record(ctx, tx, audit.Entry{Action: assignAction, Entity: "report", EntityID: h.ID.String(),
		Before: map[string]any{"agency_id": was.AssignedAgency, "user_id": was.AssignedUser, "due_at": was.DueAt}, After: after})
}

// open reports whether somebody works on the report, or will.
func (h *Locked) open() bool {
	return h.Status == report.Pending || h.Status == report.Verified || h.Status == report.InProgress
}

func (h *Locked) notAssignable() error {
	return ErrNotAssignable.Param("status", string(h.Status))
}

// assignedAs reports whether the report is assigned like this already.
func (h *Locked) assignedAs(a Assignment, due *time.Time) bool {
	return h.AssignedAgency != nil && *h.AssignedAgency == a.Agency.ID && h.pausedAt == nil && same(h.AssignedUser, a.User) &&
		h.DueAt != nil && due != nil && h.DueAt.Equal(*due)
}

func same(a, b *uuid.UUID) bool { return (a == nil) == (b == nil) && (a == nil || *a == *b) }

// writeAssignment changes the row, and the fields with it. A new agency or a new deadline is told of anew when it is over.
func (h *Locked) writeAssignment(tx *outbox.Tx, agency, user *uuid.UUID, due *time.Time) {
	const q = `UPDATE reports SET assigned_at = CASE WHEN assigned_agency_id IS DISTINCT FROM $2 THEN now() ELSE assigned_at END,
		overdue_told = CASE WHEN (assigned_agency_id, due_at) IS DISTINCT FROM ($2::uuid, $4::timestamptz) THEN 0 ELSE overdue_told END,
		assigned_agency_id = $2, assigned_user_id = $3, due_at = $4, due_paused_at = NULL, version = version + 1, updated_at = now() WHERE id = $1`
	tx.Queue(q, h.ID, agency, user, due)
	h.AssignedAgency, h.AssignedUser, h.DueAt, h.pausedAt = agency, user, due, nil
	h.Version++
}

// addNote adds a note for staff and returns its row; nil for none.
func (h *Locked) addNote(tx *outbox.Tx, by report.Actor, text string) *uuid.UUID {
	if text == "" || by.UserID == nil {
		return nil
	}
	id := database.NewID()
	tx.Queue(`INSERT INTO report_notes (id, report_id, author_id, content) VALUES ($1, $2, $3, $4)`, id, h.ID, by.UserID, text)
	return &id
}

// addNoteOnce adds the note of a request that changes nothing else, unless its author has written the same on the report before: the
// request may be a repeat.
func (h *Locked) addNoteOnce(tx *outbox.Tx, by report.Actor, text string) {
	if text == "" || by.UserID == nil {
		return
	}
	const q = `INSERT INTO report_notes (id, report_id, author_id, content) SELECT $1, $2, $3, $4
		WHERE NOT EXISTS (SELECT FROM report_notes WHERE report_id = $2 AND author_id = $3 AND content = $4)`
	tx.Queue(q, database.NewID(), h.ID, by.UserID, text)
}

// tellAssigned tells the agency that it has the report and, where it is another one than before, the reporter and the followers.
// What a rule assigned they see in the app alone: a mail has just told of the verification.
func (h *Locked) tellAssigned(ctx context.Context, tx *outbox.Tx, a Assignment, note *uuid.UUID, by report.Actor, another bool) error {
	key := fmt.Sprintf("assigned:%s:%d", h.ID, h.Version)
	actor := by.UserID
	if actor == nil {
		actor = a.cause
	}
	if another {
		params := notification.AgencyParams(a.Agency.Name, a.Agency.NameTet, a.Agency.NamePt)
		params[notification.ParamReportNumber] = h.Number
		n := notification.New{Type: notification.ReportAssigned, EventKey: key, Params: params, Quiet: a.quiet || by.UserID == nil}
		if err := h.notify(ctx, tx, n, actorsOf(actor)...); err != nil {
			return err
		}
	}
	wait := time.Duration(0)
	if a.Gathered {
		wait = gatherAfter
	}
	h.told = &queue.StaffNotice{Event: queue.ReportsAssigned, AgencyID: a.Agency.ID, Except: actor,
		Items: []queue.StaffItem{{ReportID: h.ID, Key: key, UserID: a.User, NoteID: note}}}
	return tellStaff(ctx, tx, *h.told, wait)
}

// tellStaff asks notify to tell staff after the commit.
func tellStaff(ctx context.Context, tx *outbox.Tx, n queue.StaffNotice, wait time.Duration) error {
	return tx.SendAfter(ctx, queue.Notify, queue.NotifyMessage{Staff: &n}, wait)
}

// AutoAssign assigns a verified report that nobody has to the agency that fits it best, where the setting auto_assign is on. It
// does nothing where no agency fits, or where the report was handed back and waits for a person. While its municipality is not known
// yet, an agency is chosen by its area alone; the geocode worker asks again. An agency that has handed the report back does not get
// it. cause is whose act led to it; nil for none.
func (h *Locked) AutoAssign(ctx context.Context, tx *outbox.Tx, cause *uuid.UUID, gathered bool) error {
	if h.plan == nil || !h.plan.settings.AutoAssign || h.Status != report.Verified || h.AssignedAgency != nil || h.pausedAt != nil {
		return nil
	}
	candidates := slices.DeleteFunc(h.notReturned(h.plan.agencies), func(a Agency) bool { return !h.placed && a.area == nil })
	best, why := narrowest(candidates, h.IssueType)
	if best == nil {
		return nil
	}
	return h.Assign(ctx, tx, Assignment{Agency: *best, Why: why, Gathered: gathered, cause: cause}, report.System())
}

// HandBack takes a report off its agency. An in_progress report becomes verified again. The deadline waits until the report is
// assigned again. The note is for staff: the moderators are told it, and the agency that whoever acts suggests; nil for none. The
// reporter and the followers are told that another agency is looked for; by mail only where somebody was at work.
func (h *Locked) HandBack(ctx context.Context, tx *outbox.Tx, note string, suggested *uuid.UUID, by report.Actor) error {
	if !h.open() || h.AssignedAgency == nil {
		return h.notAssignable()
	}
	was := *h
	if h.Status == report.InProgress {
		m := Move{To: report.Verified, By: by}
		m.apply(tx, h)
		if _, err := m.write(ctx, tx, h, report.InProgress); err != nil {
			return err
		}
	}
	const q = `UPDATE reports SET assigned_agency_id = NULL, assigned_user_id = NULL, assigned_at = NULL,
		due_paused_at = now(), version = version + 1, updated_at = now() WHERE id = $1`
	tx.Queue(q, h.ID)
	h.AssignedAgency, h.AssignedUser, h.pausedAt = nil, nil, &h.At
	h.Version++
	h.Event(tx, ledger.Event{Type: ledger.Assigned, Note: note}, by)
	key := fmt.Sprintf("handed_back:%s:%d", h.ID, h.Version)
	n := notification.New{Type: notification.ReportAssigned, EventKey: key, Quiet: was.Status != report.InProgress,
		Params: map[string]string{notification.ParamReportNumber: h.Number, notification.ParamVariant: string(notification.HandedBack)}}
	if err := h.notify(ctx, tx, n, actorsOf(by.UserID)...); err != nil {
		return err
	}
	item := queue.StaffItem{ReportID: h.ID, Key: key, NoteID: h.addNote(tx, by, note), SuggestedID: suggested}
	if err := tellStaff(ctx, tx, queue.StaffNotice{Event: queue.ReportHandedBack, AgencyID: *was.AssignedAgency, Items: []queue.StaffItem{item}, Except: by.UserID}, 0); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Entry{Action: handBackAction, Entity: "report", EntityID: h.ID.String(),
		Before: map[string]any{"agency_id": was.AssignedAgency, "user_id": was.AssignedUser, "status": was.Status},
		After:  map[string]any{"agency_id": nil, "status": h.Status, "suggested_agency_id": suggested}})
}
