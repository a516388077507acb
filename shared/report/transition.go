package report

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
)

// Move asks for a change of status.
type Move struct {
	ReportID uuid.UUID
	To       Status
	By       Actor
	// Note is shown to the reporter; where the rules demand one it may not be empty. Of a rejection it is the reason.
	Note string
	// DuplicateOf names the original, for a move to Duplicate alone.
	DuplicateOf *uuid.UUID
	Expect      Expect
}

// Moved is a change of status that happened.
type Moved struct {
	Held // as it was before; Version is the new one
	To   Status
}

// Transition makes a move in w's transaction: the status and what hangs on it,
// a row of history, an event for the ledger and notifications, or nothing.
//
// It fails with ErrNotFound; with 412 or 409 "stale" when the report has
// changed since; with 409 "transition_not_allowed" for a move the rules do not
// have, and 403 "transition_forbidden" for one they have but not for this actor
// (both with "allowed"); with 422 when a note or the original is missing or unfit.
func Transition(ctx context.Context, w *outbox.Work, m Move) (Moved, error) {
	want := []uuid.UUID{m.ReportID}
	if m.DuplicateOf != nil {
		want = append(want, *m.DuplicateOf)
	}
	held, err := holdAll(ctx, w, want...)
	if err != nil {
		return Moved{}, err
	}
	h, ok := find(held, m.ReportID)
	if !ok {
		return Moved{}, ErrNotFound
	}
	m.Note = strings.TrimSpace(m.Note)
	if err := m.check(h); err != nil {
		return Moved{}, err
	}
	var original Held
	if m.To == Duplicate {
		if original, err = m.original(ctx, w, held); err != nil {
			return Moved{}, err
		}
	}
	moved := Moved{Held: h, To: m.To}
	var at time.Time
	if moved.Version, at, err = m.apply(ctx, w, h); err != nil {
		return Moved{}, err
	}
	if err := m.record(ctx, w, h, original.Number, at); err != nil {
		return Moved{}, err
	}
	return moved, nil
}

func (m Move) check(h Held) error {
	if err := m.Expect.Check(h); err != nil {
		return err
	}
	allowed := Allowed(h.Status, m.By, h.AssignedAgency)
	w, ok := rule(h.Status, m.To)
	switch {
	case !ok:
		return problem.New(problem.Conflict, "transition_not_allowed").With("allowed", allowed).
			Param("from", string(h.Status)).Param("to", string(m.To))
	case !w.includes(m.By, h.AssignedAgency):
		return problem.New(problem.Forbidden, "transition_forbidden").With("allowed", allowed).
			Param("from", string(h.Status)).Param("to", string(m.To))
	case w.note && m.Note == "":
		return problem.InvalidField("note", "required for this change of status")
	case (m.To == Duplicate) != (m.DuplicateOf != nil):
		return problem.InvalidField("duplicate_of", "required for, and only for, the status duplicate")
	}
	return nil
}

// original is the report m names as such. It keeps duplicates one level deep: an original is no duplicate
// itself, and a report others are duplicates of cannot become one.
func (m Move) original(ctx context.Context, w *outbox.Work, held []Held) (Held, error) {
	original, ok := find(held, *m.DuplicateOf)
	switch {
	case *m.DuplicateOf == m.ReportID:
		return Held{}, problem.InvalidField("duplicate_of", "a report cannot be its own duplicate")
	case !ok:
		return Held{}, problem.InvalidField("duplicate_of", "no such report")
	case original.Status == Duplicate:
		return Held{}, problem.New(problem.Conflict, "original_is_duplicate").With("duplicate_of", original.DuplicateOf)
	case original.Status == Rejected:
		return Held{}, problem.New(problem.Conflict, "original_is_rejected")
	}
	var has bool
	const q = `SELECT EXISTS (SELECT FROM reports WHERE duplicate_of = $1)`
	if err := w.QueryRow(ctx, q, m.ReportID).Scan(&has); err != nil {
		return Held{}, fmt.Errorf("look for duplicates: %w", err)
	}
	if has {
		return Held{}, problem.New(problem.Conflict, "has_duplicates")
	}
	return original, nil
}

func (m Move) apply(ctx context.Context, w *outbox.Work, h Held) (int, time.Time, error) {
	const q = `
		UPDATE reports SET
			status           = $2,
			rejection_reason = CASE WHEN $2 = 'rejected' THEN $3 END,
			duplicate_of     = $4,
			verified_at      = CASE WHEN $2 = 'verified' THEN coalesce(verified_at, now()) ELSE verified_at END,
			resolved_at      = CASE WHEN $2 = 'fixed' THEN now() END,
			-- a person has decided what the AI left open
			ai_status        = CASE WHEN $5 AND ai_status IN ('needs_review', 'failed')
			                        THEN CASE WHEN $2 = 'rejected' THEN 'rejected' ELSE 'completed' END ELSE ai_status END,
			version          = version + 1,
			updated_at       = now()
		WHERE id = $1 RETURNING version, now()`
	var version int
	var at time.Time
	err := w.QueryRow(ctx, q, h.ID, m.To, m.Note, m.DuplicateOf, m.By.Kind != ActorAI).Scan(&version, &at)
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("move report to %s: %w", m.To, err)
	}
	m.applyToPeople(w, h)
	return version, at, nil
}

// applyToPeople keeps what a status means for people: how many of their reports
// were fixed, and who follows an original.
func (m Move) applyToPeople(w *outbox.Work, h Held) {
	if h.UserID == nil {
		return
	}
	const (
		count    = `UPDATE users SET fixed_reports_count = greatest(0, fixed_reports_count + $2) WHERE id = $1`
		follow   = `INSERT INTO report_followers (report_id, user_id, via_report) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`
		unfollow = `DELETE FROM report_followers WHERE via_report = $1`
	)
	switch {
	case m.To == Fixed:
		w.Later(count, h.UserID, 1)
	case h.Status == Fixed:
		w.Later(count, h.UserID, -1)
	case m.To == Duplicate:
		w.Later(follow, m.DuplicateOf, h.UserID, h.ID)
	case h.Status == Duplicate:
		w.Later(unfollow, h.ID)
	}
}
