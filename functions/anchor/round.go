package anchor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
)

// leaseFor is longer than any single step: the timeouts of S3, of KMS or of two nodes together.
const leaseFor = time.Minute

// errLeaseLost reports that another round has taken over.
var errLeaseLost = errors.New("lease lost")

// round is one run of the worker, while it holds the lease.
type round struct {
	*Worker
	lease uuid.UUID
	head  head
	next  int64     // events that are written, as last read
	stuck bool      // publishing failed: what was written meanwhile waits too
	wake  time.Time // when something will be due; zero if nothing is
}

// head is the row of log_head.
type head struct {
	Size       int64
	Checkpoint *string
	SignedAt   *time.Time
	WakeAt     *time.Time
	Budget     *float64
	BudgetAt   *time.Time
	Next       int64
}

const headColumns = `size, checkpoint, signed_at, wake_at, budget, budget_at, (SELECT next FROM log_counter)`

// begin takes the lease. It returns nil if another round has it.
func (w *Worker) begin(ctx context.Context) (*round, error) {
	r := &round{Worker: w, lease: database.NewID()}
	const take = `
UPDATE log_head SET leased_by = $1, leased_until = $3 WHERE leased_until IS NULL OR leased_until <= $2
RETURNING ` + headColumns
	now := w.Clock.Now()
	rows, _ := w.DB.Query(ctx, take, r.lease, now, now.Add(leaseFor)) // its error is in rows too
	var err error
	if r.head, err = pgx.CollectOneRow(rows, pgx.RowToStructByPos[head]); errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("lease the log: %w", err)
	}
	r.next = r.head.Next
	return r, nil
}

// renew extends the lease before a step. It fails with errLeaseLost if another round has it.
func (r *round) renew(ctx context.Context) error {
	const extend = `UPDATE log_head SET leased_until = $2 WHERE leased_by = $1`
	tag, err := r.DB.Exec(ctx, extend, r.lease, r.Clock.Now().Add(leaseFor))
	if err != nil {
		return fmt.Errorf("extend lease: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return errLeaseLost
	}
	return nil
}

// work does each part of a round. The ledger gets what is published, also when publishing fails.
func (r *round) work(ctx context.Context) error {
	err := r.publish(ctx)
	if err == nil {
		err = r.cosign(ctx)
	}
	if err := r.tolerate(ctx, err); err != nil {
		return err
	}
	if err := r.anchor(ctx); err != nil {
		return ignoreLost(err)
	}
	if err := r.show(ctx); err != nil {
		return err
	}
	return r.measure(ctx)
}

// ignoreLost returns nil for errLeaseLost: the other round does the rest.
func ignoreLost(err error) error {
	if errors.Is(err, errLeaseLost) {
		return nil
	}
	return err
}

// wakeAt makes a later message begin a round at a time, at the earliest.
func (r *round) wakeAt(at time.Time) {
	if r.wake.IsZero() || at.Before(r.wake) {
		r.wake = at
	}
}

// end gives the lease back. It sends a message for when something is due, unless one is on its way that comes no later.
func (r *round) end(ctx context.Context) error {
	err := r.Outbox.Do(ctx, func(tx *outbox.Tx) error {
		now, at := r.Clock.Now(), r.head.WakeAt
		if at != nil && !at.After(now) {
			at = nil
		}
		if after := wholeSeconds(r.wake.Sub(now)); !r.wake.IsZero() && after <= catalog.MaxDelay && (at == nil || now.Add(after).Before(*at)) {
			due := now.Add(after)
			at = &due
			if err := tx.SendAfter(ctx, queue.Anchor, queue.AnchorMessage{}, after); err != nil {
				return err
			}
		}
		const release = `UPDATE log_head SET leased_by = NULL, leased_until = NULL, wake_at = $2 WHERE leased_by = $1`
		_, err := tx.Exec(ctx, release, r.lease, at)
		return err
	})
	if err != nil {
		return fmt.Errorf("end round: %w", err)
	}
	return nil
}

// wholeSeconds rounds a delay up, as the queue counts it; at least one second.
func wholeSeconds(d time.Duration) time.Duration {
	return max((d + time.Second - 1).Truncate(time.Second), time.Second)
}

// behind reports whether events were written that the round has not seen, and could publish.
func (r *round) behind(ctx context.Context) (bool, error) {
	if r.stuck {
		return false, nil
	}
	seen := r.next
	err := r.count(ctx)
	return r.next > seen, err
}

// count reads how many events are written.
func (r *round) count(ctx context.Context) error {
	if err := r.DB.QueryRow(ctx, `SELECT next FROM log_counter`).Scan(&r.next); err != nil {
		return fmt.Errorf("read the log's counter: %w", err)
	}
	return nil
}

// measure emits how long the oldest event has waited for its confirmation by the ledger.
func (r *round) measure(ctx context.Context) error {
	if !r.config.HasLedger() {
		return nil
	}
	const query = `
SELECT coalesce((SELECT created_at FROM ledger_events WHERE log_index >=
    coalesce((SELECT size FROM log_messages WHERE state = 'confirmed' ORDER BY size DESC LIMIT 1), 0) ORDER BY log_index LIMIT 1), $1)`
	now := r.Clock.Now()
	var oldest time.Time
	if err := r.DB.QueryRow(ctx, query, now).Scan(&oldest); err != nil {
		return fmt.Errorf("measure the ledger's lag: %w", err)
	}
	r.Metrics.Put(catalog.AnchorLag, now.Sub(oldest).Seconds())
	return nil
}
