package reportwrite

import (
	"context"

	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/locale"
)

// LastEntry is the last event that the change appended; nil for none. It is known after the commit.
func (h *Locked) LastEntry() *ledger.NewEntry { return h.entry }

// Mark stands for Receipt in an answer that is stored before the commit. It is nil for a change without an event.
func (h *Locked) Mark() *ledger.Receipt {
	if !h.changed {
		return nil
	}
	return ledger.Mark(h.Number, h.seq)
}

// Receipt is the receipt of the change, for the caller who made it: that of its last event. It is nil for a change without
// an event. Call it after the commit.
func (h *Locked) Receipt(ctx context.Context, r *ledger.Receipts, c identity.Caller) *ledger.Receipt {
	return r.Of(ctx, h.LastEntry(), h.Number, h.ReportedBy(c))
}

// RemovedOutput is the answer of a route that removes something of a report.
type RemovedOutput struct {
	Body struct {
		_       struct{}        `schema:"RemovalResult"`
		Message string          `json:"message" doc:"What happened, in the reader's language"`
		Receipt *ledger.Receipt `json:"receipt,omitempty" doc:"That of the removal"`
	}
}

// Removed answers with the text of key in the language of the request, and with a receipt.
func Removed(ctx context.Context, key string, receipt *ledger.Receipt) *RemovedOutput {
	out := &RemovedOutput{}
	out.Body.Message, out.Body.Receipt = locale.TextFor(ctx, key), receipt
	return out
}
