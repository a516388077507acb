package report

import (
	"slices"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/identity"
)

// ActorKind is in which capacity somebody acts on a report.
type ActorKind string

// The kinds of actor. Beyond AI they are the roles.
const (
	ActorAI        ActorKind = "ai"
	ActorCitizen   ActorKind = "citizen"
	ActorModerator ActorKind = "moderator"
	ActorOfficial  ActorKind = "government_official"
	ActorAdmin     ActorKind = "admin"
)

// Actor is who acts.
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

// who is the set of actors a move is open to.
type who struct {
	kinds []ActorKind
	// assigned further demands of an official to be of the agency the report is assigned to.
	assigned bool
	// note is mandatory: a rejection's reason, the account of a fix or a reopening.
	note bool
}

// rule is the contract's table of moves (section 4); false for a move that
// nobody may make.
func rule(from, to Status) (who, bool) {
	staff := []ActorKind{ActorModerator, ActorOfficial, ActorAdmin}
	assigned := []ActorKind{ActorOfficial, ActorAdmin}
	moderation := []ActorKind{ActorModerator, ActorAdmin}
	switch from {
	case Pending:
		switch to {
		case Verified:
			return who{kinds: append(staff, ActorAI)}, true
		case Rejected:
			return who{kinds: append(staff, ActorAI), note: true}, true
		case Duplicate:
			return who{kinds: staff}, true
		}
	case Verified:
		switch to {
		case Duplicate:
			return who{kinds: staff}, true
		case InProgress:
			return who{kinds: assigned, assigned: true}, true
		}
	case InProgress:
		switch to {
		case Fixed, Verified:
			return who{kinds: assigned, assigned: true, note: true}, true
		}
	case Fixed:
		if to == InProgress {
			return who{kinds: assigned, assigned: true, note: true}, true
		}
	case Rejected, Duplicate:
		if to == Pending {
			return who{kinds: moderation}, true
		}
	}
	return who{}, false
}

func (w who) includes(a Actor, assignedAgency *uuid.UUID) bool {
	if !slices.Contains(w.kinds, a.Kind) {
		return false
	}
	if !w.assigned || a.Kind != ActorOfficial {
		return true
	}
	return a.AgencyID != nil && assignedAgency != nil && *a.AgencyID == *assignedAgency
}

// Allowed lists the statuses a may move a report to that stands at from and is
// assigned to the given agency.
func Allowed(from Status, a Actor, assignedAgency *uuid.UUID) []Status {
	out := []Status{}
	for _, to := range Statuses() {
		if w, ok := rule(from, to); ok && w.includes(a, assignedAgency) {
			out = append(out, to)
		}
	}
	return out
}
