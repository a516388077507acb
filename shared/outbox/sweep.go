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

// Sweep sends one batch of the messages that were due before the given instant
// and are still here: what a crash, a full queue or a lost answer left behind.
// It returns how many it sent and whether there may be more. Sweeps may run at
// once; each takes messages the others have not. A message that cannot be sent
// waits longer each time, up to a quarter of an hour, and never holds up others.
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
			o.log.WarnContext(ctx, "outbox messages stay for the next sweep", "error", err)
		}
		sent = len(arrived)
		if _, err := tx.Exec(ctx, `DELETE FROM outbox WHERE id = ANY($1)`, arrived); err != nil {
			return fmt.Errorf("delete sent messages: %w", err)
		}
		const later = `
			UPDATE outbox SET attempts = attempts + 1, not_before = now() + least(interval '15 minutes', interval '30 seconds' * power(2, least(attempts, 10)))
			WHERE id = ANY($1)`
		if _, err := tx.Exec(ctx, later, left(due, arrived)); err != nil {
			return fmt.Errorf("put off messages: %w", err)
		}
		return nil
	})
	if err != nil {
		return 0, false, fmt.Errorf("sweep outbox: %w", err)
	}
	return sent, more, nil
}

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

// resend returns which messages arrived and the last reason why others did not.
func (o *Outbox) resend(ctx context.Context, due []pending) ([]uuid.UUID, error) {
	var arrived []uuid.UUID
	var last error
	for _, name := range names(due) {
		if o.sender == nil || !o.sender.Knows(name) {
			last = fmt.Errorf("the address of queue %s is not configured", name)
			continue
		}
		for _, part := range batches(due, name) {
			ids, err := o.timely(ctx, name, part)
			arrived = append(arrived, ids...)
			if err != nil {
				last = err
			}
		}
	}
	return arrived, last
}

// timely bounds a call: a queue that never answers must not hold up the others, nor this transaction.
func (o *Outbox) timely(ctx context.Context, name queue.Name, part []queue.Outgoing) ([]uuid.UUID, error) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	return o.sender.Send(ctx, name, part)
}

func left(due []pending, arrived []uuid.UUID) []uuid.UUID {
	there := make(map[uuid.UUID]bool, len(arrived))
	for _, id := range arrived {
		there[id] = true
	}
	var out []uuid.UUID
	for _, p := range due {
		if !there[p.out.ID] {
			out = append(out, p.out.ID)
		}
	}
	return out
}

// Waiting is how the outbox stands.
type Waiting struct {
	Messages int
	// Oldest is how long the message longest due has been due; 0 when none is.
	Oldest time.Duration
}

// Waiting counts the messages that are due.
func (o *Outbox) Waiting(ctx context.Context) (Waiting, error) {
	var w Waiting
	var seconds float64
	const q = `SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0) FROM outbox WHERE not_before <= now() OR attempts > 0`
	if err := o.db.QueryRow(ctx, q).Scan(&w.Messages, &seconds); err != nil {
		return Waiting{}, fmt.Errorf("look at outbox: %w", err)
	}
	w.Oldest = time.Duration(seconds * float64(time.Second))
	return w, nil
}
