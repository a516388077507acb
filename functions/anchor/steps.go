package anchor

import (
	"context"
	"crypto/sha512"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
)

// retryAfter is the first wait after a failure that may go away.
const retryAfter = 2 * time.Second

// failed makes cause a failure after which the step is tried again.
func failed(cause error) error { return &notYet{after: retryAfter, cause: cause, failed: true} }

// stepSign signs a transaction and stores it. Only a stored transaction is sent.
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
	err = w.advance(ctx, s, ledger.SubmissionPrepared, func(tx *outbox.Tx) error {
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

// stepSend sends the stored transaction. It may have been sent before: the network accepts an id only once.
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
		w.Metrics.Add(catalog.LedgerSubmitted)
		return w.advance(ctx, s, ledger.SubmissionSubmitted, func(tx *outbox.Tx) error { return w.closeCircuit(ctx, tx) })
	case services.ResponseCodeEnum_TRANSACTION_EXPIRED:
		return w.settle(ctx, s)
	}
	if operatorsFault(code) {
		return &needsOperator{reason: "the network refuses our transactions: " + code.String()}
	}
	return failed(fmt.Errorf("node answered %s", code))
}

// operatorsFault reports whether a code means that the network refuses every transaction until an operator acts.
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

// stepReceipt asks for the outcome of a transaction that a node accepted.
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
	if err := checkPosition(r); err != nil {
		return failed(err)
	}
	return w.reach(ctx, s, r.GetTopicSequenceNumber(), r.GetTopicRunningHash())
}

// checkPosition refuses a receipt of success without a valid sequence number and running hash: the worker would wait for
// ever for a message that the mirror node never shows.
func checkPosition(r *services.TransactionReceipt) error {
	if n := r.GetTopicSequenceNumber(); n == 0 || n > math.MaxInt64 || len(r.GetTopicRunningHash()) != sha512.Size384 {
		return errors.New("receipt has no sequence number or running hash")
	}
	return nil
}

// reach records the message's sequence number and wakes the events that waited for it.
func (w *Worker) reach(ctx context.Context, s *submission, sequence uint64, running []byte) error {
	n := int64(sequence)
	s.Sequence, s.RunningHash = &n, running
	return w.advance(ctx, s, ledger.SubmissionReached, func(tx *outbox.Tx) error { return wakeSuccessors(ctx, tx, s.ID) })
}
