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

// Chain is a report's events as a transaction holds them: the state they vouch for, and where the next one goes.
type Chain struct {
	*snapshot
	late   database.Late // the report's number, for a report that gets it in this transaction
	seq    int           // of the newest event; 0 before the first
	hash   []byte        // of that; nil where it contains a number that is not known yet
	salt   []byte        // nil before the first event, and once the report is erased
	agency *uuid.UUID
}

// NewReport is a report that a transaction creates, as its first event vouches for it.
type NewReport struct {
	State
	ID                  uuid.UUID
	Number              database.Late
	Latitude, Longitude float64
	CapturedAt          *time.Time
	Images              [][]byte // SHA-256 of the processed public renditions, in order
}

// NewChain is the chain of a report that the transaction creates: it has no event yet, and nothing is read.
func NewChain(r NewReport) *Chain {
	return &Chain{late: r.Number, snapshot: &snapshot{State: r.State, id: r.ID, number: r.Number.Placeholder(),
		latitude: r.Latitude, longitude: r.Longitude, capturedAt: r.CapturedAt, images: r.Images}}
}

// AskChain takes a report's row lock, so that its events form one chain, and reads the chain. The pipeline fails with
// ErrNoReport when there is no such report. Agency is the actor's, if any.
func AskChain(p database.Pipeline, about report.About, agency *uuid.UUID) *database.Ask[*Chain] {
	state := database.AskRow(p, scanSnapshot, lockSnapshot, about.Args()...).Missing(ErrNoReport)
	// A statement of its own: it sees what the holder of the lock before us has committed.
	const tail = `
SELECT coalesce(e.seq, 0), e.payload_hash, (SELECT salt FROM report_salts WHERE report_id = r.id), coalesce((SELECT code FROM agencies WHERE id = $3), '')
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

// chainEnd is where a chain ends.
type chainEnd struct {
	Seq    int    // of the newest event; 0 without one
	Hash   []byte // of its payload
	Salt   []byte
	Agency string // code of the agency asked for
}

// Append records e, about the chain's report, in w, the unit of work of the change itself, and wakes the anchor worker
// once w has committed. It returns the event's id.
//
// State is what the change makes of the report: the caller keeps it. Nothing is read; the event is written with the
// next round trip of w. It fails on an event that is not well formed.
func (c *Chain) Append(ctx context.Context, tx *outbox.Tx, e Event) (uuid.UUID, error) {
	e.ReportID = c.id
	if err := c.append(tx, &e); err != nil {
		return uuid.Nil, fmt.Errorf("append %s: %w", e.Type, err)
	}
	return e.id, tx.Send(ctx, queue.Anchor, queue.AnchorMessage{EventID: e.id})
}

func (c *Chain) append(tx *outbox.Tx, e *Event) error {
	if err := e.check(); err != nil {
		return err
	}
	if (e.Type == Submitted) != (c.seq == 0) {
		return fmt.Errorf("the report has %d events", c.seq)
	}
	state := *c.snapshot
	switch {
	case e.Actor.AgencyID == nil:
		state.agency = ""
	case c.agency == nil || *c.agency != *e.Actor.AgencyID:
		return errors.New("the chain was read for another agency")
	}
	if c.seq > 0 && c.hash == nil {
		return errors.New("the hash of the event before is known only after the commit")
	}
	if e.Type == Submitted {
		c.salt = newSalt(tx, c.id, e.At)
	}
	var hash []byte
	var err error
	if c.salt != nil {
		if hash, err = state.contentHash(c.salt); err != nil {
			return err
		}
	}
	raw, err := encode(*e, &state, c.seq+1, c.hash, hash)
	if err != nil {
		return err
	}
	e.id = database.NewID()
	c.insert(tx, *e, raw)
	c.seq, c.hash = c.seq+1, nil
	if c.late.Known() {
		sum := sha256.Sum256(raw)
		c.hash = sum[:]
	}
	return nil
}

// Append is Chain.Append for whoever has changed a report without holding its chain: the payload is the report's state
// as w sees it. What it reads takes one round trip. It fails with ErrNoReport on an unknown report.
func Append(ctx context.Context, tx *outbox.Tx, e Event) (uuid.UUID, error) {
	c := AskChain(tx, report.AboutID(e.ReportID), e.Actor.AgencyID)
	if err := tx.Flush(ctx); err != nil {
		return uuid.Nil, fmt.Errorf("append %s: %w", e.Type, err)
	}
	return c.Get().Append(ctx, tx, e)
}

// insert writes the event e with the payload raw behind the newest one.
func (c *Chain) insert(p database.Pipeline, e Event, raw []byte) {
	const event = `
WITH payload AS (SELECT convert_to(` + database.Filled + `, 'UTF8') AS bytes),
event AS (
  INSERT INTO ledger_events (id, report_id, seq, event_type, topic, payload, payload_hash, prev_hash, created_at)
  SELECT $4, $5, $6, $7, $8, bytes, sha256(bytes), $9, $10 FROM payload RETURNING id, position, report_id, seq, topic, created_at)
INSERT INTO ledger_anchors (event_id, position, report_id, seq, topic, created_at) SELECT * FROM event`
	p.Queue(event, c.late.Args(string(raw), e.id, e.ReportID, c.seq+1, e.Type, e.Type.Topic(), c.hash, e.At)...)
	if c.seq > 0 { // a new report is queued from the start
		const show = `UPDATE reports SET blockchain_status = 'queued' WHERE id = $1 AND blockchain_status NOT IN ('queued', 'failed')`
		p.Queue(show, e.ReportID)
	}
}
