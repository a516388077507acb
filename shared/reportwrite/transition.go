package reportwrite

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/upload"
)

// Move asks for a change of status.
type Move struct {
	Report report.About
	To     report.Status
	By     report.Actor
	// Note is told to the reporter. It may not be empty if the rule of the move requires a note, or if Reason is
	// report.ReasonOther.
	Note string
	// Internal keeps the note for staff: it is in the history, and no notification has it.
	Internal bool
	// Reason is required for, and only used for, a move to Rejected. That of the AI is always report.ReasonIrrelevant.
	Reason report.ReasonCode
	// DuplicateOf names the original, for a move to Duplicate alone.
	DuplicateOf *report.About
	Expect      Expect
	// Renditions takes the pictures out of public reach of a report that is rejected or waits for a verdict again. Neither goes
	// without it.
	Renditions *upload.Renditions
	// Gathered is as in Assignment, where the move assigns the report.
	Gathered bool
}

// Transition locks a report and moves it as Locked.Move does, in two round trips with the commit. It also fails as Lock does.
func Transition(ctx context.Context, tx *outbox.Tx, m Move) (*Locked, error) {
	var locked *database.Ask[*Locked]
	if m.DuplicateOf == nil {
		locked = Lock(tx, m.Report)
	} else {
		locked = lockPair(tx, m.Report, *m.DuplicateOf, m.By)
	}
	locked = forActor(tx, m.Report, m.By, locked)
	if err := tx.Flush(ctx); err != nil {
		return nil, fmt.Errorf("lock report to move it: %w", err)
	}
	h := locked.Get()
	return h, h.Move(ctx, tx, m)
}

// Move moves a report that was locked for a change (LockForChange, Transition): it writes the status and what depends on
// it, a row of history, a ledger event and notifications. It reads nothing and queues what it writes.
//
// It fails
//   - with 412 or 409 "stale" if the report has changed since the client read it,
//   - with 409 "transition_not_allowed" if the rules do not have the move,
//   - with 403 "not_your_agency" as WorkableBy, 403 "second_factor_required" as report.Rule.NeedsSecondFactor, and 403
//     "transition_forbidden" if the rules do not allow the move to this actor,
//   - with 422 if a note, a reason, a picture of the repair or the original is missing, or the original cannot be used.
//
// A move by an official first assigns an unassigned report to the official's agency, as Assign does. A report that becomes verified
// is assigned by AutoAssign. One that a moderator or an administrator opens again gets a new deadline from now on.
//
// The errors about rules have the member "allowed".
func (h *Locked) Move(ctx context.Context, tx *outbox.Tx, m Move) error {
	m.Note = strings.TrimSpace(m.Note)
	if m.By.Kind == report.ActorAI {
		m.Reason = report.ReasonIrrelevant
	}
	if m.To != report.Rejected {
		m.Reason = ""
	}
	if err := m.check(h); err != nil {
		return err
	}
	if m.To == report.Duplicate {
		if err := h.checkOriginal(h.original, m.By); err != nil {
			return err
		}
	}
	if m.To == report.Rejected || m.To == report.Pending && h.Status != report.Rejected { // the pictures of a rejected one were moved then
		if m.Renditions == nil {
			return errors.New("a report is taken out of sight without access to its pictures")
		}
		m.Renditions.MoveOfReport(tx, h.ID, h.Status)
	}
	if err := h.takeOver(ctx, tx, m); err != nil {
		return err
	}
	from, lost := h.Status, h.open() && m.To == report.Rejected
	m.apply(tx, h)
	if err := m.record(ctx, tx, h, from); err != nil {
		return err
	}
	if lost {
		if err := h.tellLost(ctx, tx, h.AssignedAgency, m.By); err != nil {
			return err
		}
	}
	if err := h.hideFlagged(ctx, tx, m, from); err != nil {
		return err
	}
	return h.AutoAssign(ctx, tx, m.By.UserID, m.Gathered)
}

