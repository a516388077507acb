package anchor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/outbox"
)

// maxProbe bounds the wait between two attempts while the circuit is open.
const maxProbe = 15 * time.Minute

// errParked reports that the circuit is open and this is not the probe.
var errParked = &needsOperator{reason: "the circuit is open"}

// admit returns nil if the run may sign and send. While the circuit is closed every run may. While it is open, one run may
// each time a probe is due.
func (w *Worker) admit(ctx context.Context, s *submission) error {
	if s.admitted {
		return nil
	}
	now := w.Clock.Now()
	var probe *time.Time
	if err := w.DB.QueryRow(ctx, `SELECT probe_at FROM ledger_circuit`).Scan(&probe); err != nil {
		return fmt.Errorf("read circuit: %w", err)
	}
	if probe == nil {
		return nil // read again before each step: another run may open the circuit
	}
	// This sets the time of the next probe, so that no other run takes this one.
	const take = `UPDATE ledger_circuit SET probe_at = $1 WHERE probe_at <= $2`
	tag, err := w.DB.Exec(ctx, take, now.Add(w.config.ProbeEvery), now)
	if err != nil {
		return fmt.Errorf("take probe: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return errParked
	}
	s.admitted = true
	return nil
}

// halt opens the circuit and ends the lease. It sends no message: ledger.Sweep does when a probe is due.
func (w *Worker) halt(ctx context.Context, s *submission, fault *needsOperator) error {
	now := w.Clock.Now()
	parked, reason := errors.Is(fault, errParked), fault.reason
	err := w.Outbox.Do(ctx, func(tx *outbox.Tx) error {
		if !parked {
			const open = `
UPDATE ledger_circuit SET reason = left($1, 500), since = coalesce(since, $2), failures = failures + 1, probe_at = $2::timestamptz +
       least($3::interval * power(2, least(failures, 10)), $4::interval)`
			if _, err := tx.Exec(ctx, open, reason, now, w.config.ProbeEvery, maxProbe); err != nil {
				return fmt.Errorf("open circuit: %w", err)
			}
		}
		_, err := w.release(ctx, tx, s, 0, reason)
		return err
	})
	if err == nil && !parked {
		w.Metrics.Add(catalog.LedgerHalted)
		w.Log.ErrorContext(ctx, "ledger halted until an operator fixes it", "submission_id", s.ID, "reason", reason)
	}
	return err
}

// closeCircuit closes the circuit after a node has accepted a transaction.
func (w *Worker) closeCircuit(ctx context.Context, tx database.Querier) error {
	const update = `UPDATE ledger_circuit SET reason = NULL, since = NULL, probe_at = NULL, failures = 0 WHERE reason IS NOT NULL`
	tag, err := tx.Exec(ctx, update)
	if err != nil {
		return fmt.Errorf("close circuit: %w", err)
	}
	if tag.RowsAffected() > 0 {
		w.Log.InfoContext(ctx, "ledger works again")
	}
	return nil
}
