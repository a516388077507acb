package hedera

import (
	"crypto/sha512"
	"fmt"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"google.golang.org/protobuf/proto"
)

// The network's own limits.
const (
	maxTransactionBytes = 6144
	maxMessageBytes     = 1024
	maxDuration         = 180 * time.Second
	// receiptLife is how long nodes keep a receipt. After that only the mirror node has the outcome.
	receiptLife = 180 * time.Second
	// Fees of a message and of a topic: about USD 0.0008 and 0.01, at USD 0.08 for one hbar.
	messageFee = TinybarsPerHbar / 100
	topicFee   = TinybarsPerHbar / 8
)

// node is one consensus node; all nodes share the server's state.
type node struct {
	server  *Server
	account int64
	addr    string
}

// accepted is a transaction that passed a node's precheck.
type accepted struct {
	body       *services.TransactionBody
	signatures *services.SignatureMap
	signed     []byte // body bytes the signatures cover
	record     transaction
}

// precheck makes the checks that a node makes before it sends a transaction to the network.
// The caller holds the state's lock.
func (n *node) precheck(tx *services.Transaction) (*accepted, services.ResponseCodeEnum) {
	if len(tx.GetSignedTransactionBytes()) > maxTransactionBytes {
		return nil, services.ResponseCodeEnum_TRANSACTION_OVERSIZE
	}
	var signed services.SignedTransaction
	var body services.TransactionBody
	if proto.Unmarshal(tx.GetSignedTransactionBytes(), &signed) != nil || proto.Unmarshal(signed.GetBodyBytes(), &body) != nil {
		return nil, services.ResponseCodeEnum_INVALID_TRANSACTION
	}
	id := body.GetTransactionID()
	if id.GetAccountID() == nil || id.GetTransactionValidStart() == nil {
		return nil, services.ResponseCodeEnum_INVALID_TRANSACTION_ID
	}
	if body.GetNodeAccountID().GetAccountNum() != n.account {
		return nil, services.ResponseCodeEnum_INVALID_NODE_ACCOUNT
	}
	st := n.server.state
	start := time.Unix(id.GetTransactionValidStart().GetSeconds(), int64(id.GetTransactionValidStart().GetNanos())).UTC()
	life := time.Duration(body.GetTransactionValidDuration().GetSeconds()) * time.Second
	switch now := st.now(); {
	case life <= 0 || life > maxDuration:
		return nil, services.ResponseCodeEnum_INVALID_TRANSACTION_DURATION
	case start.After(now):
		return nil, services.ResponseCodeEnum_INVALID_TRANSACTION_START
	case !now.Before(start.Add(life)):
		return nil, services.ResponseCodeEnum_TRANSACTION_EXPIRED
	}
	payer := st.accounts[id.GetAccountID().GetAccountNum()]
	if payer == nil {
		return nil, services.ResponseCodeEnum_PAYER_ACCOUNT_NOT_FOUND
	}
	if st.transactions[transactionID(id)] != nil {
		return nil, services.ResponseCodeEnum_DUPLICATE_TRANSACTION
	}
	if !signedBy(signed.GetSigMap(), payer.Key, signed.GetBodyBytes()) {
		return nil, services.ResponseCodeEnum_INVALID_SIGNATURE
	}
	hash := sha512.Sum384(tx.GetSignedTransactionBytes())
	return &accepted{
		body: &body, signatures: signed.GetSigMap(), signed: signed.GetBodyBytes(),
		record: transaction{
			ID: transactionID(id), Payer: payer.Num, Node: n.account, ValidStart: start,
			Duration: int64(life / time.Second), Hash: hash[:], Memo: body.GetMemo(),
		},
	}, services.ResponseCodeEnum_OK
}

// charge checks that the maximum fee of the transaction and the balance of the payer are not less than fee.
func (n *node) charge(a *accepted, fee int64) services.ResponseCodeEnum {
	if a.body.GetTransactionFee() < uint64(fee) {
		return services.ResponseCodeEnum_INSUFFICIENT_TX_FEE
	}
	if n.server.state.accounts[a.record.Payer].Balance < fee {
		return services.ResponseCodeEnum_INSUFFICIENT_PAYER_BALANCE
	}
	a.record.Fee = fee
	return services.ResponseCodeEnum_OK
}

