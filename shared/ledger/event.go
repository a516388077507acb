// Package ledger records the events of reports so that later changes can be detected. Every event is one canonical payload
// in an append-only table and contains the hash of the event before it. The anchor function writes it to a public ledger.
//
// Life of an event: Chain.Append writes it in the transaction of the change that it records; anchor submits it, alone or
// as a leaf of a Merkle tree; History and Verify read it and compare it with the mirror node.
package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
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

// Topic is one of the two topics of the public ledger. Config.TopicID has its id on the network.
type Topic string

// The topics.
const (
	Reports Topic = "reports" // what a report says
	Status  Topic = "status"  // what was decided about it, by people and by AI
)

// Topic is the topic on which events of the type are written.
func (t Type) Topic() Topic {
	if t == StatusMoved || t == AIValidated {
		return Status
	}
	return Reports
}

// Actor is who caused an event: a kind of actor, never a person.
type Actor struct {
	// Kind is citizen, ai, moderator, government_official, admin or system.
	Kind string
	// AgencyID is the official's agency; its code goes into the payload.
	AgencyID *uuid.UUID
}

// Assessment is the conclusion of the AI, or of a person who overrides it.
type Assessment struct {
	Relevant   bool    `json:"relevant"`
	Confidence float64 `json:"confidence"` // 0 to 1
	Severity   string  `json:"severity,omitempty"`
	DamageType string  `json:"damage_type,omitempty"`
	Model      string  `json:"model,omitempty"`
}

// State is the part of a report that an event records and that can change.
type State struct {
	IssueType, IssueTypeRaw, Severity, Status string
	Title, Description                        string
}

// Event is what the caller of Chain.Append says about a change. The chain adds the report's state and the event before.
type Event struct {
	Type  Type
	Actor Actor
	// At is when it happened.
	At time.Time
	// OldStatus is the status before a StatusMoved.
	OldStatus string
	// AI belongs to AIValidated.
	AI *Assessment
}

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
	if (e.Type == StatusMoved) != (e.OldStatus != "") {
		return errors.New("an old status belongs to a status change, and to nothing else")
	}
	if (e.Type == AIValidated) != (e.AI != nil) {
		return errors.New("an assessment belongs to an AI validation, and to nothing else")
	}
	if e.AI != nil && (math.IsNaN(e.AI.Confidence) || e.AI.Confidence < 0 || e.AI.Confidence > 1) {
		return errors.New("confidence is outside 0 to 1")
	}
	return nil
}

// Chain is what a transaction needs to append to a report's events: the report's state and the newest event.
type Chain struct {
	*snapshot
	late   database.Late // number of a report that gets it in this transaction
	seq    int           // of the newest event; 0 before the first
	hash   []byte        // of its payload; nil before the first event, and if the payload has a number that is not known yet
	salt   []byte        // nil before the first event, and once the report is erased
	agency *uuid.UUID
}

// NewReport is a report that a transaction creates, as its first event records it.
type NewReport struct {
	State
	ID                  uuid.UUID
	Number              database.Late
	Latitude, Longitude float64
	CapturedAt          *time.Time
	Images              [][]byte // SHA-256 of the processed public renditions, in order
}

// NewChain returns the chain of a report that the transaction creates. It has no event yet; nothing is read.
func NewChain(r NewReport) *Chain {
	return &Chain{late: r.Number, snapshot: &snapshot{State: r.State, id: r.ID, number: r.Number.Placeholder(),
		latitude: r.Latitude, longitude: r.Longitude, capturedAt: r.CapturedAt, images: r.Images}}
}

// AskChain locks the report's row, so that only one transaction appends at a time, and reads the chain. The pipeline fails
// with ErrNoReport if there is no such report. Agency is that of the actor, or nil.
func AskChain(p database.Pipeline, about report.About, agency *uuid.UUID) *database.Ask[*Chain] {
	state := database.AskRow(p, scanSnapshot, lockSnapshot, about.Args()...).Missing(ErrNoReport)
	// A separate statement: it sees what the previous holder of the lock has committed.
	const tail = `
SELECT coalesce(e.seq, 0), e.payload_hash, (SELECT salt FROM report_salts WHERE report_id = r.id AND seq = 1), coalesce((SELECT code FROM agencies WHERE id = $3), '')
FROM reports r LEFT JOIN LATERAL (SELECT seq, payload_hash FROM ledger_events WHERE report_id = r.id ORDER BY seq DESC LIMIT 1) e ON true
WHERE r.id = ` + report.IDSQL
	end := database.AskRow(p, pgx.RowToStructByPos[chainEnd], tail, about.Args(agency)...)
	return database.Derive(func() *Chain {
		e := end.Get()
		c := &Chain{snapshot: state.Get(), seq: e.Seq, hash: e.Hash, salt: e.Salt, agency: agency}
		c.snapshot.agency = e.Agency
		return c
	})
}

