package anchor

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/sdk"
	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"google.golang.org/protobuf/proto"
)

// validFor is how long the network takes a transaction after its valid start.
const validFor = 120 * time.Second

// startBehind puts the valid start into the past, so that a node whose clock is
// behind ours does not refuse it as being in the future.
const startBehind = 8 * time.Second

// Prepared is a signed transaction. It is stored before it is sent; every attempt sends the same bytes.
type Prepared struct {
	ID        string // 0.0.A@seconds.nanos
	Signed    []byte // the SDK's transaction list, one signed variant a node
	ExpiresAt time.Time
}

// prepare makes the transaction of operation and signs it once for each node.
//
// This is the SDK's path for hardware keys (freeze for named nodes, sign each
// body, add the signatures), on its protobufs alone: the SDK's transaction
// package would add 10 MB to the binary. A test compares the bytes with the SDK's.
func prepare(ctx context.Context, s *Signer, payer int64, nodes []int64, maxFee int64, now time.Time,
	operation func(*services.TransactionBody)) (*Prepared, error) {
	key, err := s.PublicKey(ctx)
	if err != nil {
		return nil, err
	}
	// Random nanoseconds keep two workers' ids apart.
	start := now.Add(-startBehind - rand.N(time.Second)).UTC()
	id := &services.TransactionID{
		AccountID:             accountID(payer),
		TransactionValidStart: &services.Timestamp{Seconds: start.Unix(), Nanos: int32(start.Nanosecond())},
	}
	var list sdk.TransactionList
	for _, node := range nodes {
		body := &services.TransactionBody{
			TransactionID: id, NodeAccountID: accountID(node), TransactionFee: uint64(maxFee),
			TransactionValidDuration: &services.Duration{Seconds: int64(validFor / time.Second)},
		}
		operation(body)
		variant, err := sign(ctx, s, key, body)
		if err != nil {
			return nil, err
		}
		list.TransactionList = append(list.TransactionList, variant)
	}
	signed, err := proto.Marshal(&list)
	if err != nil {
		return nil, fmt.Errorf("encode transaction: %w", err)
	}
	return &Prepared{ID: transactionID(id), Signed: signed, ExpiresAt: start.Add(validFor)}, nil
}

func sign(ctx context.Context, s *Signer, key []byte, body *services.TransactionBody) (*services.Transaction, error) {
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode transaction body: %w", err)
	}
	signature, err := s.Sign(ctx, raw)
	if err != nil {
		return nil, err
	}
	signed, err := proto.Marshal(&services.SignedTransaction{BodyBytes: raw, SigMap: &services.SignatureMap{
		SigPair: []*services.SignaturePair{{
			PubKeyPrefix: key, Signature: &services.SignaturePair_ECDSASecp256K1{ECDSASecp256K1: signature}}},
	}})
	if err != nil {
		return nil, fmt.Errorf("encode signed transaction: %w", err)
	}
	return &services.Transaction{SignedTransactionBytes: signed}, nil
}

// submitMessage is one message, in one chunk, on a topic.
func submitMessage(topic int64, message []byte) func(*services.TransactionBody) {
	return func(b *services.TransactionBody) {
		b.Data = &services.TransactionBody_ConsensusSubmitMessage{
			ConsensusSubmitMessage: &services.ConsensusSubmitMessageTransactionBody{
				TopicID: &services.TopicID{TopicNum: topic}, Message: message,
				ChunkInfo: &services.ConsensusMessageChunkInfo{InitialTransactionID: b.GetTransactionID(), Total: 1, Number: 1},
			}}
	}
}

// createTopic is the body that creates a topic. Only the owner of the key may write to the topic, and nobody may change it.
func createTopic(memo string, submitKey []byte, payer int64) func(*services.TransactionBody) {
	return func(b *services.TransactionBody) {
		b.Data = &services.TransactionBody_ConsensusCreateTopic{
			ConsensusCreateTopic: &services.ConsensusCreateTopicTransactionBody{
				Memo:            memo,
				SubmitKey:       &services.Key{Key: &services.Key_ECDSASecp256K1{ECDSASecp256K1: submitKey}},
				AutoRenewPeriod: &services.Duration{Seconds: 7_890_000}, AutoRenewAccount: accountID(payer),
			}}
	}
}

func accountID(num int64) *services.AccountID {
	return &services.AccountID{Account: &services.AccountID_AccountNum{AccountNum: num}}
}

// transactionID is the written form the SDK uses.
func transactionID(id *services.TransactionID) string {
	return fmt.Sprintf("0.0.%d@%d.%09d", id.GetAccountID().GetAccountNum(),
		id.GetTransactionValidStart().GetSeconds(), id.GetTransactionValidStart().GetNanos())
}

// parseTransactionID is its inverse.
func parseTransactionID(id string) (*services.TransactionID, error) {
	var account, seconds int64
	var nanos int32
	if _, err := fmt.Sscanf(id, "0.0.%d@%d.%09d", &account, &seconds, &nanos); err != nil {
		return nil, fmt.Errorf("transaction id %q is malformed", id)
	}
	return &services.TransactionID{AccountID: accountID(account),
		TransactionValidStart: &services.Timestamp{Seconds: seconds, Nanos: nanos}}, nil
}
