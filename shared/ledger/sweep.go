package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
)

// maxSweep is the most messages of one sweep. More are not needed: if many events
// wait, the worker submits them together.
const maxSweep = 100

// Sweep sends messages to the anchor worker about events that have been due for
// longer than grace. A crash, a lost message or an open circuit has delayed them.
// relay calls it. An unnecessary call costs only messages. While the circuit is open
// it sends at most one message, when the next probe is due. It returns the number of
// messages.
func Sweep(ctx context.Context, o *outbox.Outbox, now time.Time, grace time.Duration) (int, error) {
	var sent int
	err := o.Do(ctx, func(tx *outbox.Tx) error {
		limit, err := sweepLimit(ctx, tx, now)
		if err != nil || limit == 0 {
			sent = 0
			return err
		}
		events, err := overdue(ctx, tx, now.Add(-grace), limit)
		if err != nil {
			return err
		}
		for _, id := range events {
			if err := tx.Send(ctx, queue.Anchor, queue.AnchorMessage{EventID: id}); err != nil {
				return err
			}
		}
		sent = len(events)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("sweep ledger: %w", err)
	}
	return sent, nil
}

func sweepLimit(ctx context.Context, tx *outbox.Tx, now time.Time) (int, error) {
	var probe *time.Time
	if err := tx.QueryRow(ctx, `SELECT probe_at FROM ledger_circuit`).Scan(&probe); err != nil {
		return 0, fmt.Errorf("read circuit: %w", err)
	}
	switch {
	case probe == nil:
		return maxSweep, nil
	case now.Before(*probe):
		return 0, nil
	}
	return 1, nil
}

// overdue lists one event of each open submission, and each waiting event for which all earlier events of its report are
// at consensus.
func overdue(ctx context.Context, tx *outbox.Tx, before time.Time, limit int) ([]uuid.UUID, error) {
	const query = `
(SELECT first.event_id FROM ledger_submissions s
 CROSS JOIN LATERAL (SELECT a.event_id FROM ledger_anchors a WHERE a.submission_id = s.id ORDER BY a.position LIMIT 1) first
 WHERE s.state NOT IN ('confirmed', 'failed') AND s.next_attempt_at < $1 AND coalesce(s.leased_until < $1, true)
 ORDER BY s.next_attempt_at LIMIT $2)
UNION ALL
(SELECT a.event_id FROM ledger_anchors a
 WHERE a.submission_id IS NULL AND a.created_at < $1
   AND NOT EXISTS (SELECT 1 FROM ledger_anchors p LEFT JOIN ledger_submissions ps ON ps.id = p.submission_id
                   WHERE p.report_id = a.report_id AND p.seq < a.seq AND ps.sequence_number IS NULL)
 ORDER BY a.position LIMIT $2)
LIMIT $2`
	rows, err := tx.Query(ctx, query, before, limit)
	if err != nil {
		return nil, fmt.Errorf("find overdue events: %w", err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, fmt.Errorf("find overdue events: %w", err)
	}
	return out, nil
}