// chainEnd is the newest event of a chain.
type chainEnd struct {
	Seq    int    // of the newest event; 0 without one
	Hash   []byte // of its payload
	Salt   []byte
	Agency string // code of the agency asked for
}

// Append adds e to the chain in tx, the transaction of the change itself, and sends a message to the anchor worker after
// the commit. It returns the entry of the public log that the event becomes.
//
// The caller sets State to that after the change before it calls Append. Append reads nothing. The event is written in the
// round trip of the commit, after everything else: it gets its place in the log there. The commit fails with ErrHalted while
// no events may be written. Append fails if e is not valid, or not possible after the events before it.
func (c *Chain) Append(ctx context.Context, tx *outbox.Tx, e Event) (*NewEntry, error) {
	entry, err := c.append(tx, e)
	if err != nil {
		return nil, fmt.Errorf("append %s: %w", e.Type, err)
	}
	return entry, tx.Send(ctx, queue.Anchor, queue.AnchorMessage{EventID: entry.ID})
}

// tailKey is the key in database.Tx.Local of the newest event that the transaction has appended to a report's chain. It is
// not in the table before the commit, so a chain that is read again does not have it.
type tailKey struct{ report uuid.UUID }

type tail struct {
	seq  int
	hash []byte
	salt []byte
}

func (c *Chain) append(tx *outbox.Tx, e Event) (*NewEntry, error) {
	if t, ok := tx.Local()[tailKey{c.id}].(tail); ok && t.seq > c.seq {
		c.seq, c.hash, c.salt = t.seq, t.hash, t.salt
	}
	if err := c.check(e); err != nil {
		return nil, err
	}
	state := *c.snapshot
	if e.Actor.AgencyID == nil {
		state.agency = ""
	}
	if e.Type == Submitted {
		c.salt = newSalt(tx, c.id, e.At)
	}
	var hash []byte
	var err error
	if c.salt != nil {
		if hash, err = state.contentHash(c.salt); err != nil {
			return nil, err
		}
	}
	raw, err := encode(e, &state, c.seq+1, c.hash, hash)
	if err != nil {
		return nil, err
	}
	entry := &NewEntry{ID: database.NewID(), Seq: c.seq + 1, raw: raw, at: e.At.UTC().Format(payloadTime), late: c.late, salt: c.salt}
	c.insert(tx, entry, e)
	c.seq, c.hash = c.seq+1, nil
	if c.late.Known() {
		sum := sha256.Sum256(raw)
		c.hash = sum[:]
	}
	tx.Local()[tailKey{c.id}] = tail{c.seq, c.hash, c.salt}
	return entry, nil
}

// check reports why e cannot be appended to the chain; nil when it can.
func (c *Chain) check(e Event) error {
	if err := e.check(); err != nil {
		return err
	}
	if (e.Type == Submitted) != (c.seq == 0) {
		return fmt.Errorf("the report has %d events", c.seq)
	}
	if e.Actor.AgencyID != nil && (c.agency == nil || *c.agency != *e.Actor.AgencyID) {
		return errors.New("the chain was read for another agency")
	}
	if c.seq > 0 && c.hash == nil {
		return errors.New("the hash of the event before is known only after the commit")
	}
	return nil
}

// insert adds the statements that store e as entry, after the newest event.
func (c *Chain) insert(tx *outbox.Tx, entry *NewEntry, e Event) {
	const event = `
WITH place AS (` + nextPlace + `),
payload AS (SELECT convert_to(` + database.Filled + `, 'UTF8') AS bytes),
event AS (
  INSERT INTO ledger_events (id, report_id, seq, event_type, topic, payload, payload_hash, prev_hash, created_at, log_index)
  SELECT $4, $5, $6, $7, $8, bytes, sha256(bytes), $9, $10, log_index FROM payload, place
  RETURNING id, position, report_id, seq, topic, created_at),
anchor AS (INSERT INTO ledger_anchors (event_id, position, report_id, seq, topic, created_at) SELECT * FROM event)
SELECT log_index, receipts_vkey FROM place`
	args := c.late.Args(string(entry.raw), entry.ID, c.id, c.seq+1, e.Type, e.Type.Topic(), c.hash, e.At)
	entry.place = database.AskRow(tx.Last(), pgx.RowToStructByPos[logPlace], event, args...).Violated(haltedConstraint, ErrHalted)
	if c.seq > 0 { // a new report is queued from the start
		const show = `UPDATE reports SET blockchain_status = 'queued' WHERE id = $1 AND blockchain_status NOT IN ('queued', 'failed')`
		tx.Queue(show, c.id)
	}
}
