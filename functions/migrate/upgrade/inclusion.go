package upgrade

import (
	"encoding/hex"
	"encoding/json"
	"errors"

	"golang.org/x/mod/sumdb/tlog"
)

// maxLeaves is the largest batch that is checked. With a size near 2⁶³ the arithmetic on sizes would never end.
const maxLeaves = 1 << 32

// checkInclusion verifies that payload is leaf index of the batch (a tree of RFC 6962, SHA-256) whose root is in message.
// The proof is a list of hashes of 32 bytes, from the leaf up.
func checkInclusion(message, payload, proof []byte, index *int64) error {
	var batch struct {
		Event string `json:"event"`
		Size  int64  `json:"size"`
		Root  string `json:"root"`
	}
	err := json.Unmarshal(message, &batch)
	root, notHex := hex.DecodeString(batch.Root)
	if err != nil || batch.Event != "BATCH" || batch.Size < 1 || batch.Size > maxLeaves || notHex != nil || len(root) != tlog.HashSize {
		return errors.New("the message is no batch")
	}
	if index == nil || *index < 0 || *index >= batch.Size || len(proof)%tlog.HashSize != 0 {
		return errors.New("it has no place in the batch")
	}
	var hashes tlog.RecordProof
	for ; len(proof) > 0; proof = proof[tlog.HashSize:] {
		hashes = append(hashes, tlog.Hash(proof[:tlog.HashSize]))
	}
	return tlog.CheckRecord(hashes, batch.Size, tlog.Hash(root), *index, tlog.RecordHash(payload))
}
