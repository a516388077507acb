package ledger_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lafaekstreet/backend/shared/ledger"
)

// When many events wait, one message of the public ledger carries the root of a Merkle tree over them (RFC 6962). Whoever
// has the payload of an event, its proof and that message can check that the event was published.
func ExampleNewBatch() {
	payloads := [][]byte{[]byte(`{"seq":1}`), []byte(`{"seq":2}`), []byte(`{"seq":3}`)}
	batch, err := ledger.NewBatch(payloads, time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))
	if err != nil {
		fmt.Println(err)
		return
	}
	var message struct {
		Event string `json:"event"`
		Size  int64  `json:"size"`
		Root  string `json:"root"`
	}
	if err := json.Unmarshal(batch.Message, &message); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(message.Event, message.Size)

	var root tlog.Hash
	if _, err := hex.Decode(root[:], []byte(message.Root)); err != nil {
		fmt.Println(err)
		return
	}
	for i, payload := range payloads {
		var proof tlog.RecordProof
		for hash := batch.Proofs[i]; len(hash) > 0; hash = hash[sha256.Size:] {
			proof = append(proof, tlog.Hash(hash[:sha256.Size]))
		}
		published := tlog.CheckRecord(proof, message.Size, root, int64(i), tlog.RecordHash(payload)) == nil
		forged := tlog.CheckRecord(proof, message.Size, root, int64(i), tlog.RecordHash([]byte(`{"seq":9}`))) == nil
		fmt.Printf("%s published: %t, another payload: %t\n", payload, published, forged)
	}
	// Output:
	// BATCH 3
	// {"seq":1} published: true, another payload: false
	// {"seq":2} published: true, another payload: false
	// {"seq":3} published: true, another payload: false
}

// A mirror node names a running hash with each message: it depends on all messages before it on the topic, so that none
// can be taken out or changed later.
func ExampleRunningHash() {
	message := func(contents string) *ledger.TopicMessage {
		return &ledger.TopicMessage{TopicID: "0.0.1001", Sequence: 1, ConsensusNanos: 1_700_000_000_000_000_001, Payer: "0.0.2001",
			Contents: []byte(contents), HashVersion: 3}
	}
	start := make([]byte, 48) // of a topic without messages
	first, err := ledger.RunningHash(start, message("a"))
	if err != nil {
		fmt.Println(err)
		return
	}
	changed, err := ledger.RunningHash(start, message("b"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(first), string(first) == string(changed))
	// Output: 48 false
}
