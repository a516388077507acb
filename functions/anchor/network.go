package anchor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/sdk"
	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
)

var (
	// errNodes reports that no node gave a final answer. The transaction may have taken effect.
	errNodes = errors.New("no consensus node answered")
	// errNoReceipt reports that a node does not know the transaction: not yet, no longer, or never.
	errNoReceipt = errors.New("no receipt")
)

// Network calls consensus nodes, an explicit list, by gRPC without TLS. What it sends is public and signed. Its answers are
// final only when the mirror node shows the same, over TLS.
//
// Unlike the SDK's client it takes a context, never sleeps, and returns an error for a status that it does not know.
type Network struct {
	nodes   map[int64]*grpc.ClientConn // by account number
	perTx   int
	timeout time.Duration
}

// NewNetwork connects lazily to nodes (host:port → 0.0.N). A transaction is for
// perTx of them; timeout bounds one call.
func NewNetwork(nodes map[string]string, perTx int, timeout time.Duration) (*Network, error) {
	n := &Network{nodes: make(map[int64]*grpc.ClientConn, len(nodes)), perTx: perTx, timeout: timeout}
	for addr, id := range nodes {
		num, err := parseEntity(id)
		if err != nil {
			return nil, fmt.Errorf("consensus node %s: %w", addr, err)
		}
		conn, err := grpc.NewClient("passthrough:///"+addr, grpc.WithTransportCredentials(insecure.NewCredentials()),
			// A thawed Lambda finds its connections dead; an idle one is closed before that.
			grpc.WithIdleTimeout(30*time.Second))
		if err != nil {
			return nil, fmt.Errorf("consensus node %s: %w", addr, err)
		}
		n.nodes[num] = conn
	}
	return n, nil
}

// Pick chooses the nodes of a transaction at random.
func (n *Network) Pick() []int64 {
	all := slices.Collect(maps.Keys(n.nodes))
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:min(n.perTx, len(all))]
}

// Submit sends a signed transaction to its nodes, one after the other, until one gives a final answer, and returns that
// answer. It fails with errNodes if none does.
func (n *Network) Submit(ctx context.Context, signed []byte) (services.ResponseCodeEnum, error) {
	var list sdk.TransactionList
	if err := proto.Unmarshal(signed, &list); err != nil {
		return 0, fmt.Errorf("stored transaction: %w", err)
	}
	last := errors.New("none of its nodes is configured any more")
	for _, tx := range list.GetTransactionList() {
		body, err := bodyOf(tx)
		if err != nil {
			return 0, err
		}
		conn := n.nodes[body.GetNodeAccountID().GetAccountNum()]
		if conn == nil {
			continue
		}
		code, err := n.submit(ctx, conn, tx, body)
		switch {
		case err != nil:
			last = err
		case anotherNode(code):
			last = fmt.Errorf("node answered %s", code)
		default:
			return code, nil
		}
	}
	return 0, fmt.Errorf("%w: %w", errNodes, last)
}

func (n *Network) submit(ctx context.Context, conn *grpc.ClientConn, tx *services.Transaction, body *services.TransactionBody) (services.ResponseCodeEnum, error) {
	ctx, cancel := context.WithTimeout(ctx, n.timeout)
	defer cancel()
	client := services.NewConsensusServiceClient(conn)
	call := client.SubmitMessage
	if body.GetConsensusCreateTopic() != nil {
		call = client.CreateTopic
	}
	resp, err := call(ctx, tx)
	return resp.GetNodeTransactionPrecheckCode(), err
}

// anotherNode reports whether a code is about the node: another node may accept the same transaction.
func anotherNode(code services.ResponseCodeEnum) bool {
	switch code {
	case services.ResponseCodeEnum_BUSY, services.ResponseCodeEnum_PLATFORM_NOT_ACTIVE,
		services.ResponseCodeEnum_PLATFORM_TRANSACTION_NOT_CREATED, services.ResponseCodeEnum_INVALID_NODE_ACCOUNT:
		return true
	}
	return false
}

func bodyOf(tx *services.Transaction) (*services.TransactionBody, error) {
	var signed services.SignedTransaction
	var body services.TransactionBody
	if err := proto.Unmarshal(tx.GetSignedTransactionBytes(), &signed); err != nil {
		return nil, fmt.Errorf("stored transaction: %w", err)
	}
	if err := proto.Unmarshal(signed.GetBodyBytes(), &body); err != nil {
		return nil, fmt.Errorf("stored transaction: %w", err)
	}
	return &body, nil
}

// Receipt asks for the outcome of a transaction. errNoReceipt when a node does
// not know it, errNodes when no node answered.
func (n *Network) Receipt(ctx context.Context, id string) (*services.TransactionReceipt, error) {
	txID, err := parseTransactionID(id)
	if err != nil {
		return nil, err
	}
	query := &services.Query{Query: &services.Query_TransactionGetReceipt{
		TransactionGetReceipt: &services.TransactionGetReceiptQuery{Header: &services.QueryHeader{}, TransactionID: txID}}}
	var last error
	for _, num := range n.Pick() {
		resp, err := n.query(ctx, n.nodes[num], query)
		if err == nil {
			var receipt *services.TransactionReceipt
			if receipt, err = outcome(resp); err == nil || errors.Is(err, errNoReceipt) {
				return receipt, err
			}
		}
		last = err
	}
	return nil, fmt.Errorf("%w: %w", errNodes, last)
}

// outcome returns the receipt in a response. It fails with errNoReceipt if the node does not know the outcome.
func outcome(resp *services.Response) (*services.TransactionReceipt, error) {
	answer := resp.GetTransactionGetReceipt()
	header := answer.GetHeader().GetNodeTransactionPrecheckCode()
	receipt := answer.GetReceipt()
	switch {
	case answer == nil:
		return nil, errors.New("answer is malformed")
	case header == services.ResponseCodeEnum_RECEIPT_NOT_FOUND:
		return nil, errNoReceipt
	case header != services.ResponseCodeEnum_OK:
		return nil, fmt.Errorf("node answered %s", header)
	case receipt.GetStatus() == services.ResponseCodeEnum_UNKNOWN, receipt.GetStatus() == services.ResponseCodeEnum_OK: // not at consensus yet
		return nil, errNoReceipt
	}
	return receipt, nil
}

func (n *Network) query(ctx context.Context, conn *grpc.ClientConn, q *services.Query) (*services.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, n.timeout)
	defer cancel()
	return services.NewCryptoServiceClient(conn).GetTransactionReceipts(ctx, q)
}

// Close drops the connections.
func (n *Network) Close() error {
	var err error
	for _, conn := range n.nodes {
		err = errors.Join(err, conn.Close())
	}
	return err
}
