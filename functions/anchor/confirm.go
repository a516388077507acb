package anchor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/ledger"
)

// stepConfirm compares the message with the one on the mirror node.
func (r *round) stepConfirm(ctx context.Context, m *message) error {
	onMirror, err := r.Mirror.Message(ctx, m.TopicID, uint64(*m.Sequence))
	if errors.Is(err, ledger.ErrNotOnMirror) {
		return &notYet{after: r.config.ConfirmDelay, cause: err}
	}
	if err != nil {
		return failed(err)
	}
	if cause := r.contradiction(m, onMirror); cause != "" {
		r.Metrics.Add(catalog.LedgerContradicted)
		r.Log.ErrorContext(ctx, "mirror node contradicts a ledger message", "message_id", m.ID, "cause", cause)
		return r.advance(ctx, m, func(n *message) { n.State = ledger.MessageFailed })
	}
	err = r.advance(ctx, m, func(n *message) { n.State, n.Consensus = ledger.MessageConfirmed, &onMirror.ConsensusNanos })
	if err == nil {
		r.Metrics.Add(catalog.LedgerConfirmed)
		r.Metrics.Put(catalog.LedgerConfirmationDelay, r.Clock.Now().Sub(time.Unix(0, onMirror.ConsensusNanos)).Seconds())
	}
	return err
}

// contradiction says how the mirror node's message differs from m; empty if it does not.
func (r *round) contradiction(m *message, onMirror *ledger.TopicMessage) string {
	switch {
	case !bytes.Equal(onMirror.Contents, m.Message):
		return "other bytes"
	case !slices.Contains(r.config.Ledger.Accounts, onMirror.Payer):
		return "another payer: " + onMirror.Payer
	case onMirror.TransactionID != "" && onMirror.TransactionID != *m.TransactionID:
		return "another transaction: " + onMirror.TransactionID
	case !bytes.Equal(onMirror.RunningHash, m.RunningHash):
		return "another running hash"
	}
	return ""
}

// mirrorSpread is the largest difference in horizon between two machines of the mirror node. Its address leads to many
// machines. So the machine that does not have the transaction may be older than the machine that gave the horizon.
const mirrorSpread = 30 * time.Second

// settle finds the outcome of a transaction whose receipt the nodes may have dropped. It asks the nodes for the receipt,
// then the mirror node for the transaction. It allows a new transaction only if the mirror node is past the expiry of the
// old one and does not have it.
func (r *round) settle(ctx context.Context, m *message) error {
	if receipt, err := r.Network.Receipt(ctx, *m.TransactionID); err == nil {
		return r.receive(ctx, m, receipt)
	}
	horizon, err := r.Mirror.Horizon(ctx) // before the lookup: otherwise the lookup may be older than the horizon
	if err != nil {
		return failed(err)
	}
	tx, err := r.Mirror.Transaction(ctx, *m.TransactionID)
	switch {
	case errors.Is(err, ledger.ErrNotOnMirror) && horizon.After(m.ExpiresAt.Add(mirrorSpread)):
		return r.replaceLater(ctx, m, "expired without effect")
	case errors.Is(err, ledger.ErrNotOnMirror):
		return &notYet{after: r.config.ConfirmDelay, cause: errors.New("waiting for the mirror node to pass the transaction's expiry")}
	case err != nil:
		return failed(err)
	case tx.Result != "SUCCESS":
		return r.replaceLater(ctx, m, tx.Result)
	}
	onMirror, err := r.Mirror.MessageAt(ctx, tx.ConsensusNanos)
	if err != nil {
		return failed(err)
	}
	return r.reach(ctx, m, onMirror.Sequence, onMirror.RunningHash)
}

// replaceLater gives up the transaction and lets a later round make a new one. The wait grows each time: a transaction that
// fails at consensus is paid for, and the next would fail in the same way.
func (r *round) replaceLater(ctx context.Context, m *message, outcome string) error {
	if err := r.startOver(ctx, m, outcome); err != nil {
		return err
	}
	return failed(fmt.Errorf("transaction had no effect: %s", outcome))
}

// startOver gives up a transaction that is proven to have had no effect.
func (r *round) startOver(ctx context.Context, m *message, outcome string) error {
	old := *m.TransactionID
	err := r.advance(ctx, m, func(n *message) {
		n.State, n.TransactionID, n.Signed, n.ExpiresAt = ledger.MessageClaimed, nil, nil, nil
	})
	if err == nil {
		r.Log.WarnContext(ctx, "ledger transaction had no effect", "message_id", m.ID, "transaction_id", old, "outcome", outcome)
	}
	return err
}
