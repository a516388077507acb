package anchor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
)

// stepConfirm compares the message with the one on the mirror node.
func (w *Worker) stepConfirm(ctx context.Context, s *submission) error {
	m, err := w.Mirror.Message(ctx, s.TopicID, uint64(*s.Sequence))
	if errors.Is(err, ledger.ErrNotOnMirror) {
		return &notYet{after: w.config.ConfirmDelay, cause: err}
	}
	if err != nil {
		return failed(err)
	}
	if cause := w.contradiction(s, m); cause != "" {
		w.Metrics.Add(catalog.LedgerContradicted)
		w.Log.ErrorContext(ctx, "mirror node contradicts a submission", "submission_id", s.ID, "cause", cause)
		return w.advance(ctx, s, ledger.SubmissionFailed, func(*outbox.Tx) error { return nil })
	}
	return w.confirm(ctx, s, m)
}

// contradiction says how the mirror node's message differs from the submission; empty if it does not.
func (w *Worker) contradiction(s *submission, m *ledger.TopicMessage) string {
	switch {
	case !bytes.Equal(m.Contents, s.Message):
		return "other bytes"
	case !slices.Contains(w.config.Ledger.Accounts, m.Payer):
		return "another payer: " + m.Payer
	case m.TransactionID != "" && m.TransactionID != *s.TransactionID:
		return "another transaction: " + m.TransactionID
	case !bytes.Equal(m.RunningHash, s.RunningHash):
		return "another running hash"
	}
	return ""
}

func (w *Worker) confirm(ctx context.Context, s *submission, m *ledger.TopicMessage) error {
	err := w.advance(ctx, s, ledger.SubmissionConfirmed, func(tx *outbox.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE ledger_submissions SET consensus_nanos = $2 WHERE id = $1`, s.ID, m.ConsensusNanos); err != nil {
			return fmt.Errorf("record consensus time: %w", err)
		}
		return notifyAuthors(ctx, tx, s.ID)
	})
	if err == nil {
		w.Metrics.Add(catalog.LedgerConfirmed)
		w.Metrics.Put(catalog.LedgerConfirmationDelay, w.Clock.Now().Sub(time.Unix(0, m.ConsensusNanos)).Seconds())
	}
	return err
}

// notifyAuthors notifies the authors of the reports whose first event was confirmed.
func notifyAuthors(ctx context.Context, tx *outbox.Tx, submission uuid.UUID) error {
	const query = `
SELECT r.id, r.user_id, r.report_number FROM ledger_anchors a JOIN reports r ON r.id = a.report_id
WHERE a.submission_id = $1 AND a.seq = 1 AND r.user_id IS NOT NULL AND r.deleted_at IS NULL`
	rows, err := tx.Query(ctx, query, submission)
	if err != nil {
		return fmt.Errorf("find confirmed reports: %w", err)
	}
	type confirmed struct {
		Report, User uuid.UUID
		Number       string
	}
	reports, err := pgx.CollectRows(rows, pgx.RowToStructByPos[confirmed])
	if err != nil {
		return fmt.Errorf("find confirmed reports: %w", err)
	}
	for _, r := range reports {
		n := notification.New{UserID: r.User, Type: notification.BlockchainConfirmed, EventKey: "blockchain:" + r.Report.String(),
			ReportID: r.Report, Params: map[string]string{notification.ParamReportNumber: r.Number}, Quiet: true}
		if err := notification.Add(ctx, tx, n); err != nil {
			return err
		}
	}
	return nil
}

// maxWoken is the most messages of one transaction. They are enough: past the batch threshold the first message claims all
// waiting events.
const maxWoken = 100

// wakeSuccessors sends a message for the next waiting event of each report in the submission.
func wakeSuccessors(ctx context.Context, tx *outbox.Tx, submission uuid.UUID) error {
	const query = `
SELECT DISTINCT ON (n.report_id) n.event_id
FROM ledger_anchors a JOIN ledger_anchors n ON n.report_id = a.report_id AND n.seq > a.seq AND n.submission_id IS NULL
WHERE a.submission_id = $1
ORDER BY n.report_id, n.seq LIMIT $2`
	rows, err := tx.Query(ctx, query, submission, maxWoken)
	if err != nil {
		return fmt.Errorf("find successors: %w", err)
	}
	next, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return fmt.Errorf("find successors: %w", err)
	}
	for _, id := range next {
		if err := tx.Send(ctx, queue.Anchor, queue.AnchorMessage{EventID: id}); err != nil {
			return err
		}
	}
	return nil
}

// mirrorSpread is the largest difference in horizon between two machines of the mirror node. Its address leads to many
// machines. So the machine that does not have the transaction may be older than the machine that gave the horizon.
const mirrorSpread = 30 * time.Second

// settle finds the outcome of a transaction whose receipt the nodes may have dropped. It asks the nodes for the receipt,
// then the mirror node for the transaction. It allows a new transaction only if the mirror node is past the expiry of the
// old one and does not have it.
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
