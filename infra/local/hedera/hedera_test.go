package hedera_test

import (
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/sdk"
	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	hiero "github.com/hiero-ledger/hiero-sdk-go/v2/sdk"
	"golang.org/x/crypto/sha3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/hedera"
)

const operator = "0.0.1001"

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

func (c *clock) Add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

// bundle is a running network with one account, one topic and a client of the real SDK.
type bundle struct {
	*hedera.Server
	t      *testing.T
	clock  *clock
	faults *faults.Set
	client *hiero.Client
	key    *secp256k1.PrivateKey
	topic  string
}

func setup(t *testing.T, change ...func(*hedera.Options)) *bundle {
	t.Helper()
	b := &bundle{t: t, clock: &clock{now: time.Now()}, faults: faults.NewSet()}
	opts := hedera.Options{Now: b.clock.Now, Faults: b.faults}
	for _, f := range change {
		f(&opts)
	}
	var err error
	if b.Server, err = hedera.Start(opts); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	if b.key, err = secp256k1.GeneratePrivateKey(); err != nil {
		t.Fatal(err)
	}
	if err := b.SetAccount(operator, b.key.PubKey().SerializeUncompressed(), 10*hedera.TinybarsPerHbar); err != nil {
		t.Fatal(err)
	}
	if b.topic, err = b.EnsureTopic("reports", b.key.PubKey().SerializeCompressed()); err != nil {
		t.Fatal(err)
	}
	nodes := map[string]hiero.AccountID{}
	for addr, id := range b.Nodes() {
		nodes[addr], _ = hiero.AccountIDFromString(id)
	}
	if b.client, err = hiero.ClientForNetworkV2(nodes); err != nil {
		t.Fatal(err)
	}
	b.client.SetMaxAttempts(2)
	b.client.SetMinBackoff(time.Millisecond)
	b.client.SetMaxBackoff(2 * time.Millisecond)
	b.client.SetNodeMinBackoff(time.Millisecond)
	b.client.SetGrpcDeadline(200 * time.Millisecond)
	t.Cleanup(func() { _ = b.client.Close() })
	return b
}

// sign is what the network asks of a signer; highS gives the mirrored signature.
func sign(key *secp256k1.PrivateKey, body []byte, highS bool) []byte {
	h := sha3.NewLegacyKeccak256()
	_, _ = h.Write(body)
	sig := ecdsa.Sign(key, h.Sum(nil))
	r, s := sig.R(), sig.S()
	if highS {
		s.Negate()
	}
	rb, sb := r.Bytes(), s.Bytes()
	return append(rb[:], sb[:]...)
}

type submission struct {
	validFor time.Duration
	key      *secp256k1.PrivateKey
	highS    bool
	topic    string
	chunk    uint64
	start    time.Time
}

// transaction freezes message for all nodes and signs each body.
func (b *bundle) transaction(message []byte, s submission) *hiero.TopicMessageSubmitTransaction {
	b.t.Helper()
	account, _ := hiero.AccountIDFromString(operator)
	if s.topic == "" {
		s.topic = b.topic
	}
	if s.key == nil {
		s.key = b.key
	}
	if s.chunk == 0 {
		s.chunk = 1024
	}
	if s.start.IsZero() {
		b.clock.Add(time.Millisecond) // one transaction id each
		s.start = b.clock.Now().Add(-time.Second)
	}
	topic, err := hiero.TopicIDFromString(s.topic)
	if err != nil {
		b.t.Fatal(err)
	}
	var nodes []hiero.AccountID
	for _, id := range b.client.GetNetwork() {
		nodes = append(nodes, id)
	}
	tx := hiero.NewTopicMessageSubmitTransaction().SetTopicID(topic).SetMessage(message).SetChunkSize(s.chunk).
		SetTransactionID(hiero.NewTransactionIDWithValidStart(account, s.start)).SetNodeAccountIDs(nodes).
		SetRegenerateTransactionID(false)
	if s.validFor > 0 {
		tx.SetTransactionValidDuration(s.validFor)
	}
	tx, err = tx.Freeze()
	if err != nil {
		b.t.Fatal(err)
	}
	bodies, err := tx.GetSignableNodeBodyBytesList()
	if err != nil {
		b.t.Fatal(err)
	}
	pub, err := hiero.PublicKeyFromBytesECDSA(s.key.PubKey().SerializeCompressed())
	if err != nil {
		b.t.Fatal(err)
	}
	for _, body := range bodies {
		if tx, err = tx.AddSignatureV2(pub, sign(s.key, body.Body, s.highS), body.TransactionID, body.NodeID); err != nil {
			b.t.Fatal(err)
		}
	}
	return tx
}

