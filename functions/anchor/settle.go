package anchor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
)

// mirrorSpread is how far apart the answers of a mirror node may be: many machines are behind its one name, and the one that
// does not know the transaction need not be the one that told how far it has come.
const mirrorSpread = 30 * time.Second

// settle decides what became of a transaction nodes may have forgotten: the
// receipt first, then the mirror node, and only when that has come past the
// transaction's expiry without it, a new one.
func (w *Worker) settle(ctx context.Context, s *submission) error {
	if receipt, err := w.Network.Receipt(ctx, *s.TransactionID); err == nil {
		return w.receive(ctx, s, receipt)
	}
	horizon, err := w.Mirror.Horizon(ctx) // before the lookup, or the answer would prove nothing
	if err != nil {
		return failed(err)
	}
	tx, err := w.Mirror.Transaction(ctx, *s.TransactionID)
	switch {
	case errors.Is(err, ledger.ErrNotOnMirror) && horizon.After(s.ExpiresAt.Add(mirrorSpread)):
		return w.again(ctx, s, "expired without effect")
	case errors.Is(err, ledger.ErrNotOnMirror):
		return &notYet{after: w.config.ConfirmDelay, cause: errors.New("waiting for the mirror node to pass the transaction's expiry")}
	case err != nil:
		return failed(err)
	case tx.Result != "SUCCESS":
		return w.again(ctx, s, tx.Result)
	}
	m, err := w.Mirror.MessageAt(ctx, tx.ConsensusNanos)
	if err != nil {
		return failed(err)
	}
	return w.reach(ctx, s, m.Sequence, m.RunningHash)
}

// again has another transaction made, later each time: one that follows another at once would end as that did, and be paid for
// as that was.
func (w *Worker) again(ctx context.Context, s *submission, outcome string) error {
	if err := w.startOver(ctx, s, outcome); err != nil {
		return err
	}
	return failed(fmt.Errorf("transaction had no effect: %s", outcome))
}

// startOver gives up a transaction that is proven to have had no effect. The attempts of the submission are from then on
// the transactions it has given up.
func (w *Worker) startOver(ctx context.Context, s *submission, outcome string) error {
	old := *s.TransactionID
	s.TransactionID = nil
	var inVain int
	err := w.advance(ctx, s, ledger.SubmissionClaimed, func(tx *outbox.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE ledger_transactions SET outcome = $2 WHERE id = $1`, old, outcome); err != nil {
			return fmt.Errorf("record outcome: %w", err)
		}
		const count = `SELECT count(*) FROM ledger_transactions WHERE submission_id = $1 AND outcome IS NOT NULL`
		if err := tx.QueryRow(ctx, count, s.ID).Scan(&inVain); err != nil {
			return fmt.Errorf("count transactions: %w", err)
		}
		return nil
	})
	if err != nil {
		s.TransactionID = &old
		return err
	}
	s.Signed, s.ExpiresAt, s.Attempts = nil, nil, max(inVain-1, 0)
	w.Log.WarnContext(ctx, "ledger transaction had no effect", "submission_id", s.ID, "transaction_id", old, "outcome", outcome)
	return nil
}
