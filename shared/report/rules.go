package report

import (
	"slices"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/identity"
)

// ActorKind is the role in which somebody changes a report.
type ActorKind string

// The kinds of actor: the AI, and the roles of people.
const (
	ActorAI        ActorKind = "ai"
	ActorCitizen   ActorKind = "citizen"
	ActorModerator ActorKind = "moderator"
	ActorOfficial  ActorKind = "government_official"
	ActorAdmin     ActorKind = "admin"
)

// Actor is who changes a report.
type Actor struct {
	Kind     ActorKind
	UserID   *uuid.UUID // nil for AI
	AgencyID *uuid.UUID // of an official
}

// AI is the validate worker as an actor.
func AI() Actor { return Actor{Kind: ActorAI} }

// ActorOf is a signed-in person as an actor.
func ActorOf(c identity.Caller) Actor {
	return Actor{Kind: ActorKind(c.Role), UserID: &c.UserID, AgencyID: c.AgencyID}
}

// Rule says who may make a move from one status to another.
type Rule struct {
	kinds []ActorKind
	// assigned means that an official must also belong to the agency that the report is assigned to.
	assigned bool
	// NoteRequired is true where the move needs a note, such as the reason of a rejection.
	NoteRequired bool
}

// RuleFor says who may move a report from one status to another. It is false for a move that nobody may make.
func RuleFor(from, to Status) (Rule, bool) {
	staff := []ActorKind{ActorModerator, ActorOfficial, ActorAdmin}
	assigned := []ActorKind{ActorOfficial, ActorAdmin}
	moderation := []ActorKind{ActorModerator, ActorAdmin}
	switch from {
	case Pending:
		switch to {
		case Verified:
			return Rule{kinds: append(staff, ActorAI)}, true
		case Rejected:
			return Rule{kinds: append(staff, ActorAI), NoteRequired: true}, true
		case Duplicate:
			return Rule{kinds: staff}, true
		}
	case Verified:
		switch to {
		case Duplicate:
			return Rule{kinds: staff}, true
		case InProgress:
			return Rule{kinds: assigned, assigned: true}, true
		}
	case InProgress:
		switch to {
		case Fixed, Verified:
			return Rule{kinds: assigned, assigned: true, NoteRequired: true}, true
		}
	case Fixed:
		if to == InProgress {
			return Rule{kinds: assigned, assigned: true, NoteRequired: true}, true
		}
	case Rejected, Duplicate:
		if to == Pending {
			return Rule{kinds: moderation}, true
		}
	}
	return Rule{}, false
}

// Includes reports whether a may make the move of a report that is assigned to an agency; nil for none.
func (r Rule) Includes(a Actor, assignedAgency *uuid.UUID) bool {
	if !slices.Contains(r.kinds, a.Kind) {
		return false
	}
	if !r.assigned || a.Kind != ActorOfficial {
		return true
	}
	return a.AgencyID != nil && assignedAgency != nil && *a.AgencyID == *assignedAgency
}

// Allowed lists the statuses that a may move a report to, from the status from; nil for a report without an agency.
func Allowed(from Status, a Actor, assignedAgency *uuid.UUID) []Status {
	out := []Status{}
	for _, to := range Statuses() {
		if r, ok := RuleFor(from, to); ok && r.Includes(a, assignedAgency) {
			out = append(out, to)
		}
	}
	return out
}
