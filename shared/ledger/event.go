// Package ledger makes what happens to a report provable: every event is one
// canonical payload in an append-only table, chained to the event before it,
// and written to a public ledger by the anchor function.
//
// Life of an event: Append writes it in the transaction of the change it
// records; anchor submits it, alone or as a leaf of a Merkle tree; History and
// Verify read it back beside what the mirror node says.
package ledger

import (
	"time"

	"github.com/google/uuid"
)

// Type is what happened.
type Type string

// The event types.
const (
	Submitted   Type = "REPORT_SUBMITTED" // always a report's first event, and only that
	StatusMoved Type = "STATUS_CHANGED"
	AIValidated Type = "AI_VALIDATED"
	Amended     Type = "CONTENT_AMENDED"
	Withdrawn   Type = "REPORT_WITHDRAWN"
)

// Topic is one of the two topics, by its role; the network's id of it is configuration.
type Topic string

// The topics.
const (
	Reports Topic = "reports" // what a report says
	Status  Topic = "status"  // what was decided about it, by people and by AI
)

// Topic is where events of the type are written.
func (t Type) Topic() Topic {
	if t == StatusMoved || t == AIValidated {
		return Status
	}
	return Reports
}

// Actor is who caused an event, as a class and never as a person.
type Actor struct {
	// Kind is citizen, ai, moderator, government_official, admin or system.
	Kind string
	// AgencyID is the official's agency; its code goes into the payload.
	AgencyID *uuid.UUID
}

// Assessment is what AI concluded.
type Assessment struct {
	Relevant   bool    `json:"relevant"`
	Confidence float64 `json:"confidence"` // 0 to 1
	Severity   string  `json:"severity,omitempty"`
	DamageType string  `json:"damage_type,omitempty"`
	Model      string  `json:"model,omitempty"`
}

// State is what of a report its events vouch for and changes.
type State struct {
	IssueType, IssueTypeRaw, Severity, Status string
	Title, Description                        string
}

// Event is what a caller of Append says about a change. The rest of the payload is the report's state and its place in
// the chain.
type Event struct {
	ReportID uuid.UUID // may be left out where a Chain knows it
	Type     Type
	Actor    Actor
	// At is when it happened.
	At time.Time
	// OldStatus is the status before a StatusMoved.
	OldStatus string
	// AI belongs to AIValidated.
	AI *Assessment

	id uuid.UUID // once it is appended
}
