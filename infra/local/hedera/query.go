package hedera

import (
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
)

// receipt answers TransactionGetReceipt; free of charge, as on the network.
func (n *node) receipt(q *services.Query) *services.Response {
	code, rec := n.find(q.GetTransactionGetReceipt().GetTransactionID())
	answer := &services.TransactionGetReceiptResponse{Header: &services.ResponseHeader{NodeTransactionPrecheckCode: code}}
	if rec != nil {
		answer.Receipt = rec.receipt()
	}
	return &services.Response{Response: &services.Response_TransactionGetReceipt{TransactionGetReceipt: answer}}
}

// transactionRecord answers TransactionGetRecord. The network charges for it; this one does not.
func (n *node) transactionRecord(q *services.Query) *services.Response {
	code, rec := n.find(q.GetTransactionGetRecord().GetTransactionID())
	if code == services.ResponseCodeEnum_RECEIPT_NOT_FOUND {
		code = services.ResponseCodeEnum_RECORD_NOT_FOUND
	}
	answer := &services.TransactionGetRecordResponse{Header: &services.ResponseHeader{NodeTransactionPrecheckCode: code}}
	if rec != nil {
		answer.TransactionRecord = &services.TransactionRecord{
			Receipt: rec.receipt(), TransactionHash: rec.Hash, Memo: rec.Memo, TransactionFee: uint64(rec.Fee),
			ConsensusTimestamp: protoTime(rec.Consensus), TransactionID: rec.protoID(),
		}
	}
	return &services.Response{Response: &services.Response_TransactionGetRecord{TransactionGetRecord: answer}}
}

// find looks up a transaction as a node does. Before consensus its status is UNKNOWN;
// after receiptLife it is not found.
func (n *node) find(id *services.TransactionID) (services.ResponseCodeEnum, *transaction) {
	rec := n.server.state.transactions[transactionID(id)]
	now := n.server.state.now()
	switch {
	case rec == nil || now.After(rec.Consensus.Add(receiptLife)):
		return services.ResponseCodeEnum_RECEIPT_NOT_FOUND, nil
	case !n.server.state.past(rec.Consensus, 0):
		return services.ResponseCodeEnum_OK, &transaction{Status: int32(services.ResponseCodeEnum_UNKNOWN)}
	}
	return services.ResponseCodeEnum_OK, rec
}

func (n *node) balance(q *services.Query) *services.Response {
	id := q.GetCryptogetAccountBalance().GetAccountID()
	answer := &services.CryptoGetAccountBalanceResponse{Header: &services.ResponseHeader{}, AccountID: id}
	if a := n.server.state.accounts[id.GetAccountNum()]; a != nil {
		answer.Balance = uint64(a.Balance)
	} else {
		answer.Header.NodeTransactionPrecheckCode = services.ResponseCodeEnum_INVALID_ACCOUNT_ID
	}
	return &services.Response{Response: &services.Response_CryptogetAccountBalance{CryptogetAccountBalance: answer}}
}

func (t *transaction) receipt() *services.TransactionReceipt {
	r := &services.TransactionReceipt{Status: services.ResponseCodeEnum(t.Status)}
	if t.Status != int32(services.ResponseCodeEnum_SUCCESS) {
		return r
	}
	if t.Name == "CONSENSUSCREATETOPIC" {
		r.TopicID = &services.TopicID{TopicNum: t.Topic}
		return r
	}
	r.TopicSequenceNumber, r.TopicRunningHash, r.TopicRunningHashVersion = t.Sequence, t.Running, 3
	return r
}

func (t *transaction) protoID() *services.TransactionID {
	return &services.TransactionID{
		AccountID:             &services.AccountID{Account: &services.AccountID_AccountNum{AccountNum: t.Payer}},
		TransactionValidStart: protoTime(t.ValidStart),
	}
}

func protoTime(t time.Time) *services.Timestamp {
	return &services.Timestamp{Seconds: t.Unix(), Nanos: int32(t.Nanosecond())}
}
