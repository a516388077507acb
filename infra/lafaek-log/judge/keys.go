package judge

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// maxNumber is the largest place or size: JavaScript knows whole numbers up to it.
const maxNumber = 1<<53 - 1

// maxKeys bounds the keys of one kind.
const maxKeys = 100

// defaultDelay is the merge delay where the keys do not name one, in seconds.
const defaultDelay = 3600

// keys is what /log/keys answers.
type keys struct {
	origin        string
	log, receipts []rangedKey
	witnesses     []vkey
	ledger        *ledgerKeys
	delay         time.Duration
}

// rangedKey is a key with the places for which it is valid. from and until are log indexes; until is maxNumber while it is in
// force.
type rangedKey struct {
	vkey
	from, until int64
}

type ledgerKeys struct {
	TopicID   string `json:"topic_id"`
	AccountID string `json:"account_id"`
}

type keysJSON struct {
	Origin       string          `json:"origin"`
	LogVKey      string          `json:"log_vkey"`
	ReceiptsVKey string          `json:"receipts_vkey"`
	LogVKeys     []rangedKeyJSON `json:"log_vkeys"`
	ReceiptVKeys []rangedKeyJSON `json:"receipts_vkeys"`
	Witnesses    []string        `json:"witnesses"`
	Ledger       *ledgerKeys     `json:"ledger"`
	Delay        *int64          `json:"merge_delay_seconds"`
}

type rangedKeyJSON struct {
	VKey  string `json:"vkey"`
	From  int64  `json:"from"`
	Until *int64 `json:"until"`
}

// readKeys parses the keys. Keys of an unknown kind are left out: a later version may have some.
func readKeys(text string) (*keys, error) {
	if strings.TrimSpace(text) == "" {
		return nil, refusal{KeysMissing, ""}
	}
	var in keysJSON
	if err := json.Unmarshal([]byte(text), &in); err != nil || in.Origin == "" {
		return nil, refusal{KeysUnreadable, ""}
	}
	out := &keys{origin: in.Origin, ledger: in.Ledger, delay: defaultDelay * time.Second}
	if in.Delay != nil && *in.Delay >= 0 && *in.Delay <= 1e9 {
		out.delay = time.Duration(*in.Delay) * time.Second
	}
	out.log = ranged(in.LogVKeys, in.LogVKey)
	out.receipts = ranged(in.ReceiptVKeys, in.ReceiptsVKey)
	for _, w := range in.Witnesses[:min(len(in.Witnesses), maxKeys)] {
		if k, ok := readVKey(w); ok && k.alg == algCosignature {
			out.witnesses = append(out.witnesses, k)
		}
	}
	if len(out.receipts) == 0 {
		return nil, refusal{KeysUnreadable, ""}
	}
	return out, nil
}

// ranged parses keys with their ranges. The current key is valid everywhere if the list does not have it.
func ranged(list []rangedKeyJSON, current string) []rangedKey {
	var out []rangedKey
	listed := current == ""
	for _, in := range list[:min(len(list), maxKeys)] {
		listed = listed || in.VKey == current
		k, ok := readVKey(in.VKey)
		if !ok || k.alg != algEd25519 {
			continue
		}
		until := int64(maxNumber)
		if in.Until != nil {
			until = *in.Until
		}
		out = append(out, rangedKey{k, in.From, until})
	}
	if k, ok := readVKey(current); !listed && ok && k.alg == algEd25519 {
		out = append(out, rangedKey{k, 0, maxNumber})
	}
	return out
}

// number parses a decimal without leading zeros, up to maxNumber.
func number(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n >= 0 && n <= maxNumber && decimal(n) == text
}
