package anchor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/database"
)

// maxProbe bounds the wait between two attempts while the circuit is open.
const maxProbe = 15 * time.Minute

// errParked reports that the circuit is open and this is not the probe.
var errParked = &needsOperator{reason: "the circuit is open"}

// admit returns nil if the round may sign and send. While the circuit is closed every round may. While it is open, one round
// may each time a probe is due.
func (r *round) admit(ctx context.Context, m *message) error {
	if m.admitted {
		return nil
	}
	now := r.Clock.Now()
	probe, err := r.probeAt(ctx)
	if err != nil || probe == nil {
		return err
	}
	// This sets the time of the next probe, so that no other round takes this one.
	const take = `UPDATE ledger_circuit SET probe_at = $1 WHERE probe_at <= $2`
	tag, err := r.DB.Exec(ctx, take, now.Add(r.config.ProbeEvery), now)
	if err != nil {
		return fmt.Errorf("take probe: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return errParked
	}
	m.admitted = true
	return nil
}

// probeAt is when the next probe of an open circuit is due; nil while it is closed.
func (r *round) probeAt(ctx context.Context) (*time.Time, error) {
	var probe *time.Time
	if err := r.DB.QueryRow(ctx, `SELECT probe_at FROM ledger_circuit`).Scan(&probe); err != nil {
		return nil, fmt.Errorf("read circuit: %w", err)
	}
	return probe, nil
}

// halt opens the circuit. The message waits for the next probe.
func (r *round) halt(ctx context.Context, m *message, fault *needsOperator) error {
	if !errors.Is(fault, errParked) {
		const open = `
UPDATE ledger_circuit SET reason = left($1, 500), since = coalesce(since, $2), failures = failures + 1, probe_at = $2::timestamptz +
       least($3::interval * power(2, least(failures, 10)), $4::interval)`
		if _, err := r.DB.Exec(ctx, open, fault.reason, r.Clock.Now(), r.config.ProbeEvery, maxProbe); err != nil {
			return fmt.Errorf("open circuit: %w", err)
		}
		r.Metrics.Add(catalog.LedgerHalted)
		r.Log.ErrorContext(ctx, "ledger halted until an operator fixes it", "message_id", m.ID, "reason", fault.reason)
	}
	if err := r.setNext(ctx, m, r.Clock.Now(), fault); err != nil {
		return err
	}
	probe, err := r.probeAt(ctx)
	if probe != nil {
		r.wake = *probe
	}
	return err
}

// closeCircuit closes the circuit after a node has accepted a transaction.
func (r *round) closeCircuit(ctx context.Context, tx database.Querier) error {
	const update = `UPDATE ledger_circuit SET reason = NULL, since = NULL, probe_at = NULL, failures = 0 WHERE reason IS NOT NULL`
	tag, err := tx.Exec(ctx, update)
	if err != nil {
		return fmt.Errorf("close circuit: %w", err)
	}
	if tag.RowsAffected() > 0 {
		r.Log.InfoContext(ctx, "ledger works again")
	}
	return nil
}
