package anchor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
)

// mirrorSpread is how far behind the others a machine of the mirror node may be. One name stands for many machines: the one
// that does not know the transaction may be behind the one that gave the horizon.
const mirrorSpread = 30 * time.Second

// settle finds the outcome of a transaction that the nodes may have forgotten. It asks for the receipt, then asks the mirror
// node. Only if the mirror node is past the transaction's expiry and does not know it, a new transaction is made.
func (w *Worker) settle(ctx context.Context, s *submission) error {
	if receipt, err := w.Network.Receipt(ctx, *s.TransactionID); err == nil {
		return w.receive(ctx, s, receipt)
	}
	horizon, err := w.Mirror.Horizon(ctx) // before the lookup: otherwise the lookup may be older than the horizon
	if err != nil {
		return failed(err)
	}
	tx, err := w.Mirror.Transaction(ctx, *s.TransactionID)
	switch {
	case errors.Is(err, ledger.ErrNotOnMirror) && horizon.After(s.ExpiresAt.Add(mirrorSpread)):
		return w.replaceLater(ctx, s, "expired without effect")
	case errors.Is(err, ledger.ErrNotOnMirror):
		return &notYet{after: w.config.ConfirmDelay, cause: errors.New("waiting for the mirror node to pass the transaction's expiry")}
	case err != nil:
		return failed(err)
	case tx.Result != "SUCCESS":
		return w.replaceLater(ctx, s, tx.Result)
	}
	m, err := w.Mirror.MessageAt(ctx, tx.ConsensusNanos)
	if err != nil {
		return failed(err)
	}
	return w.reach(ctx, s, m.Sequence, m.RunningHash)
}

// replaceLater gives up the transaction and lets a later message make a new one. The wait grows each time: a transaction
// that fails at consensus is paid for, and the next would fail in the same way.
func (w *Worker) replaceLater(ctx context.Context, s *submission, outcome string) error {
	if err := w.startOver(ctx, s, outcome); err != nil {
		return err
	}
	return failed(fmt.Errorf("transaction had no effect: %s", outcome))
}

// startOver gives up a transaction that is proven to have had no effect. It sets the submission's attempts to the number
// of earlier transactions that were given up.
func (w *Worker) startOver(ctx context.Context, s *submission, outcome string) error {
	old := *s.TransactionID
	s.TransactionID = nil
	var givenUp int
	err := w.advance(ctx, s, ledger.SubmissionClaimed, func(tx *outbox.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE ledger_transactions SET outcome = $2 WHERE id = $1`, old, outcome); err != nil {
			return fmt.Errorf("record outcome: %w", err)
		}
		const count = `SELECT count(*) FROM ledger_transactions WHERE submission_id = $1 AND outcome IS NOT NULL`
		if err := tx.QueryRow(ctx, count, s.ID).Scan(&givenUp); err != nil {
			return fmt.Errorf("count transactions: %w", err)
		}
		return nil
	})
	if err != nil {
		s.TransactionID = &old
		return err
	}
	s.Signed, s.ExpiresAt, s.Attempts = nil, nil, max(givenUp-1, 0)
	w.Log.WarnContext(ctx, "ledger transaction had no effect", "submission_id", s.ID, "transaction_id", old, "outcome", outcome)
	return nil
}
