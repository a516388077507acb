package reportwrite

import (
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
)

// Problems of changes that more than one operation makes.
var (
	ErrPictureNotReady      = problem.New(problem.Conflict, "image_not_ready")
	ErrNotAssignable        = problem.New(problem.Conflict, "not_assignable")
	ErrNotAssigned          = problem.New(problem.Conflict, "not_assigned")
	ErrTransitionNotAllowed = problem.New(problem.Conflict, "transition_not_allowed")

	errStale                 = problem.New(problem.Conflict, "stale")
	errTransitionForbidden   = problem.New(problem.Forbidden, "transition_forbidden")
	errOriginalIsDuplicate   = problem.New(problem.Conflict, "original_is_duplicate")
	errOriginalIsRejected    = problem.New(problem.Conflict, "original_is_rejected")
	errHasDuplicates         = problem.New(problem.Conflict, "has_duplicates")
	errDuplicateTooDifferent = problem.New(problem.Forbidden, "duplicate_too_different")
	errDeadlineLater         = problem.New(problem.Forbidden, "deadline_later")
)

// Problems are those of every change of a report.
func Problems() []*problem.Error { return append(report.Problems(), ledger.ErrHalted) }

// TransitionProblems are those of a change of status, besides Problems.
func TransitionProblems() []*problem.Error {
	return append(OverrideProblems(), withAllowed(identity.ErrSecondFactor), withAllowed(ErrTransitionNotAllowed))
}

// OverrideProblems are those of the changes of status that a moderator may make from every status, besides Problems.
func OverrideProblems() []*problem.Error {
	return []*problem.Error{withAllowed(ErrNotYourAgency), withAllowed(errTransitionForbidden)}
}

func withAllowed(e *problem.Error) *problem.Error {
	return e.With("allowed", []report.Status{report.InProgress, report.Rejected})
}

// DuplicateProblems are those of marking a report as a duplicate, besides TransitionProblems.
func DuplicateProblems() []*problem.Error {
	return []*problem.Error{errOriginalIsDuplicate.With("duplicate_of", new(problem.ExampleID())), errOriginalIsRejected, errHasDuplicates, errDuplicateTooDifferent}
}

// AssignProblems are those of an assignment, besides Problems.
func AssignProblems() []*problem.Error {
	return []*problem.Error{ErrNotAssignable, ErrNotYourAgency, errDeadlineLater, ErrAgencyUnknown}
}