func (m Move) check(h *Locked) error {
	if err := m.Expect.Check(h); err != nil {
		return err
	}
	agency := h.agencyFor(m.By)
	allowed := report.Allowed(h.Status, m.By, agency)
	rule, ok := report.RuleFor(h.Status, m.To)
	switch {
	case !ok:
		return h.notAllowed(m.To, allowed)
	case h.WorkableBy(m.By) != nil:
		return ErrNotYourAgency.With("allowed", allowed)
	case rule.NeedsSecondFactor(m.By):
		return identity.ErrSecondFactor.With("allowed", allowed)
	case !rule.Includes(m.By, agency):
		return errTransitionForbidden.With("allowed", allowed).
			Param("from", string(h.Status)).Param("to", string(m.To))
	case rule.NoteRequired && m.Note == "":
		return problem.InvalidField("note", "required for this change of status")
	case rule.ProofRequired && h.proof.check(m.Note) != nil:
		return h.proof.check(m.Note)
	case m.To == report.Rejected && CheckReason(m.Reason, m.Note) != nil:
		return CheckReason(m.Reason, m.Note)
	case (m.To == report.Duplicate) != (m.DuplicateOf != nil):
		return problem.InvalidField("duplicate_of", "required for, and only for, the status duplicate")
	}
	return nil
}

// notAllowed is the 409 for a move that the rules do not have from the present status. allowed are the moves of whoever acts.
func (h *Locked) notAllowed(to report.Status, allowed []report.Status) error {
	return ErrTransitionNotAllowed.With("allowed", allowed).Param("from", string(h.Status)).Param("to", string(to))
}

// CheckReason is nil for a reason code with a note, if it needs one. Else it is a 422 that names the member.
func CheckReason(code report.ReasonCode, note string) error {
	switch {
	case code == "":
		return problem.InvalidField("reason_code", "required: why the report is rejected or removed")
	case code == report.ReasonOther && note == "":
		return problem.InvalidField("note", "required for the reason other")
	}
	return nil
}

// checkOriginal is nil for a report that h may be a duplicate of. Duplicates are one level deep: an original is not a
// duplicate itself, and a report that has duplicates cannot become one. An official may not name an original that is far
// away or has another type.
func (h *Locked) checkOriginal(original *Locked, by report.Actor) error {
	switch {
	case original == nil || original.removed.Final():
		return problem.InvalidField("duplicate_of", "no such report")
	case original.ID == h.ID:
		return problem.InvalidField("duplicate_of", "a report cannot be its own duplicate")
	case original.Status == report.Duplicate:
		return errOriginalIsDuplicate.With("duplicate_of", original.DuplicateOf)
	case original.Status == report.Rejected:
		return errOriginalIsRejected
	case h.hasDuplicates:
		return errHasDuplicates
	case by.Kind == report.ActorOfficial && (h.IssueType != original.IssueType || h.distance == nil || *h.distance > report.MaxOfficialDuplicate):
		return errDuplicateTooDifferent.Param("meters", strconv.Itoa(report.MaxOfficialDuplicate))
	}
	return nil
}