// submitMessage takes a message to consensus. The caller holds the state's lock.
func (n *node) submitMessage(tx *services.Transaction) (services.ResponseCodeEnum, error) {
	a, code := n.precheck(tx)
	if code != services.ResponseCodeEnum_OK {
		return code, nil
	}
	op := a.body.GetConsensusSubmitMessage()
	if op == nil {
		return services.ResponseCodeEnum_INVALID_TRANSACTION_BODY, nil
	}
	if code := n.charge(a, messageFee); code != services.ResponseCodeEnum_OK {
		return code, nil
	}
	st := n.server.state
	rec := a.record
	rec.Name, rec.Consensus = "CONSENSUSSUBMITMESSAGE", st.consensusTime()
	rec.Topic = op.GetTopicID().GetTopicNum()
	t := st.topics[rec.Topic]
	switch {
	case t == nil:
		rec.Status = int32(services.ResponseCodeEnum_INVALID_TOPIC_ID)
	case len(op.GetMessage()) == 0:
		rec.Status = int32(services.ResponseCodeEnum_INVALID_TOPIC_MESSAGE)
	case len(op.GetMessage()) > maxMessageBytes:
		rec.Status = int32(services.ResponseCodeEnum_MESSAGE_SIZE_TOO_LARGE)
	case t.SubmitKey != nil && !signedBy(a.signatures, t.SubmitKey, a.signed):
		rec.Status = int32(services.ResponseCodeEnum_INVALID_SIGNATURE)
	default:
		return services.ResponseCodeEnum_OK, st.commitMessage(rec, t, op.GetMessage())
	}
	return services.ResponseCodeEnum_OK, st.record(entry{Transaction: &rec})
}

// commitMessage appends contents to t as the effect of rec.
func (s *state) commitMessage(rec transaction, t *topic, contents []byte) error {
	rec.Status = int32(services.ResponseCodeEnum_SUCCESS)
	rec.Sequence = uint64(len(t.messages)) + 1
	hash := runningHash(t.runningHash, rec.Payer, t.Num, rec.Consensus, rec.Sequence, contents)
	rec.Running = hash[:]
	return s.record(entry{Transaction: &rec, Message: &Message{
		TopicID: formatID(t.Num), SequenceNumber: rec.Sequence, ConsensusTimestamp: rec.Consensus,
		PayerAccountID: formatID(rec.Payer), TransactionID: rec.ID, Contents: contents, RunningHash: hash[:],
	}})
}

// createTopic takes a topic creation to consensus. The caller holds the state's lock.
func (n *node) createTopic(tx *services.Transaction) (services.ResponseCodeEnum, error) {
	a, code := n.precheck(tx)
	if code != services.ResponseCodeEnum_OK {
		return code, nil
	}
	op := a.body.GetConsensusCreateTopic()
	if op == nil {
		return services.ResponseCodeEnum_INVALID_TRANSACTION_BODY, nil
	}
	if code := n.charge(a, topicFee); code != services.ResponseCodeEnum_OK {
		return code, nil
	}
	st := n.server.state
	rec := a.record
	rec.Name, rec.Consensus = "CONSENSUSCREATETOPIC", st.consensusTime()
	submit, okSubmit := ecdsaKey(op.GetSubmitKey())
	admin, okAdmin := ecdsaKey(op.GetAdminKey())
	switch {
	case !okSubmit:
		rec.Status = int32(services.ResponseCodeEnum_INVALID_SUBMIT_KEY)
	case !okAdmin:
		rec.Status = int32(services.ResponseCodeEnum_INVALID_ADMIN_KEY)
	case admin != nil && !signedBy(a.signatures, admin, a.signed):
		rec.Status = int32(services.ResponseCodeEnum_INVALID_SIGNATURE)
	case op.GetAutoRenewAccount() != nil && op.GetAutoRenewAccount().GetAccountNum() != rec.Payer:
		// Another account would also have to sign. Here only the payer can.
		rec.Status = int32(services.ResponseCodeEnum_INVALID_SIGNATURE)
	default:
		rec.Status, rec.Topic = int32(services.ResponseCodeEnum_SUCCESS), st.nextID
		t := &topic{Num: st.nextID, Memo: op.GetMemo(), SubmitKey: submit, AdminKey: admin}
		return services.ResponseCodeEnum_OK, st.record(entry{Topic: t, Transaction: &rec})
	}
	return services.ResponseCodeEnum_OK, st.record(entry{Transaction: &rec})
}

// ecdsaKey returns an optional key. It reports false for a kind of key that this network does not support.
func ecdsaKey(k *services.Key) ([]byte, bool) {
	if k == nil {
		return nil, true
	}
	point, err := parseKey(k.GetECDSASecp256K1())
	return point, err == nil
}

// transactionID is the SDK's written form, nanoseconds padded to nine digits.
func transactionID(id *services.TransactionID) string {
	return fmt.Sprintf("0.0.%d@%d.%09d", id.GetAccountID().GetAccountNum(),
		id.GetTransactionValidStart().GetSeconds(), id.GetTransactionValidStart().GetNanos())
}
