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
func (r *round) stepSign(ctx context.Context, m *message) error {
	if err := r.admit(ctx, m); err != nil {
		return err
	}
	topic, err := parseEntity(m.TopicID)
	if err != nil {
		return &needsOperator{reason: err.Error()}
	}
	p, err := prepare(ctx, r.Signer, r.payer, r.Network.Pick(), r.config.MaxFee, r.Clock.Now(), submitMessage(topic, m.Message))
	if errors.Is(err, errKeyUnusable) {
		return &needsOperator{reason: err.Error()}
	}
	if err != nil {
		return failed(err)
	}
	return r.advance(ctx, m, func(n *message) {
		n.State, n.TransactionID, n.Signed, n.ExpiresAt = ledger.MessagePrepared, &p.ID, p.Signed, &p.ExpiresAt
	})
}

// stepSend sends the stored transaction. It may have been sent before: the network accepts an id only once.
func (r *round) stepSend(ctx context.Context, m *message) error {
	if !r.Clock.Now().Before(*m.ExpiresAt) {
		return r.settle(ctx, m)
	}
	if err := r.admit(ctx, m); err != nil {
		return err
	}
	code, err := r.Network.Submit(ctx, m.Signed)
	if err != nil {
		return failed(err)
	}
	switch code {
	case services.ResponseCodeEnum_OK, services.ResponseCodeEnum_DUPLICATE_TRANSACTION:
		r.Metrics.Add(catalog.LedgerSubmitted)
		return r.advance(ctx, m, func(n *message) { n.State = ledger.MessageSubmitted },
			func(tx *outbox.Tx) error { return r.closeCircuit(ctx, tx) })
	case services.ResponseCodeEnum_TRANSACTION_EXPIRED:
		return r.settle(ctx, m)
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
func (r *round) stepReceipt(ctx context.Context, m *message) error {
	receipt, err := r.Network.Receipt(ctx, *m.TransactionID)
	switch {
	case err == nil:
		return r.receive(ctx, m, receipt)
	case !r.Clock.Now().Before(*m.ExpiresAt):
		return r.settle(ctx, m)
	case errors.Is(err, errNoReceipt):
		return &notYet{after: r.config.ReceiptDelay, cause: err}
	}
	return failed(err)
}

func (r *round) receive(ctx context.Context, m *message, receipt *services.TransactionReceipt) error {
	if receipt.GetStatus() != services.ResponseCodeEnum_SUCCESS {
		if err := r.startOver(ctx, m, receipt.GetStatus().String()); err != nil {
			return err
		}
		if operatorsFault(receipt.GetStatus()) {
			return &needsOperator{reason: "the network refuses our messages: " + receipt.GetStatus().String()}
		}
		return failed(fmt.Errorf("transaction failed at consensus: %s", receipt.GetStatus()))
	}
	if err := checkPosition(receipt); err != nil {
		return failed(err)
	}
	return r.reach(ctx, m, receipt.GetTopicSequenceNumber(), receipt.GetTopicRunningHash())
}

// checkPosition refuses a receipt of success without a valid sequence number and running hash: the worker would wait for
// ever for a message that the mirror node never shows.
func checkPosition(r *services.TransactionReceipt) error {
	if n := r.GetTopicSequenceNumber(); n == 0 || n > math.MaxInt64 || len(r.GetTopicRunningHash()) != sha512.Size384 {
		return errors.New("receipt has no sequence number or running hash")
	}
	return nil
}

// reach records the message's place on the topic.
func (r *round) reach(ctx context.Context, m *message, sequence uint64, running []byte) error {
	place := int64(sequence)
	return r.advance(ctx, m, func(n *message) {
		n.State, n.Sequence, n.RunningHash, n.Attempts = ledger.MessageReached, &place, running, 0
	})
}
