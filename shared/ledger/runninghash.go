package ledger

import (
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// RunningHash is version 3 of a topic's running hash after m, given the one
// before it (48 zero bytes before the first message). The network's protobuf
// documents the fields for TransactionReceipt.topicRunningHash.
func RunningHash(previous []byte, m *TopicMessage) ([]byte, error) {
	payer, err := entity(m.Payer)
	if err != nil {
		return nil, err
	}
	topic, err := entity(m.TopicID)
	if err != nil {
		return nil, err
	}
	body := sha512.Sum384(m.Contents)
	b := slices.Clone(previous)
	b = binary.BigEndian.AppendUint64(b, 3)
	for _, part := range append(payer[:], topic[:]...) {
		b = binary.BigEndian.AppendUint64(b, part)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(m.ConsensusNanos/1e9))
	b = binary.BigEndian.AppendUint32(b, uint32(m.ConsensusNanos%1e9))
	b = binary.BigEndian.AppendUint64(b, m.Sequence)
	sum := sha512.Sum384(append(b, body[:]...))
	return sum[:], nil
}

// entity reads shard.realm.num.
func entity(id string) ([3]uint64, error) {
	var out [3]uint64
	parts := strings.Split(id, ".")
	if len(parts) != 3 {
		return out, fmt.Errorf("entity id %q is not shard.realm.num", id)
	}
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 63)
		if err != nil {
			return out, fmt.Errorf("entity id %q is not shard.realm.num", id)
		}
		out[i] = n
	}
	return out, nil
}
