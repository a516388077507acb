package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/report"
)

// Chain is what a transaction needs to append to a report's events: the report's state and the newest event.
type Chain struct {
	*snapshot
	late   database.Late // number of a report that gets it in this transaction
	seq    int           // of the newest event; 0 before the first
	hash   []byte        // of its payload; nil before the first event, and if the payload has a number that is not known yet
	salt   []byte        // of the report; nil before the first event, and once the report is erased
	agency *uuid.UUID
	now    time.Time // of the transaction
}

// NewReport is a report that a transaction creates, as its first event records it.
type NewReport struct {
	State
	ID     uuid.UUID
	Number database.Late
}

// NewChain returns the chain of a report that the transaction creates. It has no event yet; nothing is read.
func NewChain(r NewReport) *Chain {
	return &Chain{late: r.Number, snapshot: &snapshot{State: r.State, id: r.ID, number: r.Number.Placeholder()}}
}

// chainEnd is the newest event of a chain.
type chainEnd struct {
	Seq    int    // of the newest event; 0 without one
	Hash   []byte // of its payload
	Salt   []byte
	Agency string // code of the agency asked for
	Now    time.Time
}

// AskChain locks the report's row, so that only one transaction appends at a time, and reads the chain. The pipeline fails
// with ErrNoReport if there is no such report. Agency is that of the actor, or nil.
func AskChain(p database.Pipeline, about report.About, agency *uuid.UUID) *database.Ask[*Chain] {
	p.Queue(`SELECT FROM reports r WHERE r.id = `+report.IDSQL+` FOR NO KEY UPDATE`, about.Args()...)
	// Separate statements: they see what the previous holder of the lock has committed.
	state := database.AskRow(p, scanSnapshot, selectSnapshot, about.Args()...).Missing(ErrNoReport)
	const tail = `
SELECT coalesce(e.seq, 0), e.payload_hash, (SELECT salt FROM report_salts WHERE report_id = r.id AND seq = 1), coalesce((SELECT code FROM agencies WHERE id = $3), ''), now()
FROM reports r LEFT JOIN LATERAL (SELECT seq, payload_hash FROM ledger_events WHERE report_id = r.id ORDER BY seq DESC LIMIT 1) e ON true WHERE r.id = ` + report.IDSQL
	end := database.AskRow(p, pgx.RowToStructByPos[chainEnd], tail, about.Args(agency)...)
	return database.Derive(func() *Chain {
		e := end.Get()
		c := &Chain{snapshot: state.Get(), seq: e.Seq, hash: e.Hash, salt: e.Salt, agency: agency, now: e.Now}
		c.actorAgency = e.Agency
		return c
	})
}

// Append adds e to the chain in tx, the transaction of the change itself, and sends a message to the anchor worker after
// the commit. It returns the entry of the public log that the event becomes.
//
// The chain must have been read after the change: an event records the state of the report that it leaves behind. Append
// reads nothing. The event is written in the round trip of the commit, after everything else: it gets its place in the log
// there. The commit fails with ErrHalted while no events may be written. Append fails if e is not valid, or not possible
// after the events before it.
func (c *Chain) Append(ctx context.Context, tx *outbox.Tx, e Event) (*NewEntry, error) {
	entry, err := c.append(tx, e)
	if err != nil {
		return nil, fmt.Errorf("append %s: %w", e.Type, err)
	}
	if e.Baseline {
		return entry, nil // there can be a million of them; the round that relay begins publishes all at once
	}
	return entry, tx.Send(ctx, queue.Anchor, queue.AnchorMessage{EventID: entry.ID})
}

// Amend appends an event of the system to the report's chain: what the public sees of it has changed, and nobody did it. It
// takes one round trip, together with the statements that are queued.
func Amend(ctx context.Context, tx *outbox.Tx, id uuid.UUID) error {
	chain := AskChain(tx, report.AboutID(id), nil)
	if err := tx.Flush(ctx); err != nil {
		return fmt.Errorf("read report for its event: %w", err)
	}
	_, err := chain.Get().Append(ctx, tx, Event{Type: Amended, Actor: Actor{Kind: "system"}})
	return err
}

// tailKey is the key in database.Tx.Local of the newest event that the transaction has appended to a chain. It is not in
// the table before the commit, so a chain that is read again does not have it.
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
	if e.At.IsZero() {
		e.At = c.now
	}
	if err := c.check(e); err != nil {
		return nil, err
	}
	entry := &NewEntry{ID: database.NewID(), Seq: c.seq + 1, late: c.late}
	if e.salted() {
		entry.salt = newSalt(tx, c.id, entry.Seq, e.At)
	}
	if e.Type == Submitted {
		c.salt = entry.salt
	}
	entry.ofReport = c.salt
	var err error
	if entry.raw, err = c.payload(e, entry.salt); err != nil {
		return nil, err
	}
	c.insert(tx, entry, e)
	c.emit(tx, e)
	c.seq, c.hash = entry.Seq, nil
	if c.late.Known() {
		sum := sha256.Sum256(entry.raw)
		c.hash = sum[:]
	}
	tx.Local()[tailKey{c.id}] = tail{c.seq, c.hash, c.salt}
	return entry, nil
}

// payload is the payload of the next event.
func (c *Chain) payload(e Event, salt []byte) ([]byte, error) {
	made, err := e.commitments(salt)
	if err != nil {
		return nil, err
	}
	if c.salt != nil {
		if made.content, err = c.contentHash(c.salt); err != nil {
			return nil, err
		}
		if e.Type == AIValidated && e.Note == "" || e.Baseline { // a person's has its note, and no other words
			if made.analysis, err = c.analysisHash(c.salt); err != nil {
				return nil, err
			}
		}
	}
	return encode(e, c.snapshot, c.seq+1, c.hash, made)
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
  INSERT INTO ledger_events (id, report_id, seq, event_type, payload, payload_hash, prev_hash, created_at, log_index)
  SELECT $4, $5, $6, $7, bytes, sha256(bytes), $8, $9, log_index FROM payload, place)
SELECT log_index, receipts_vkey FROM place`
	args := c.late.Args(string(entry.raw), entry.ID, c.id, entry.Seq, e.Type, c.hash, e.At)
	entry.place = database.AskRow(tx.Last(), pgx.RowToStructByPos[logPlace], event, args...).Violated(haltedConstraint, ErrHalted)
	if c.seq > 0 && !e.Baseline { // a new report is queued from the start; a baseline changes nothing that is shown
		ShowQueued(tx, c.id)
	}
}

// ShowQueued says on a report that it has an event which is not on the ledger yet. Append does so too: call it to have an
// answer say so that is read in the transaction before Append is called.
func ShowQueued(p database.Pipeline, report uuid.UUID) {
	p.Queue(`UPDATE reports SET blockchain_status = 'queued' WHERE id = $1 AND blockchain_status NOT IN ('queued', 'failed')`, report)
}
