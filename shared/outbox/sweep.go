package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/queue"
)

// sweepBatch is how many messages one transaction of Sweep holds.
const sweepBatch = 100

// Sweep sends up to sweepBatch messages that were due before the given instant and are still stored: the process that
// wrote them crashed, or the queue did not take them. It returns how many it sent, and whether there may be more.
// Sweeps may run at the same time; no two take the same message. A message that cannot be sent waits longer after each
// attempt, up to 15 minutes, and delays no other.
func (o *Outbox) Sweep(ctx context.Context, before time.Time) (int, bool, error) {
	sent, more := 0, false
	err := o.db.InTx(ctx, func(tx *database.Tx) error {
		due, err := overdue(ctx, tx, before)
		if err != nil {
			return err
		}
		more = len(due) == sweepBatch
		arrived, err := o.resend(ctx, due)
		if err != nil {
			o.log.WarnContext(ctx, "outbox messages not sent; a later sweep sends them", "error", err)
		}
		sent = len(arrived)
		if _, err := tx.Exec(ctx, `DELETE FROM outbox WHERE id = ANY($1)`, arrived); err != nil {
			return fmt.Errorf("delete sent messages: %w", err)
		}
		const postpone = `
			UPDATE outbox SET attempts = attempts + 1, not_before = now() + least(interval '15 minutes', interval '30 seconds' * power(2, least(attempts, 10)))
			WHERE id = ANY($1)`
		if _, err := tx.Exec(ctx, postpone, notSent(due, arrived)); err != nil {
			return fmt.Errorf("postpone messages: %w", err)
		}
		return nil
	})
	if err != nil {
		return 0, false, fmt.Errorf("sweep outbox: %w", err)
	}
	return sent, more, nil
}

// overdue locks and returns the messages that were due before the given instant, longest due first.
func overdue(ctx context.Context, tx database.Querier, before time.Time) ([]pending, error) {
	const q = `SELECT id, queue, body FROM outbox WHERE not_before < $1 ORDER BY not_before LIMIT $2 FOR UPDATE SKIP LOCKED`
	rows, err := tx.Query(ctx, q, before, sweepBatch)
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (pending, error) {
		var p pending
		err := row.Scan(&p.out.ID, &p.queue, &p.out.Body)
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	return out, nil
}

// resend sends due. It returns the ids of the messages that were sent, and the last error of the others.
func (o *Outbox) resend(ctx context.Context, due []pending) ([]uuid.UUID, error) {
	var arrived []uuid.UUID
	var last error
	for _, name := range queueNames(due) {
		if o.sender == nil || !o.sender.Knows(name) {
			last = fmt.Errorf("the address of queue %s is not configured", name)
			continue
		}
		for _, part := range batches(due, name) {
			ids, err := o.sendBounded(ctx, name, part)
			arrived = append(arrived, ids...)
			if err != nil {
				last = err
			}
		}
	}
	return arrived, last
}

// sendBounded sends within sendTimeout: a queue that does not answer delays neither the others nor the transaction.
func (o *Outbox) sendBounded(ctx context.Context, name queue.Name, part []queue.Outgoing) ([]uuid.UUID, error) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	return o.sender.Send(ctx, name, part)
}

// notSent lists the ids of due that are not in arrived.
func notSent(due []pending, arrived []uuid.UUID) []uuid.UUID {
	sent := make(map[uuid.UUID]bool, len(arrived))
	for _, id := range arrived {
		sent[id] = true
	}
	var out []uuid.UUID
	for _, p := range due {
		if !sent[p.out.ID] {
			out = append(out, p.out.ID)
		}
	}
	return out
}

// Backlog says what the outbox holds that ought to be sent: messages that are due, and those that could not be sent
// when they were.
type Backlog struct {
	Messages int
	// Oldest is the age of the oldest of them, counted from when it was stored; 0 when there is none.
	Oldest time.Duration
}

// Backlog measures the backlog.
func (o *Outbox) Backlog(ctx context.Context) (Backlog, error) {
	var b Backlog
	var seconds float64
	const q = `SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0) FROM outbox WHERE not_before <= now() OR attempts > 0`
	if err := o.db.QueryRow(ctx, q).Scan(&b.Messages, &seconds); err != nil {
		return Backlog{}, fmt.Errorf("measure outbox: %w", err)
	}
	b.Oldest = time.Duration(seconds * float64(time.Second))
	return b, nil
}