// execute sends the transaction as its bytes: the SDK's own Execute of a
// message wants an operator's private key on the client.
func (b *bundle) execute(tx *hiero.TopicMessageSubmitTransaction) (hiero.TransactionResponse, error) {
	b.t.Helper()
	raw, err := tx.ToBytes()
	if err != nil {
		b.t.Fatal(err)
	}
	again, err := hiero.TransactionFromBytes(raw)
	if err != nil {
		b.t.Fatal(err)
	}
	return hiero.TransactionExecute(again, b.client)
}

// send hands the transaction's variant for the first node to that node.
func (b *bundle) send(tx *hiero.TopicMessageSubmitTransaction) (*services.TransactionResponse, error) {
	b.t.Helper()
	raw, err := tx.ToBytes()
	if err != nil {
		b.t.Fatal(err)
	}
	var list sdk.TransactionList
	if err := proto.Unmarshal(raw, &list); err != nil {
		b.t.Fatal(err)
	}
	first := slices.Index(tx.GetNodeAccountIDs(), hiero.AccountID{Account: 3})
	conn, err := grpc.NewClient(b.NodeAddr(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(b.t.Context(), 200*time.Millisecond)
	defer cancel()
	return services.NewConsensusServiceClient(conn).SubmitMessage(ctx, list.TransactionList[first])
}

func (b *bundle) receipt(tx *hiero.TopicMessageSubmitTransaction) (hiero.TransactionReceipt, error) {
	return hiero.NewTransactionReceiptQuery().SetTransactionID(tx.GetTransactionID()).Execute(b.client)
}

func (b *bundle) get(path string, want int) map[string]any {
	b.t.Helper()
	resp, err := http.Get(b.MirrorURL() + path)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != want {
		b.t.Fatalf("GET %s: got %d %s, want %d", path, resp.StatusCode, body, want)
	}
	var v map[string]any
	if err := json.Unmarshal(body, &v); err != nil {
		b.t.Fatalf("GET %s: %v in %s", path, err, body)
	}
	return v
}

func TestSubmittedMessageReachesReceiptAndMirror(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var previous [48]byte
	for i := 1; i <= 3; i++ {
		message := fmt.Appendf(nil, `{"n":%d}`, i)
		tx := b.transaction(message, submission{})
		resp, err := b.execute(tx)
		if err != nil {
			t.Fatal(err)
		}
		receipt, err := b.receipt(tx)
		if err != nil {
			t.Fatal(err)
		}
		if receipt.Status != hiero.StatusSuccess || receipt.TopicSequenceNumber != uint64(i) {
			t.Fatalf("receipt: got %v sequence %d, want SUCCESS %d", receipt.Status, receipt.TopicSequenceNumber, i)
		}
		got := b.get(fmt.Sprintf("/api/v1/topics/%s/messages/%d", b.topic, i), 200)
		if got["message"] != base64.StdEncoding.EncodeToString(message) || got["payer_account_id"] != operator {
			t.Errorf("mirror message %d: got %v", i, got)
		}
		// The running hash by its definition, field by field.
		var sec, nano int64
		_, _ = fmt.Sscanf(got["consensus_timestamp"].(string), "%d.%09d", &sec, &nano)
		body := sha512.Sum384(message)
		in := append([]byte(nil), previous[:]...)
		for _, v := range []uint64{3, 0, 0, 1001, 0, 0, 1002, uint64(sec)} {
			in = binary.BigEndian.AppendUint64(in, v)
		}
		in = binary.BigEndian.AppendUint32(in, uint32(nano))
		in = binary.BigEndian.AppendUint64(in, uint64(i))
		previous = sha512.Sum384(append(in, body[:]...))
		if string(receipt.TopicRunningHash) != string(previous[:]) {
			t.Errorf("running hash %d: got %x, want %x", i, receipt.TopicRunningHash, previous)
		}
		id := tx.GetTransactionID().String()
		account, start, _ := strings.Cut(id, "@")
		txs := b.get("/api/v1/transactions/"+account+"-"+strings.Replace(start, ".", "-", 1), 200)["transactions"].([]any)
		if got := txs[0].(map[string]any)["transaction_hash"]; got != base64.StdEncoding.EncodeToString(resp.Hash) {
			t.Errorf("transaction hash: got %v, want %x", got, resp.Hash)
		}
	}
}

func TestTopicCreatedByTransactionHoldsSubmitKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	account, _ := hiero.AccountIDFromString(operator)
	stranger, _ := secp256k1.GeneratePrivateKey()
	submitKey, _ := hiero.PublicKeyFromBytesECDSA(stranger.PubKey().SerializeCompressed())
	var nodes []hiero.AccountID
	for _, id := range b.client.GetNetwork() {
		nodes = append(nodes, id)
	}
	tx, err := hiero.NewTopicCreateTransaction().SetTopicMemo("closed").SetSubmitKey(submitKey).SetNodeAccountIDs(nodes).
		SetTransactionID(hiero.NewTransactionIDWithValidStart(account, b.clock.Now().Add(-time.Second))).Freeze()
	if err != nil {
		t.Fatal(err)
	}
	pub, _ := hiero.PublicKeyFromBytesECDSA(b.key.PubKey().SerializeCompressed())
	bodies, _ := tx.GetSignableNodeBodyBytesList()
	for _, body := range bodies {
		if tx, err = tx.AddSignatureV2(pub, sign(b.key, body.Body, false), body.TransactionID, body.NodeID); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tx.Execute(b.client); err != nil {
		t.Fatal(err)
	}
	receipt, err := hiero.NewTransactionReceiptQuery().SetTransactionID(tx.GetTransactionID()).Execute(b.client)
	if err != nil || receipt.TopicID == nil {
		t.Fatalf("receipt: got %+v, %v, want a topic id", receipt, err)
	}
	// The operator pays and signs, but does not hold the submit key.
	msg := b.transaction([]byte("x"), submission{topic: receipt.TopicID.String()})
	if _, err := b.execute(msg); err != nil {
		t.Fatal(err)
	}
	if r, _ := b.receipt(msg); r.Status != hiero.StatusInvalidSignature {
		t.Errorf("message without the submit key: got %v, want INVALID_SIGNATURE", r.Status)
	}
	if got := b.get("/api/v1/topics/"+receipt.TopicID.String(), 200)["submit_key"]; got == nil {
		t.Error("mirror shows no submit key")
	}
}

func TestPrecheckRefuses(t *testing.T) {
	t.Parallel()
	stranger, _ := secp256k1.GeneratePrivateKey()
	for _, tc := range []struct {
		name    string
		message []byte
		sub     submission
		prepare func(*bundle)
		want    hiero.Status
	}{
		{name: "wrong key", sub: submission{key: stranger}, want: hiero.StatusInvalidSignature},
		{name: "high S", sub: submission{highS: true}, want: hiero.StatusInvalidSignature},
		{name: "expired", sub: submission{validFor: 30 * time.Second}, prepare: func(b *bundle) { b.clock.Add(time.Minute) }, want: hiero.StatusTransactionExpired},
		{name: "start in the future", sub: submission{start: time.Now().Add(time.Hour)}, want: hiero.StatusInvalidTransactionStart},
		{name: "validity too long", sub: submission{validFor: time.Hour}, want: hiero.StatusInvalidTransactionDuration},
		{name: "too large", message: make([]byte, 6200), sub: submission{chunk: 6200}, want: hiero.StatusTransactionOversize},
		{name: "no funds", prepare: func(b *bundle) { _ = b.SetAccount(operator, b.key.PubKey().SerializeCompressed(), 5) }, want: hiero.StatusInsufficientPayerBalance},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			if tc.message == nil {
				tc.message = []byte("m")
			}
			tx := b.transaction(tc.message, tc.sub)
			if tc.prepare != nil {
				tc.prepare(b)
			}
			_, err := b.execute(tx)
			var got hiero.ErrHederaPreCheckStatus
			if !errors.As(err, &got) || got.Status != tc.want {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			if n := len(b.Messages()); n != 0 {
				t.Errorf("got %d messages, want none", n)
			}
		})
	}
}

func TestSameTransactionTwiceIsADuplicate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tx := b.transaction([]byte("once"), submission{})
	for i := range 2 {
		_, err := b.execute(tx)
		var status hiero.ErrHederaPreCheckStatus
		if i == 0 && err != nil || i == 1 && (!errors.As(err, &status) || status.Status != hiero.StatusDuplicateTransaction) {
			t.Errorf("attempt %d: got %v", i+1, err)
		}
	}
	if n := len(b.Messages()); n != 1 {
		t.Errorf("got %d messages, want 1", n)
	}
}

