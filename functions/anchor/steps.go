package anchor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
)

// retryAfter is the first wait after a failure that may heal.
const retryAfter = 2 * time.Second

func failed(cause error) error { return &notYet{after: retryAfter, cause: cause, failed: true} }

// stepSign signs a transaction and stores it. Nothing is sent that was not stored.
func (w *Worker) stepSign(ctx context.Context, s *submission) error {
	if err := w.admit(ctx, s); err != nil {
		return err
	}
	topic, err := parseEntity(s.TopicID)
	if err != nil {
		return &needsOperator{reason: err.Error()}
	}
	p, err := prepare(ctx, w.Signer, w.payer, w.Network.Pick(), w.config.MaxFee, w.Clock.Now(), submitMessage(topic, s.Message))
	if errors.Is(err, errKeyUnusable) {
		return &needsOperator{reason: err.Error()}
	}
	if err != nil {
		return failed(err)
	}
	s.TransactionID = &p.ID
	err = w.advance(ctx, s, "prepared", func(tx *outbox.Work) error {
		const insert = `INSERT INTO ledger_transactions (id, submission_id, signed, expires_at, created_at) VALUES ($1, $2, $3, $4, $5)`
		if _, err := tx.Exec(ctx, insert, p.ID, s.ID, p.Signed, p.ExpiresAt, w.Clock.Now()); err != nil {
			return fmt.Errorf("store transaction: %w", err)
		}
		return nil
	})
	if err == nil {
		s.Signed, s.ExpiresAt = p.Signed, &p.ExpiresAt
	}
	return err
}

// stepSend sends the stored transaction. That it was sent before does no harm:
// the network knows its id.
func (w *Worker) stepSend(ctx context.Context, s *submission) error {
	if !w.Clock.Now().Before(*s.ExpiresAt) {
		return w.settle(ctx, s)
	}
	if err := w.admit(ctx, s); err != nil {
		return err
	}
	code, err := w.Network.Submit(ctx, s.Signed)
	if err != nil {
		return failed(err)
	}
	switch code {
	case services.ResponseCodeEnum_OK, services.ResponseCodeEnum_DUPLICATE_TRANSACTION:
		w.Metrics.Add("LedgerSubmitted")
		return w.advance(ctx, s, "submitted", func(tx *outbox.Work) error { return w.closeCircuit(ctx, tx) })
	case services.ResponseCodeEnum_TRANSACTION_EXPIRED:
		return w.settle(ctx, s)
	}
	if operatorsFault(code) {
		return &needsOperator{reason: "the network refuses our transactions: " + code.String()}
	}
	return failed(fmt.Errorf("node answered %s", code))
}

// operatorsFault reports refusals that would meet every transaction of ours.
func operatorsFault(code services.ResponseCodeEnum) bool {
	switch code {
	case services.ResponseCodeEnum_INVALID_SIGNATURE, services.ResponseCodeEnum_INSUFFICIENT_PAYER_BALANCE,
		services.ResponseCodeEnum_PAYER_ACCOUNT_NOT_FOUND, services.ResponseCodeEnum_PAYER_ACCOUNT_DELETED,
		services.ResponseCodeEnum_INSUFFICIENT_TX_FEE, services.ResponseCodeEnum_INVALID_TOPIC_ID,
		services.ResponseCodeEnum_TOPIC_EXPIRED, services.ResponseCodeEnum_INVALID_SUBMIT_KEY,
		services.ResponseCodeEnum_UNAUTHORIZED, services.ResponseCodeEnum_KEY_PREFIX_MISMATCH,
		services.ResponseCodeEnum_INVALID_ACCOUNT_ID, services.ResponseCodeEnum_ACCOUNT_DELETED,
		services.ResponseCodeEnum_MESSAGE_SIZE_TOO_LARGE, services.ResponseCodeEnum_TRANSACTION_OVERSIZE:
		return true
	}
	return false
}

// stepReceipt asks what became of a transaction a node took.
func (w *Worker) stepReceipt(ctx context.Context, s *submission) error {
	receipt, err := w.Network.Receipt(ctx, *s.TransactionID)
	switch {
	case err == nil:
		return w.receive(ctx, s, receipt)
	case !w.Clock.Now().Before(*s.ExpiresAt):
		return w.settle(ctx, s)
	case errors.Is(err, errNoReceipt):
		return &notYet{after: w.config.ReceiptDelay, cause: err}
	}
	return failed(err)
}

