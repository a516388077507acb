// Package reportwrite changes reports. A change locks the report's row, checks the rules of shared/report, and writes the new
// state, the status history, the audit event and the notifications in one transaction.
package reportwrite

import (
	"context"
	"fmt"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
)

// Change is a change of a report that answers with the changed report.
type Change struct {
	Report report.About
	By     identity.Caller
	Expect Expect
	// Ask adds other questions to the round trip that locks the report; nil for none.
	Ask func(p database.Pipeline)
	// Record stores the report that read returns as the answer to a repeated request; nil where none is stored.
	// It runs after Do, in the same transaction; read takes one round trip.
	Record func(ctx context.Context, tx *outbox.Tx, read func() (reportread.Report, error)) error
	// Receipts signs the receipt of the change; nil for none.
	Receipts *ledger.Receipts
	// Do makes the change in tx. The statements it queues run with the commit.
	Do func(tx *outbox.Tx, h *Locked) error
}

// Apply makes a change while the report's row is locked, and returns the changed report. One round trip locks and reads;
// another one writes, commits and reads the answer. If the answer is stored under an Idempotency-Key, there is a third one.
// It fails as Lock and Locked.VisibleTo do where the caller may not change the report, and as Expect.Check does.
//
// The answer is read in the round trip of the commit. When only that reading fails, Apply fails although the change was made.
func Apply(ctx context.Context, r *reportread.Reader, o *outbox.Outbox, c Change) (reportread.Report, error) {
	var after *reportread.Asked
	var h *Locked
	err := o.Do(ctx, func(tx *outbox.Tx) error {
		locked := LockForChange(tx, c.Report, report.ActorOf(c.By))
		if c.Ask != nil {
			c.Ask(tx)
		}
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("lock report to change it: %w", err)
		}
		h = locked.Get()
		if err := h.VisibleTo(reportread.ViewerOf(c.By)); err != nil {
			return err
		}
		if err := c.Expect.Check(h); err != nil {
			return err
		}
		if err := c.Do(tx, h); err != nil {
			return err
		}
		after = r.Ask(tx, reportread.ViewerOf(c.By), h.ID)
		if c.Record == nil {
			return nil
		}
		return c.Record(ctx, tx, func() (reportread.Report, error) { return readNow(ctx, tx, after, h) })
	})
	if err != nil {
		return reportread.Report{}, err
	}
	out, err := after.Report(ctx)
	if h.LastEntry() != nil {
		out.Receipt = h.Receipt(ctx, c.Receipts, c.By)
	}
	return out, err
}

// readNow reads the report before the commit, in one round trip. A mark stands for the receipt of the change.
func readNow(ctx context.Context, tx *outbox.Tx, after *reportread.Asked, h *Locked) (reportread.Report, error) {
	if err := tx.Flush(ctx); err != nil {
		return reportread.Report{}, err
	}
	out, err := after.Report(ctx)
	if mark := h.Mark(); mark != nil {
		out.Receipt = mark
	}
	return out, err
}
