package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
)

// Chain is a report's events as a unit of work holds them: the state they vouch for, and where the next one goes.
type Chain struct {
	*snapshot
	seq    int    // of the newest event; 0 before the first
	hash   []byte // of that
	salt   []byte // nil before the first event, and once the report is erased
	agency *uuid.UUID
}

// QueueChain takes a report's row lock, so that its events form one chain, and reads the chain, among other
// statements: the batch fails with ErrNoReport when there is no such report. Agency is the actor's, if any.
func QueueChain(b *pgx.Batch, report Named, agency *uuid.UUID) *Chain {
	c := &Chain{agency: agency}
	report.Queue(b, lockSnapshot).QueryRow(func(row pgx.Row) error {
		var err error
		c.snapshot, err = scanSnapshot(row)
		return err
	})
	// A statement of its own: it sees what the holder of the lock before us has committed.
	const tail = `
SELECT coalesce(e.seq, 0), e.payload_hash, (SELECT salt FROM report_salts WHERE report_id = r.id), coalesce((SELECT code FROM agencies WHERE id = $2), '')
FROM reports r LEFT JOIN LATERAL (SELECT seq, payload_hash FROM ledger_events WHERE report_id = r.id ORDER BY seq DESC LIMIT 1) e ON true
WHERE r.id = $1 `
	report.Queue(b, tail, agency).QueryRow(func(row pgx.Row) error {
		if err := row.Scan(&c.seq, &c.hash, &c.salt, &c.snapshot.agency); err != nil {
			return fmt.Errorf("read chain: %w", err)
		}
		return nil
	})
	return c
}

// Append records e, about the chain's report, in w, the unit of work of the change itself, and wakes the anchor worker
// once w has committed. It returns the event's id.
//
// State is what the change makes of the report: the caller keeps it. Nothing is read; the event is written with the
// next statement of w. It fails on an event that is not well formed.
func (c *Chain) Append(ctx context.Context, w *outbox.Work, e Event) (uuid.UUID, error) {
	e.ReportID = c.id
	if err := c.append(w, &e); err != nil {
		return uuid.Nil, fmt.Errorf("append %s: %w", e.Type, err)
	}
	return e.id, w.Send(ctx, queue.Anchor, queue.AnchorMessage{EventID: e.id})
}

func (c *Chain) append(w *outbox.Work, e *Event) error {
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
	if e.Type == Submitted {
		c.salt = newSalt(w, c.id, e.At)
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
	sum := sha256.Sum256(raw)
	insert(w, *e, c.seq+1, c.hash, raw, sum[:])
	c.seq, c.hash = c.seq+1, sum[:]
	return nil
}

// Append is Chain.Append for whoever has changed a report without holding its chain: the payload is the report's state
// as w sees it. What it reads takes one round trip. It fails with ErrNoReport on an unknown report.
func Append(ctx context.Context, w *outbox.Work, e Event) (uuid.UUID, error) {
	b := &pgx.Batch{}
	c := QueueChain(b, byID(e.ReportID), e.Actor.AgencyID)
	if err := w.SendBatch(ctx, b).Close(); err != nil {
		return uuid.Nil, fmt.Errorf("append %s: %w", e.Type, err)
	}
	return c.Append(ctx, w, e)
}

// byID names a report by its id.
type byID uuid.UUID

// Queue implements Named.
func (id byID) Queue(b *pgx.Batch, sql string, args ...any) *pgx.QueuedQuery {
	return b.Queue(sql, append([]any{uuid.UUID(id)}, args...)...)
}

// ifAny takes no row for no failure.
func ifAny(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	return err
}

func insert(w *outbox.Work, e Event, seq int, prev, raw, sum []byte) {
	const event = `
WITH event AS (
  INSERT INTO ledger_events (id, report_id, seq, event_type, topic, payload, payload_hash, prev_hash, created_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id, position, report_id, seq, topic, created_at)
INSERT INTO ledger_anchors (event_id, position, report_id, seq, topic, created_at) SELECT * FROM event`
	w.Later(event, e.id, e.ReportID, seq, e.Type, e.Type.Topic(), raw, sum, prev, e.At)
	const show = `UPDATE reports SET blockchain_status = 'queued' WHERE id = $1 AND blockchain_status NOT IN ('queued', 'failed')`
	w.Later(show, e.ReportID)
}
