package report

import (
	"slices"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/identity"
)

// ActorKind is the role in which somebody changes a report.
type ActorKind string

// The kinds of actor: the AI, and the roles of people. System is another one.
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
	// SecondFactor reports that the person's session passed TOTP. Without it an administrator may do what a moderator may.
	SecondFactor bool
}

// AI is the validate worker as an actor.
func AI() Actor { return Actor{Kind: ActorAI} }

// System is the actor of what follows from a rule: a report that is assigned by itself. It changes no status, so the history has no
// such kind.
func System() Actor { return Actor{Kind: "system"} }

// ActorOf is a signed-in person as an actor.
func ActorOf(c identity.Caller) Actor {
	return Actor{Kind: ActorKind(c.Role), UserID: &c.UserID, AgencyID: c.AgencyID, SecondFactor: c.SecondFactor}
}

// AgencyCovers is the SQL condition that a report r lies where an agency g works and has one of its types. Officials see such
// reports in their queue while they are unassigned, and may take them. An agency without issue types works on everything.
const AgencyCovers = AgencyFits + `
	AND (g.issue_types = '{}' OR r.issue_type = ANY(g.issue_types))`

// ColleagueSQL is the SQL condition that the person w works for the agency of a report r. A report assigned to somebody who does not
// any more counts as assigned to nobody.
const ColleagueSQL = `w.role = 'government_official' AND w.agency_id = r.assigned_agency_id AND w.deleted_at IS NULL AND w.suspended_at IS NULL`

// AssigneeSQL is the person to whom a report r is assigned; NULL for nobody.
const AssigneeSQL = `(SELECT w.id FROM users w WHERE w.id = r.assigned_user_id AND ` + ColleagueSQL + `)`

// AgencyFits is the SQL condition that an agency g works at the place of a report r. An agency without municipalities works
// everywhere. Where an agency has an area, the place must lie in it. A report whose municipality is not known is at the place of an
// agency by its area alone, or of one that works everywhere.
const AgencyFits = `g.deleted_at IS NULL
	AND (g.municipality_codes = '{}' OR r.municipality_code = ANY(g.municipality_codes) OR r.municipality_code IS NULL AND g.area IS NOT NULL)
	AND (g.area IS NULL OR ST_Covers(g.area, r.position::geometry))`

// MaxOfficialDuplicate is the largest distance in metres between a report and its original where an official says that
// it is a duplicate.
const MaxOfficialDuplicate = 500

// Rule says who may make a move from one status to another.
type Rule struct {
	kinds []ActorKind
	// NoteRequired is true where the move needs a note.
	NoteRequired bool
	// ProofRequired is true where the move needs a note or a picture of the repair.
	ProofRequired bool
}

// RuleFor says who may move a report from one status to another. It is false for a move that nobody may make.
func RuleFor(from, to Status) (Rule, bool) {
	staff := []ActorKind{ActorModerator, ActorOfficial, ActorAdmin}
	work := []ActorKind{ActorOfficial, ActorAdmin}
	moderation := []ActorKind{ActorModerator, ActorAdmin}
	if to == Rejected && from != Rejected {
		if from == Pending {
			moderation = append(moderation, ActorAI)
		}
		return Rule{kinds: moderation}, true
	}
	switch from {
	case Pending:
		switch to {
		case Verified:
			return Rule{kinds: append(staff, ActorAI)}, true
		case Duplicate:
			return Rule{kinds: staff}, true
		}
	case Verified:
		switch to {
		case Duplicate:
			return Rule{kinds: staff}, true
		case InProgress:
			return Rule{kinds: work}, true
		}
	case InProgress:
		switch to {
		case Fixed:
			return Rule{kinds: work, ProofRequired: true}, true
		case Verified:
			return Rule{kinds: work, NoteRequired: true}, true
		}
	case Fixed:
		if to == InProgress {
			return Rule{kinds: work, NoteRequired: true}, true
		}
	case Rejected, Duplicate:
		if to == Pending {
			return Rule{kinds: moderation}, true
		}
	}
	return Rule{}, false
}

// Includes reports whether a may make the move. agency has the report, or gets it by the move; nil for none. An official
// moves only reports of their own agency.
func (r Rule) Includes(a Actor, agency *uuid.UUID) bool {
	return slices.Contains(r.kinds, a.Kind) && a.WorksFor(agency) && !r.NeedsSecondFactor(a)
}

// NeedsSecondFactor reports that a may make the move only after the second factor: an administrator's move that no moderator
// may make.
func (r Rule) NeedsSecondFactor(a Actor) bool {
	return a.Kind == ActorAdmin && !a.SecondFactor && !slices.Contains(r.kinds, ActorModerator) && slices.Contains(r.kinds, ActorAdmin)
}

// WorksFor is true for an official of the agency, and for everybody who is no official; nil is no agency.
func (a Actor) WorksFor(agency *uuid.UUID) bool {
	return a.Kind != ActorOfficial || a.AgencyID != nil && agency != nil && *a.AgencyID == *agency
}

// Allowed lists the statuses that a may move a report to, from the status from. agency is as in Rule.Includes.
func Allowed(from Status, a Actor, agency *uuid.UUID) []Status {
	out := []Status{}
	for _, to := range Statuses() {
		if r, ok := RuleFor(from, to); ok && r.Includes(a, agency) {
			out = append(out, to)
		}
	}
	return out
}