// apply changes the report's row, and the fields with it.
func (m Move) apply(tx *outbox.Tx, h *Locked) {
	const q = `
		UPDATE reports SET
			status           = $2,
			rejection_reason = CASE WHEN $2 = 'rejected' THEN nullif($3, '') END,
			reason_code      = CASE WHEN $2 = 'rejected' THEN $6 END,
			removed_at       = CASE WHEN $2 = 'rejected' THEN now() END,
			removed_by       = CASE WHEN $2 = 'rejected' THEN $7 END,
			duplicate_of     = $4,
			verified_at      = CASE WHEN $2 = 'verified' THEN coalesce(verified_at, now()) ELSE verified_at END,
			resolved_at      = CASE WHEN $2 = 'fixed' THEN now() END,
			-- a person has decided what the AI left open; the AI status rejected means that the AI found the report irrelevant
			ai_status        = CASE WHEN $5 AND ai_status IN ('needs_review', 'failed')
			                        THEN 'completed' ELSE ai_status END,
			due_at           = $8,
			overdue_told     = CASE WHEN due_at IS DISTINCT FROM $8 THEN 0 ELSE overdue_told END,
			-- flags hide nothing of what a moderator found good; work that ends or is handed back says nothing about the words
			moderated_at     = CASE WHEN status = 'pending' AND $2 = 'verified' AND $7 IN ('moderator', 'admin') THEN now() ELSE moderated_at END,
			version          = version + 1,
			updated_at       = now()
		WHERE id = $1`
	var original *uuid.UUID
	if m.To == report.Duplicate {
		original = &h.original.ID
	}
	if m.reopens(h) {
		if due := h.newDeadline(); due != nil {
			h.DueAt = due
		}
	}
	tx.Queue(q, h.ID, m.To, m.Note, original, m.By.Kind != report.ActorAI, m.Reason, m.By.Kind, h.DueAt)
	if m.To == report.Rejected {
		h.SettleAllFlags(tx, m.By)
	}
	if h.Status == report.Pending && m.To != report.Rejected && m.By.Kind != report.ActorAI {
		tx.Queue(report.JudgePicturesSQL, h.ID, h.versionNamed)
	}
	m.applyToPeople(tx, h, original)
	h.Status, h.DuplicateOf = m.To, original
	h.Version++
}

// takeOver assigns a report that nobody has to the agency of the official who moves it. A notification by mail tells the reporter of
// the move, so this one is in the app alone.
func (h *Locked) takeOver(ctx context.Context, tx *outbox.Tx, m Move) error {
	if h.AssignedAgency != nil || h.agencyFor(m.By) == nil {
		return nil
	}
	return h.assign(ctx, tx, Assignment{Agency: *h.taker, Gathered: m.Gathered, quiet: true}, m.By)
}

// reopens reports whether the move opens a report of an agency again, so that the agency has a new deadline. An official's move does
// not: it would excuse a deadline that has passed.
func (m Move) reopens(h *Locked) bool {
	return h.AssignedAgency != nil && m.By.Kind != report.ActorOfficial && (h.Status == report.Fixed && m.To == report.InProgress || m.To == report.Pending)
}

// applyToPeople updates the reporter's number of fixed reports, and who follows an original.
func (m Move) applyToPeople(tx *outbox.Tx, h *Locked, original *uuid.UUID) {
	if h.UserID == nil {
		return
	}
	const (
		count    = `UPDATE users SET fixed_reports_count = greatest(0, fixed_reports_count + $2) WHERE id = $1`
		follow   = `INSERT INTO report_followers (report_id, user_id, via_report) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`
		unfollow = `DELETE FROM report_followers WHERE via_report = $1`
	)
	switch {
	case m.To == report.Fixed:
		tx.Queue(count, h.UserID, 1)
	case h.Status == report.Fixed:
		tx.Queue(count, h.UserID, -1)
	case m.To == report.Duplicate:
		tx.Queue(follow, original, h.UserID, h.ID)
	case h.Status == report.Duplicate:
		tx.Queue(unfollow, h.ID)
	}
}

// Uphold keeps a rejected report rejected as irrelevant, and stores the reason of the person who reviewed it. The status
// does not change. A reporter who appealed is notified; a report can be appealed once, so this happens once.
func (h *Locked) Uphold(ctx context.Context, tx *outbox.Tx, reason string, appealed bool) error {
	tx.Queue(`UPDATE reports SET rejection_reason = $2, reason_code = $3 WHERE id = $1`, h.ID, reason, report.ReasonIrrelevant)
	if !appealed {
		return nil
	}
	params := reasonParams(h, report.ReasonIrrelevant, reason)
	params[notification.ParamVariant] = string(notification.Final)
	return h.tellReporter(ctx, tx, notification.ReportRejected, "upheld:"+h.ID.String(), params, nil)
}
