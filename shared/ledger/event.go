// Package ledger records the events of reports so that later changes can be detected. Every event is one canonical payload
// in an append-only table and contains the hash of the event before it. The anchor function writes it to a public ledger.
//
// Life of an event: Chain.Append writes it in the transaction of the change that it records; anchor submits it, alone or
// as a leaf of a Merkle tree; History and Verify read it and compare it with the mirror node.
package ledger

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/report"
)

// Type is the kind of an event.
type Type string

// The event types.
const (
	Submitted   Type = "REPORT_SUBMITTED" // always a report's first event, and only that
	StatusMoved Type = "STATUS_CHANGED"
	AIValidated Type = "AI_VALIDATED"
	Amended     Type = "CONTENT_AMENDED"
	Withdrawn   Type = "REPORT_WITHDRAWN"
	Hidden      Type = "CONTENT_HIDDEN"
	Erased      Type = "CONTENT_ERASED" // the words went with the account of whoever wrote them
	Commented   Type = "COMMENT_ADDED"
	Uncommented Type = "COMMENT_REMOVED"
	Assigned    Type = "ASSIGNED"
	Disputed    Type = "DISPUTED"
	// KeyChanged and Incident are about the log itself. An Incident may also be about one report.
	KeyChanged Type = "KEY_CHANGED"
	Incident   Type = "INCIDENT"
)

// Types lists all of them.
func Types() []Type {
	return []Type{Submitted, StatusMoved, AIValidated, Amended, Withdrawn, Hidden, Erased, Commented, Uncommented, Assigned, Disputed, KeyChanged, Incident}
}

// Actor is who caused an event: a kind of actor, never a person.
type Actor struct {
	// Kind is citizen, ai, moderator, government_official, admin or system.
	Kind string
	// AgencyID is the official's agency; its code goes into the payload.
	AgencyID *uuid.UUID
}

// Assessment is the conclusion of the AI, or of a person who overrides it. A payload has it once the report is not pending.
type Assessment struct {
	Relevant   bool    `json:"relevant"`
	Confidence float64 `json:"confidence"` // 0 to 1
	Severity   string  `json:"severity,omitempty"`
	DamageType string  `json:"damage_type,omitempty"`
	Model      string  `json:"model,omitempty"`
}

// Comment is a comment that an event vouches for. The payload has its id, and a salted hash of the rest.
type Comment struct {
	ID      uuid.UUID
	Author  uuid.UUID // a person, or an API key
	Content string
}

// Event is what the caller of Chain.Append says about a change. The chain adds the report's state and the event before.
type Event struct {
	Type  Type
	Actor Actor
	// At is when it happened; zero for the time of the transaction.
	At time.Time
	// OldStatus is the status before a StatusMoved or a Disputed.
	OldStatus string
	// AI belongs to AIValidated.
	AI *Assessment
	// Note is what the actor wrote about the change: the note in the report's status history, the reason of an override, a
	// withdrawal or an assignment. The payload has its salted hash.
	Note string
	// ReasonCode is why a report was rejected or removed, or why a part of it was hidden. A Hidden without one shows something
	// again, or redacts a picture that stays.
	ReasonCode string
	// Comment belongs to Commented.
	Comment *Comment
	// CommentSeq is the event that added the comment of an Uncommented; 0 for a comment of an earlier version.
	CommentSeq int
	// CommentID is the comment that was removed, where it is of an earlier version and CommentSeq is 0.
	CommentID uuid.UUID
	// AssignedTo is the person of an Assigned; nil where the agency alone is named. The payload has its salted hash.
	AssignedTo *uuid.UUID
	// Erased are the events whose salts go with an Erased, in order, at most MaxErased. 1 is the report itself.
	Erased []int
	// Baseline marks the Amended that vouches for what the events of an earlier version do not name.
	Baseline bool
	// RowsHash belongs to Baseline, and to an Erased that blanked rows of an earlier version: PriorRows.Hash.
	RowsHash string
	// OnBehalfOf belongs to Disputed: staff said so on the word of the person for whom they filed the report.
	OnBehalfOf bool
	// Detail belongs to Incident: what happened, for everybody to read. It is never about a person.
	Detail string
}

// MaxErased is the most events that one Erased names, so that its payload stays within MaxMessage.
const MaxErased = 12

// check validates e.
func (e *Event) check() error {
	switch e.Type {
	case Submitted, StatusMoved, AIValidated, Amended, Withdrawn, Hidden, Erased, Commented, Uncommented, Assigned, Disputed, Incident:
	default:
		return fmt.Errorf("event type %q is unknown", e.Type)
	}
	switch e.Actor.Kind {
	case "citizen", "ai", "moderator", "government_official", "admin", "system":
	default:
		return fmt.Errorf("actor kind %q is unknown", e.Actor.Kind)
	}
	if e.At.IsZero() || e.At.Year() > 9999 {
		return errors.New("event has no time")
	}
	if e.AI != nil && (math.IsNaN(e.AI.Confidence) || e.AI.Confidence < 0 || e.AI.Confidence > 1) {
		return errors.New("confidence is outside 0 to 1")
	}
	if len(e.Erased) > MaxErased {
		return fmt.Errorf("%d events are named as erased, at most %d may be", len(e.Erased), MaxErased)
	}
	return e.checkMembers()
}

// checkMembers reports a member that e must have and has not, or must not have and has.
func (e *Event) checkMembers() error {
	switch {
	case (e.Type == StatusMoved) != (e.OldStatus != "") && e.Type != Disputed:
		return errors.New("an old status belongs to a status change, and to nothing else")
	case e.Type == Disputed && e.OldStatus != string(report.Fixed):
		return errors.New("only what is fixed can be disputed")
	case e.OnBehalfOf && e.Type != Disputed:
		return errors.New("only a dispute is on behalf of somebody")
	case (e.Type == AIValidated) != (e.AI != nil):
		return errors.New("an assessment belongs to an AI validation, and to nothing else")
	case (e.Type == Commented) != (e.Comment != nil):
		return errors.New("a comment belongs to its event, and to nothing else")
	case e.CommentSeq != 0 && e.Type != Uncommented:
		return errors.New("the event of a comment belongs to its removal, and to nothing else")
	case (e.CommentID != uuid.Nil) != (e.Type == Uncommented && e.CommentSeq == 0):
		return errors.New("a removed comment is named by its event, or by its id")
	case e.AssignedTo != nil && e.Type != Assigned:
		return errors.New("a person belongs to an assignment, and to nothing else")
	case len(e.Erased) > 0 && e.Type != Erased:
		return errors.New("erased events belong to an erasure, and to nothing else")
	case e.Baseline && (e.Type != Amended || e.Note != "" || e.Actor.AgencyID != nil):
		return errors.New("a baseline is an amendment without a note, of no agency")
	case e.RowsHash != "" && !e.Baseline && e.Type != Erased:
		return errors.New("a hash of rows belongs to a baseline or an erasure")
	case (e.Type == Incident) != (e.Detail != ""):
		return errors.New("a detail belongs to an incident, and to nothing else")
	case e.Note != "" && e.Type == Submitted:
		return errors.New("a first event has no note")
	}
	return nil
}