func (w *Worker) receive(ctx context.Context, s *submission, r *services.TransactionReceipt) error {
	if r.GetStatus() != services.ResponseCodeEnum_SUCCESS {
		if err := w.startOver(ctx, s, r.GetStatus().String()); err != nil {
			return err
		}
		if operatorsFault(r.GetStatus()) {
			return &needsOperator{reason: "the network refuses our messages: " + r.GetStatus().String()}
		}
		return failed(fmt.Errorf("transaction failed at consensus: %s", r.GetStatus()))
	}
	return w.reach(ctx, s, r.GetTopicSequenceNumber(), r.GetTopicRunningHash())
}

// reach records the message's place and wakes the events that waited for it.
func (w *Worker) reach(ctx context.Context, s *submission, sequence uint64, running []byte) error {
	n := int64(sequence)
	s.Sequence, s.RunningHash = &n, running
	return w.advance(ctx, s, "reached", func(tx *outbox.Work) error { return wakeSuccessors(ctx, tx, s.ID) })
}

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
	case errors.Is(err, ledger.ErrNotOnMirror) && horizon.After(s.ExpiresAt.Add(time.Second)):
		return w.startOver(ctx, s, "expired without effect")
	case errors.Is(err, ledger.ErrNotOnMirror):
		return &notYet{after: w.config.ConfirmDelay, cause: errors.New("waiting for the mirror node to pass the transaction's expiry")}
	case err != nil:
		return failed(err)
	case tx.Result != "SUCCESS":
		return w.startOver(ctx, s, tx.Result)
	}
	m, err := w.Mirror.MessageAt(ctx, tx.ConsensusNanos)
	if err != nil {
		return failed(err)
	}
	return w.reach(ctx, s, m.Sequence, m.RunningHash)
}

// startOver gives up a transaction that is proven to have had no effect.
func (w *Worker) startOver(ctx context.Context, s *submission, outcome string) error {
	old := *s.TransactionID
	s.TransactionID = nil
	err := w.advance(ctx, s, "claimed", func(tx *outbox.Work) error {
		if _, err := tx.Exec(ctx, `UPDATE ledger_transactions SET outcome = $2 WHERE id = $1`, old, outcome); err != nil {
			return fmt.Errorf("record outcome: %w", err)
		}
		return nil
	})
	if err != nil {
		s.TransactionID = &old
		return err
	}
	s.Signed, s.ExpiresAt = nil, nil
	w.Log.WarnContext(ctx, "ledger transaction had no effect", "submission_id", s.ID, "transaction_id", old, "outcome", outcome)
	return nil
}

// stepConfirm compares the message with the mirror node's.
func (w *Worker) stepConfirm(ctx context.Context, s *submission) error {
	m, err := w.Mirror.Message(ctx, s.TopicID, uint64(*s.Sequence))
	if errors.Is(err, ledger.ErrNotOnMirror) {
		return &notYet{after: w.config.ConfirmDelay, cause: err}
	}
	if err != nil {
		return failed(err)
	}
	if cause := w.contradiction(s, m); cause != "" {
		w.Metrics.Add("LedgerContradicted")
		w.Log.ErrorContext(ctx, "mirror node contradicts a submission", "submission_id", s.ID, "cause", cause)
		return w.advance(ctx, s, "failed", func(*outbox.Work) error { return nil })
	}
	return w.confirm(ctx, s, m)
}

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
	err := w.advance(ctx, s, "confirmed", func(tx *outbox.Work) error {
		if _, err := tx.Exec(ctx, `UPDATE ledger_submissions SET consensus_nanos = $2 WHERE id = $1`, s.ID, m.ConsensusNanos); err != nil {
			return fmt.Errorf("record consensus time: %w", err)
		}
		return tell(ctx, tx, s.ID)
	})
	if err == nil {
		w.Metrics.Add("LedgerConfirmed")
		w.Metrics.Put("LedgerConfirmationSeconds", w.Clock.Now().Sub(time.Unix(0, m.ConsensusNanos)).Seconds(), "Seconds")
	}
	return err
}

// tell notifies the authors of the reports whose first event was confirmed.
func tell(ctx context.Context, tx *outbox.Work, submission uuid.UUID) error {
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

// maxWoken bounds the messages of one transaction. Past the batch threshold a
// few are as good as many: whoever comes first takes all that wait.
const maxWoken = 100

func wakeSuccessors(ctx context.Context, tx *outbox.Work, submission uuid.UUID) error {
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
