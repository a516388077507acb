package hedera

import (
	"context"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/lafaekstreet/backend/infra/local/faults"
)

// nonsense is a response code that does not exist.
const nonsense = services.ResponseCodeEnum(987654)

type consensusService struct {
	services.UnimplementedConsensusServiceServer
	node *node
}

func (c consensusService) CreateTopic(ctx context.Context, tx *services.Transaction) (*services.TransactionResponse, error) {
	return c.node.transact(ctx, "CreateTopic", tx, c.node.createTopic)
}

func (c consensusService) SubmitMessage(ctx context.Context, tx *services.Transaction) (*services.TransactionResponse, error) {
	return c.node.transact(ctx, "SubmitMessage", tx, c.node.submitMessage)
}

type cryptoService struct {
	services.UnimplementedCryptoServiceServer
	node *node
}

func (c cryptoService) GetTransactionReceipts(ctx context.Context, q *services.Query) (*services.Response, error) {
	return c.node.query(ctx, "GetTransactionReceipts", q, c.node.receipt)
}

func (c cryptoService) GetTxRecordByTxID(ctx context.Context, q *services.Query) (*services.Response, error) {
	return c.node.query(ctx, "GetTxRecordByTxID", q, c.node.transactionRecord)
}

func (c cryptoService) CryptoGetBalance(ctx context.Context, q *services.Query) (*services.Response, error) {
	return c.node.query(ctx, "CryptoGetBalance", q, c.node.balance)
}

// transact runs effect while it holds the state's lock, or fails as the next fault says.
func (n *node) transact(ctx context.Context, operation string, tx *services.Transaction,
	effect func(*services.Transaction) (services.ResponseCodeEnum, error)) (*services.TransactionResponse, error) {
	n.server.count(operation)
	mode, faulty := n.server.opts.Faults.Take("hedera", operation)
	switch {
	case faulty && mode == faults.Error:
		return nil, status.Error(codes.Unavailable, "node is going down")
	case faulty && mode == faults.Throttle:
		return &services.TransactionResponse{NodeTransactionPrecheckCode: services.ResponseCodeEnum_BUSY}, nil
	case faulty && mode == faults.Timeout:
		return nil, n.server.hold(ctx)
	case faulty && mode == faults.Malformed:
		return &services.TransactionResponse{NodeTransactionPrecheckCode: nonsense}, nil
	}
	n.server.state.mu.Lock()
	code, err := effect(tx)
	n.server.state.mu.Unlock()
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	if faulty {
		return nil, status.Error(codes.Unavailable, "connection lost before the answer")
	}
	return &services.TransactionResponse{NodeTransactionPrecheckCode: code}, nil
}

// query answers q while it holds the state's lock, or fails as the next fault says.
func (n *node) query(ctx context.Context, operation string, q *services.Query, answer func(*services.Query) *services.Response) (*services.Response, error) {
	n.server.count(operation)
	mode, faulty := n.server.opts.Faults.Take("hedera", operation)
	switch {
	case faulty && (mode == faults.Error || mode == faults.DropReply):
		return nil, status.Error(codes.Unavailable, "node is going down")
	case faulty && mode == faults.Timeout:
		return nil, n.server.hold(ctx)
	case faulty && mode == faults.Malformed:
		return &services.Response{}, nil
	}
	n.server.state.mu.Lock()
	defer n.server.state.mu.Unlock()
	resp := answer(q)
	if faulty && mode == faults.Throttle {
		busy := &services.ResponseHeader{NodeTransactionPrecheckCode: services.ResponseCodeEnum_BUSY}
		resp = &services.Response{Response: &services.Response_TransactionGetReceipt{
			TransactionGetReceipt: &services.TransactionGetReceiptResponse{Header: busy}}}
	}
	return resp, nil
}