func TestRestartKeepsEverything(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := setup(t, func(o *hedera.Options) { o.Dir = dir })
	tx := b.transaction([]byte("durable"), submission{})
	if _, err := b.execute(tx); err != nil {
		t.Fatal(err)
	}
	before := b.Balance(operator)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := hedera.Start(hedera.Options{Dir: dir, Now: b.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Close() }()
	if got := again.Messages(); len(got) != 1 || string(got[0].Contents) != "durable" {
		t.Errorf("messages after restart: got %v", got)
	}
	if got := again.Balance(operator); got != before || got >= 10*hedera.TinybarsPerHbar {
		t.Errorf("balance after restart: got %d, want %d, below the start", got, before)
	}
	if id, _ := again.EnsureTopic("reports", nil); id != b.topic {
		t.Errorf("topic after restart: got %s, want %s", id, b.topic)
	}
}

func TestMirrorRunsBehindAndPages(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *hedera.Options) { o.MirrorLag = 5 * time.Second })
	for i := range 5 {
		if _, err := b.Forge(b.topic, "0.0.66", fmt.Appendf(nil, "m%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	path := "/api/v1/topics/" + b.topic + "/messages"
	if got := b.get(path, 200)["messages"].([]any); len(got) != 0 {
		t.Errorf("before the lag: got %d messages, want none", len(got))
	}
	b.get(path+"/1", 404)
	b.clock.Add(6 * time.Second)
	var seen []float64
	for next := path + "?limit=2&sequencenumber=gte:2"; next != ""; {
		page := b.get(next, 200)
		for _, m := range page["messages"].([]any) {
			seen = append(seen, m.(map[string]any)["sequence_number"].(float64))
		}
		next, _ = page["links"].(map[string]any)["next"].(string)
	}
	if fmt.Sprint(seen) != "[2 3 4 5]" {
		t.Errorf("pages: got %v, want 2 to 5 once each", seen)
	}
	if got := b.get(path+"?order=desc&limit=1", 200)["messages"].([]any)[0].(map[string]any)["sequence_number"]; got != 5.0 {
		t.Errorf("newest: got %v, want 5", got)
	}
}

func TestReceiptsAreForgotten(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tx := b.transaction([]byte("m"), submission{})
	if _, err := b.execute(tx); err != nil {
		t.Fatal(err)
	}
	b.clock.Add(4 * time.Minute)
	if r, err := b.receipt(tx); err == nil {
		t.Errorf("after 4 minutes: got %v, want an error", r.Status)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		mode     faults.Mode
		messages int // that the one faulty call leaves behind
	}{
		{faults.Error, 0}, {faults.Throttle, 0}, {faults.Timeout, 0}, {faults.Malformed, 0}, {faults.DropReply, 1},
	} {
		t.Run(string(tc.mode), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			if err := b.faults.Add(faults.Fault{Service: "hedera", Operation: "SubmitMessage", Mode: tc.mode, Count: 1}); err != nil {
				t.Fatal(err)
			}
			// Without the SDK, which panics on a status it does not know.
			answer, err := b.send(b.transaction([]byte("m"), submission{}))
			if err == nil && answer.NodeTransactionPrecheckCode == services.ResponseCodeEnum_OK {
				t.Error("got OK, want a failure")
			}
			if n := len(b.Messages()); n != tc.messages {
				t.Errorf("got %d messages, want %d", n, tc.messages)
			}
			if err := b.faults.Add(faults.Fault{Service: "mirror", Mode: tc.mode, Count: 1}); err != nil {
				t.Fatal(err)
			}
			c := http.Client{Timeout: 200 * time.Millisecond}
			resp, err := c.Get(b.MirrorURL() + "/api/v1/accounts/" + operator)
			if err == nil {
				body, _ := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if resp.StatusCode == 200 && json.Valid(body) {
					t.Errorf("mirror: got %d %s, want a failure", resp.StatusCode, body)
				}
			}
		})
	}
}
