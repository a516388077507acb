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
// fails on an event that is not well formed and on an unknown report.
func Append(ctx context.Context, w *outbox.Work, e Event) (uuid.UUID, error) {
	if err := e.check(); err != nil {
		return uuid.Nil, fmt.Errorf("append %s: %w", e.Type, err)
	}
	s, err := readSnapshot(ctx, w, lockSnapshot, e.ReportID)
	if err != nil {
		return uuid.Nil, fmt.Errorf("append %s: %w", e.Type, err)
	}
	if s.agency, err = agencyCode(ctx, w, e.Actor.AgencyID); err != nil {
		return uuid.Nil, fmt.Errorf("append %s: %w", e.Type, err)
	}
	seq, prev, err := chainEnd(ctx, w, e.ReportID)
	if err != nil {
		return uuid.Nil, fmt.Errorf("append %s: %w", e.Type, err)
	}
	if (e.Type == Submitted) != (seq == 0) {
		return uuid.Nil, fmt.Errorf("append %s: the report has %d events", e.Type, seq)
	}
	hash, err := hashContent(ctx, w, e, s)
	if err != nil {
		return uuid.Nil, fmt.Errorf("append %s: %w", e.Type, err)
	}
	raw, err := encode(e, s, seq+1, prev, hash)
	if err != nil {
		return uuid.Nil, fmt.Errorf("append %s: %w", e.Type, err)
	}
	id := ids.New()
	if err := insert(ctx, w, id, e, seq+1, prev, raw); err != nil {
		return uuid.Nil, fmt.Errorf("append %s: %w", e.Type, err)
	}
	return id, w.Send(ctx, queue.Anchor, queue.AnchorMessage{EventID: id})
}

// chainEnd is the place and hash of the report's newest event; 0 and nil before the first.
func chainEnd(ctx context.Context, w *outbox.Work, report uuid.UUID) (int, []byte, error) {
	var seq int
	var hash []byte
	const newest = `SELECT seq, payload_hash FROM ledger_events WHERE report_id = $1 ORDER BY seq DESC LIMIT 1`
	err := w.QueryRow(ctx, newest, report).Scan(&seq, &hash)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil, nil
	}
	if err != nil {
		return 0, nil, fmt.Errorf("read newest event: %w", err)
	}
	return seq, hash, nil
}

func agencyCode(ctx context.Context, w *outbox.Work, agency *uuid.UUID) (string, error) {
	if agency == nil {
		return "", nil
	}
	var code string
	if err := w.QueryRow(ctx, `SELECT code FROM agencies WHERE id = $1`, agency).Scan(&code); err != nil {
		return "", fmt.Errorf("read agency: %w", err)
	}
	return code, nil
}

func hashContent(ctx context.Context, w *outbox.Work, e Event, s *snapshot) ([]byte, error) {
	var salt []byte
	var err error
	if e.Type == Submitted {
		salt, err = newSalt(ctx, w, e.ReportID, e.At)
	} else {
		salt, err = readSalt(ctx, w, e.ReportID)
	}
	if err != nil || salt == nil {
		return nil, err
	}
	return s.contentHash(salt)
}

func insert(ctx context.Context, w *outbox.Work, id uuid.UUID, e Event, seq int, prev, raw []byte) error {
	sum := sha256.Sum256(raw)
	const event = `
INSERT INTO ledger_events (id, report_id, seq, event_type, topic, payload, payload_hash, prev_hash, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING position`
	var position int64
	topic := e.Type.Topic()
	if err := w.QueryRow(ctx, event, id, e.ReportID, seq, e.Type, topic, raw, sum[:], prev, e.At).Scan(&position); err != nil {
		return fmt.Errorf("store event: %w", err)
	}
	const anchor = `INSERT INTO ledger_anchors (event_id, position, report_id, seq, topic, created_at) VALUES ($1, $2, $3, $4, $5, $6)`
	if _, err := w.Exec(ctx, anchor, id, position, e.ReportID, seq, topic, e.At); err != nil {
		return fmt.Errorf("store its anchor: %w", err)
	}
	const show = `UPDATE reports SET blockchain_status = 'queued' WHERE id = $1 AND blockchain_status NOT IN ('queued', 'failed')`
	if _, err := w.Exec(ctx, show, e.ReportID); err != nil {
		return fmt.Errorf("show it on the report: %w", err)
	}
	return nil
}
