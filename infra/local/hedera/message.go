package hedera

import (
	"bytes"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"golang.org/x/crypto/sha3"
)

// Message is one message of a topic as the network holds it.
type Message struct {
	TopicID            string    `json:"topic_id"`
	SequenceNumber     uint64    `json:"sequence_number"`
	ConsensusTimestamp time.Time `json:"consensus_timestamp"`
	PayerAccountID     string    `json:"payer_account_id"`
	TransactionID      string    `json:"transaction_id"` // 0.0.A@seconds.nanos
	Contents           []byte    `json:"contents"`
	RunningHash        []byte    `json:"running_hash"` // version 3, 48 bytes
}

func (m *Message) topicNum() int64 { return mustNum(m.TopicID) }

// Messages lists every message of every topic in consensus order, without the mirror's lag.
func (s *Server) Messages() []Message {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	var all []Message
	for _, t := range s.state.topics {
		all = append(all, t.messages...)
	}
	slices.SortFunc(all, func(a, b Message) int { return a.ConsensusTimestamp.Compare(b.ConsensusTimestamp) })
	return all
}

// runningHash is version 3 of a topic's running hash, as the network's protobuf
// documents it for TransactionReceipt.topicRunningHash.
func runningHash(previous [48]byte, payer, topicNum int64, consensus time.Time, sequence uint64, contents []byte) [48]byte {
	const version = 3
	body := sha512.Sum384(contents)
	b := slices.Clone(previous[:])
	for _, v := range []int64{version, 0, 0, payer, 0, 0, topicNum, consensus.Unix()} {
		b = binary.BigEndian.AppendUint64(b, uint64(v))
	}
	b = binary.BigEndian.AppendUint32(b, uint32(consensus.Nanosecond()))
	b = binary.BigEndian.AppendUint64(b, sequence)
	return sha512.Sum384(append(b, body[:]...))
}

// formatID writes an entity of shard 0, realm 0.
func formatID(num int64) string { return "0.0." + strconv.FormatInt(num, 10) }

// parseID reads an entity of shard 0, realm 0.
func parseID(s string) (int64, error) {
	rest, ok := strings.CutPrefix(s, "0.0.")
	if !ok {
		return 0, fmt.Errorf("hedera: entity id %q is not 0.0.N", s)
	}
	n, err := strconv.ParseInt(rest, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("hedera: entity id %q is not 0.0.N", s)
	}
	return n, nil
}

// mustNum returns the number of an id; 0 if the id is malformed.
func mustNum(id string) int64 {
	n, _ := parseID(id)
	return n
}

// signedBy reports whether sigs holds a valid signature of key over body. What is
// signed is Keccak-256 of the body. Like the network it refuses an S in the high half.
func signedBy(sigs *services.SignatureMap, key, body []byte) bool {
	h := sha3.NewLegacyKeccak256()
	_, _ = h.Write(body)
	digest := h.Sum(nil)
	pub, err := secp256k1.ParsePubKey(key)
	if err != nil {
		return false
	}
	for _, pair := range sigs.GetSigPair() {
		if !bytes.HasPrefix(key, pair.GetPubKeyPrefix()) {
			continue
		}
		raw := pair.GetECDSASecp256K1()
		if len(raw) != 64 {
			continue
		}
		var r, v secp256k1.ModNScalar
		if r.SetByteSlice(raw[:32]) || v.SetByteSlice(raw[32:]) || v.IsOverHalfOrder() {
			continue
		}
		if ecdsa.NewSignature(&r, &v).Verify(digest, pub) {
			return true
		}
	}
	return false
}
