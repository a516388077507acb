package reportwrite

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
)

// Change is what somebody wants to do to a report that they get to see afterwards.
type Change struct {
	Report report.About
	By     identity.Caller
	Expect Expect
	// Ask adds what else decides about it to the round trip that locks the report; nil for nothing.
	Ask func(b *pgx.Batch)
	// Record stores the report that read returns as the answer to a repeated request; nil where none is stored.
	// It runs after Do, in the same transaction; read takes one round trip.
	Record func(ctx context.Context, w *outbox.Work, read func() (reportread.Report, error)) error
	// Do makes the change in w. What it has written later needs no round trip of its own.
	Do func(w *outbox.Work, h *Held) error
}

// Apply makes a change under the report's row lock and returns what it has made of it: one round trip to lock and to
// look, one to write, commit and read what to answer; and one more where the answer is kept under an Idempotency-Key.
// It fails with report.ErrNotFound where the caller may not see the report, and where it is not as expected.
func Apply(ctx context.Context, r *reportread.Reader, o *outbox.Outbox, c Change) (reportread.Report, error) {
	var after *reportread.Found
	err := o.Do(ctx, func(w *outbox.Work) error {
		b := &pgx.Batch{}
		h := QueueChange(b, c.Report, report.ActorOf(c.By))
		if c.Ask != nil {
			c.Ask(b)
		}
		if err := w.SendBatch(ctx, b).Close(); err != nil {
			return fmt.Errorf("lock report to change it: %w", err)
		}
		if err := h.VisibleTo(reportread.ViewerOf(c.By)); err != nil {
			return err
		}
		if err := c.Expect.Check(h); err != nil {
			return err
		}
		if err := c.Do(w, h); err != nil {
			return err
		}
		after = After(w, r, reportread.ViewerOf(c.By), h)
		if c.Record == nil {
			return nil
		}
		return c.Record(ctx, w, func() (reportread.Report, error) { return now(ctx, w, after) })
	})
	if err != nil {
		return reportread.Report{}, err
	}
	return after.Report(ctx)
}

// After reads what w has made of h, at the latest with its commit. That the answer cannot be read any more does not undo
// what it is about, as little as its loss on the way would.
func After(w *outbox.Work, r *reportread.Reader, v reportread.Viewer, h *Held) *reportread.Found {
	b := &pgx.Batch{}
	f := r.Queue(b, v, report.AboutID(h.ID))
	w.LaterAll(b)
	return f
}

// now reads the report before the commit, in one round trip.
func now(ctx context.Context, w *outbox.Work, f *reportread.Found) (reportread.Report, error) {
	if err := w.Flush(ctx); err != nil {
		return reportread.Report{}, err
	}
	return f.Report(ctx)
}
