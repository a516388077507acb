package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/ids"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
)

// Append records e in w, the unit of work of the change itself, and wakes the
// anchor worker once w has committed. It returns the event's id.
//
// Call it after the change: the payload is the report's state as w sees it. It
// takes the report's row lock, so that events of one report form one chain. It
// fails on an event that is not well formed and on an unknown report. What it
// reads takes one round trip; the event is written with the next statement of w.
func Append(ctx context.Context, w *outbox.Work, e Event) (uuid.UUID, error) {
	if err := e.check(); err != nil {
		return uuid.Nil, fmt.Errorf("append %s: %w", e.Type, err)
	}
	c, err := readTail(ctx, w, e)
	if err != nil {
		return uuid.Nil, fmt.Errorf("append %s: %w", e.Type, err)
	}
	if (e.Type == Submitted) != (c.seq == 0) {
		return uuid.Nil, fmt.Errorf("append %s: the report has %d events", e.Type, c.seq)
	}
	if e.Type == Submitted {
		c.salt = newSalt(w, e.ReportID, e.At)
	}
	var hash []byte
	if c.salt != nil {
		if hash, err = c.snapshot.contentHash(c.salt); err != nil {
			return uuid.Nil, fmt.Errorf("append %s: %w", e.Type, err)
		}
	}
	raw, err := encode(e, c.snapshot, c.seq+1, c.hash, hash)
	if err != nil {
		return uuid.Nil, fmt.Errorf("append %s: %w", e.Type, err)
	}
	id := ids.New()
	insert(w, id, e, c.seq+1, c.hash, raw)
	return id, w.Send(ctx, queue.Anchor, queue.AnchorMessage{EventID: id})
}

// tail is what an event is appended to.
type tail struct {
	*snapshot
	seq  int    // of the newest event; 0 before the first
	hash []byte // of that
	salt []byte // nil before the first event, and once the report is erased
}

// readTail takes the report's row lock before it reads the rest.
func readTail(ctx context.Context, w *outbox.Work, e Event) (*tail, error) {
	const (
		newest = `SELECT seq, payload_hash FROM ledger_events WHERE report_id = $1 ORDER BY seq DESC LIMIT 1`
		agency = `SELECT code FROM agencies WHERE id = $1`
	)
	c := &tail{}
	batch := &pgx.Batch{}
	batch.Queue(lockSnapshot, e.ReportID).QueryRow(func(row pgx.Row) error {
		var err error
		c.snapshot, err = scanSnapshot(row)
		return err
	})
	batch.Queue(newest, e.ReportID).QueryRow(func(row pgx.Row) error { return ifAny(row.Scan(&c.seq, &c.hash)) })
	batch.Queue(selectSalt, e.ReportID).QueryRow(func(row pgx.Row) error { return ifAny(row.Scan(&c.salt)) })
	var code string
	if e.Actor.AgencyID != nil {
		batch.Queue(agency, e.Actor.AgencyID).QueryRow(func(row pgx.Row) error { return row.Scan(&code) })
	}
	if err := w.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("read chain of report %s: %w", e.ReportID, err)
	}
	c.agency = code
	return c, nil
}

// ifAny takes no row for no failure.
func ifAny(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	return err
}

func insert(w *outbox.Work, id uuid.UUID, e Event, seq int, prev, raw []byte) {
	sum := sha256.Sum256(raw)
	const event = `
WITH event AS (
  INSERT INTO ledger_events (id, report_id, seq, event_type, topic, payload, payload_hash, prev_hash, created_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id, position, report_id, seq, topic, created_at)
INSERT INTO ledger_anchors (event_id, position, report_id, seq, topic, created_at) SELECT * FROM event`
	w.Later(event, id, e.ReportID, seq, e.Type, e.Type.Topic(), raw, sum[:], prev, e.At)
	const show = `UPDATE reports SET blockchain_status = 'queued' WHERE id = $1 AND blockchain_status NOT IN ('queued', 'failed')`
	w.Later(show, e.ReportID)
}
