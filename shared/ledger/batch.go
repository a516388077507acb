package ledger

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// Batch is many payloads under one root: what a single message carries when
// events come faster than messages are worth.
type Batch struct {
	// Message is the canonical JSON that goes on the topic.
	Message []byte
	// Proofs holds the RFC 6962 inclusion proof of each payload, in their order:
	// hashes of 32 bytes, one after another.
	Proofs [][]byte
}

// batchMessage is the content of a batch's message.
type batchMessage struct {
	Version int    `json:"v"`
	Event   string `json:"event"`
	Size    int64  `json:"size"`
	Root    string `json:"root"` // hex
	At      string `json:"ts"`
}

const batchEvent = "BATCH"

// maxLeaves is the largest tree that is checked. Our batches are far smaller. With a
// size near 2⁶³ the arithmetic on sizes would never end.
const maxLeaves = 1 << 32

// NewBatch builds the Merkle tree (RFC 6962, SHA-256) over payloads, which must not be empty.
func NewBatch(payloads [][]byte, at time.Time) (*Batch, error) {
	n := int64(len(payloads))
	if n == 0 {
		return nil, errors.New("batch without payloads")
	}
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			out[i] = stored[x]
		}
		return out, nil
	})
	for i, p := range payloads {
		hashes, err := tlog.StoredHashes(int64(i), p, reader)
		if err != nil {
			return nil, fmt.Errorf("hash leaf %d: %w", i, err)
		}
		stored = append(stored, hashes...)
	}
	root, err := tlog.TreeHash(n, reader)
	if err != nil {
		return nil, fmt.Errorf("hash tree: %w", err)
	}
	b := &Batch{Proofs: make([][]byte, n)}
	for i := range payloads {
		proof, err := tlog.ProveRecord(n, int64(i), reader)
		if err != nil {
			return nil, fmt.Errorf("prove leaf %d: %w", i, err)
		}
		b.Proofs[i] = []byte{}
		for _, h := range proof {
			b.Proofs[i] = append(b.Proofs[i], h[:]...)
		}
	}
	b.Message, err = canonical(batchMessage{Version: 1, Event: batchEvent, Size: n,
		Root: hex.EncodeToString(root[:]), At: at.UTC().Format(payloadTime)})
	return b, err
}

// checkInclusion proves that payload is leaf index under the root that message holds.
func checkInclusion(message, payload, proof []byte, index int64) error {
	m, root, err := parseBatch(message)
	if err != nil {
		return err
	}
	if len(proof)%tlog.HashSize != 0 {
		return errors.New("proof is no list of hashes")
	}
	var p tlog.RecordProof
	for rest := proof; len(rest) > 0; rest = rest[tlog.HashSize:] {
		p = append(p, tlog.Hash(rest[:tlog.HashSize]))
	}
	if index < 0 || index >= m.Size {
		return fmt.Errorf("leaf %d is outside a tree of %d", index, m.Size)
	}
	return tlog.CheckRecord(p, m.Size, root, index, tlog.RecordHash(payload))
}

func parseBatch(message []byte) (*batchMessage, tlog.Hash, error) {
	var m batchMessage
	if err := json.Unmarshal(message, &m); err != nil || m.Event != batchEvent || m.Size < 1 || m.Size > maxLeaves {
		return nil, tlog.Hash{}, errors.New("message is no batch")
	}
	root, err := hex.DecodeString(m.Root)
	if err != nil || len(root) != tlog.HashSize {
		return nil, tlog.Hash{}, errors.New("message has no root")
	}
	return &m, tlog.Hash(root), nil
}
