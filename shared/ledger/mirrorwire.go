package ledger

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

type wireMessage struct {
	Topic     string `json:"topic_id"`
	Sequence  uint64 `json:"sequence_number"`
	Consensus string `json:"consensus_timestamp"`
	Payer     string `json:"payer_account_id"`
	Contents  string `json:"message"`
	Running   string `json:"running_hash"`
	Version   int    `json:"running_hash_version"`
	Chunk     *struct {
		Initial struct {
			Account string `json:"account_id"`
			Start   string `json:"transaction_valid_start"`
		} `json:"initial_transaction_id"`
	} `json:"chunk_info"`
}

func (w *wireMessage) message() (*TopicMessage, error) {
	out := &TopicMessage{TopicID: w.Topic, Sequence: w.Sequence, Payer: w.Payer, HashVersion: w.Version}
	if w.Chunk != nil {
		out.TransactionID = w.Chunk.Initial.Account + "@" + w.Chunk.Initial.Start
	}
	var err error
	if out.ConsensusNanos, err = parseNanos(w.Consensus); err != nil {
		return nil, err
	}
	if out.Contents, err = base64.StdEncoding.DecodeString(w.Contents); err != nil {
		return nil, fmt.Errorf("%w: message is not base64", ErrMirrorUnavailable)
	}
	if out.RunningHash, err = base64.StdEncoding.DecodeString(w.Running); err != nil {
		return nil, fmt.Errorf("%w: running hash is not base64", ErrMirrorUnavailable)
	}
	return out, nil
}

type mirrorKey struct {
	Type string `json:"_type"`
	Key  string `json:"key"`
}

func (k *mirrorKey) point() ([]byte, string) {
	if k == nil || k.Type != "ECDSA_SECP256K1" {
		return nil, ""
	}
	raw, err := hex.DecodeString(k.Key)
	if err != nil {
		return nil, k.Type
	}
	return raw, k.Type
}

// parseNanos reads the mirror's seconds.nanoseconds.
func parseNanos(s string) (int64, error) {
	sec, frac, _ := strings.Cut(s, ".")
	seconds, err := strconv.ParseInt(sec, 10, 64)
	if err != nil || len(frac) > 9 {
		return 0, fmt.Errorf("%w: timestamp %q", ErrMirrorUnavailable, s)
	}
	nanos, err := strconv.ParseInt((frac + "000000000")[:9], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: timestamp %q", ErrMirrorUnavailable, s)
	}
	return seconds*1e9 + nanos, nil
}

func formatNanos(n int64) string { return fmt.Sprintf("%d.%09d", n/1e9, n%1e9) }
