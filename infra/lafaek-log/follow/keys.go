package follow

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/lafaekstreet/backend/infra/lafaek-log/judge"
	"github.com/lafaekstreet/backend/shared/translog"
)

// keySet is the answer of /log/keys.
type keySet struct {
	Origin       string     `json:"origin"`
	LogVKeys     []keyRange `json:"log_vkeys"`
	ReceiptVKeys []keyRange `json:"receipts_vkeys"`
	Ledger       *struct {
		TopicID   string `json:"topic_id"`
		AccountID string `json:"account_id"`
		PublicKey string `json:"public_key"`
		MirrorURL string `json:"mirror_url"`
	} `json:"ledger"`
	Witnesses []string `json:"witnesses"`
	Delay     int64    `json:"merge_delay_seconds"`
}

type keyRange struct {
	VKey  string `json:"vkey"`
	From  int64  `json:"from"`
	Until *int64 `json:"until"`
}

// keyChange is what a KEY_CHANGED says.
type keyChange struct {
	Role  string          `json:"role"` // log, receipts or ledger
	Old   json.RawMessage `json:"old"`
	New   json.RawMessage `json:"new"`
	Index int64           `json:"index"` // of the entry
}

func (k *keySet) delay() time.Duration { return time.Duration(k.Delay) * time.Second }

// log are the keys of checkpoints.
func (k *keySet) log() []string {
	out := make([]string, len(k.LogVKeys))
	for i, r := range k.LogVKeys {
		out[i] = r.VKey
	}
	return out
}

// signs reports whether a key that is valid for the size has signed the checkpoint.
func (k *keySet) signs(c *translog.Checkpoint, signed string) bool {
	for _, r := range k.LogVKeys {
		until := int64(math.MaxInt64)
		if r.Until != nil {
			until = *r.Until
		}
		if (c.N > r.From || r.From == 0) && c.N <= until {
			if _, err := translog.OpenCheckpoint([]byte(signed), k.Origin, r.VKey); err == nil {
				return true
			}
		}
	}
	return false
}

// pays reports whether an account has written to the ledger for this log, now or earlier.
func (k *keySet) pays(account string, changes []keyChange) bool {
	if k.Ledger != nil && account == k.Ledger.AccountID {
		return true
	}
	return slices.ContainsFunc(changes, func(c keyChange) bool {
		var l struct {
			AccountID string `json:"account_id"`
		}
		return c.Role == "ledger" && json.Unmarshal(c.New, &l) == nil && l.AccountID == account
	})
}

// readKeys reads the keys of the log. The keys of the first round, or those that the user gave, have to stay among them.
func (f *Follower) readKeys(ctx context.Context) error {
	raw, err := get(ctx, f.o.HTTP, f.o.URL+"/log/keys", 1<<18)
	if err != nil {
		return fmt.Errorf("read keys: %w", err)
	}
	served, err := parseKeys(raw)
	if err != nil {
		return err
	}
	trusted := f.state.Keys
	if len(f.o.Keys) > 0 {
		trusted = f.o.Keys
	}
	if trusted == nil {
		trusted = raw
	}
	known, err := parseKeys(trusted)
	if err != nil {
		return err
	}
	if f.state.Origin == "" {
		f.state.Origin = known.Origin
	}
	if f.state.Keys == nil {
		f.state.Keys = trusted
	}
	f.keys = served
	if served.Origin != f.state.Origin || known.Origin != f.state.Origin {
		f.alarm(Keys, "the origin was %q and is %q now", f.state.Origin, served.Origin)
		f.keys = known
		return nil
	}
	for role, pair := range map[string][2][]keyRange{"log": {known.LogVKeys, served.LogVKeys}, "receipts": {known.ReceiptVKeys, served.ReceiptVKeys}} {
		for _, old := range pair[0] {
			if !slices.ContainsFunc(pair[1], func(now keyRange) bool { return now.VKey == old.VKey && now.From == old.From }) {
				f.alarm(Keys, "the %s key %s is no longer among the keys, or has another beginning", role, old.VKey)
				f.keys = known
			}
		}
	}
	if f.keys == served {
		var compact bytes.Buffer
		if err := json.Compact(&compact, raw); err != nil {
			return fmt.Errorf("keys: %w", err)
		}
		f.state.Keys = compact.Bytes()
	}
	return nil
}

func parseKeys(raw []byte) (*keySet, error) {
	k := &keySet{Delay: 3600}
	if err := json.Unmarshal(raw, k); err != nil || k.Origin == "" {
		return nil, fmt.Errorf("keys of the log cannot be read: %w", err)
	}
	return k, nil
}

// named are the keys of a role that the KEY_CHANGED of the log name, in their order. A key holds until the place of the next.
func (s *State) named(role string) []keyRange {
	var out []keyRange
	for _, c := range s.Changes {
		if c.Role != role {
			continue
		}
		k := keyRange{}
		_ = json.Unmarshal(c.New, &k.VKey) // a key that is no text is equal to none
		if last := len(out) - 1; last >= 0 {
			k.From, out[last].Until = c.Index, &c.Index
		}
		out = append(out, k)
	}
	return out
}

// within is k as far as the first next entries can tell: a later end is none yet.
func (k keyRange) within(next int64) keyRange {
	if k.Until != nil && *k.Until >= next {
		k.Until = nil
	}
	return k
}

// places says for which entries a key holds.
func (k keyRange) places() string {
	if k.Until == nil {
		return fmt.Sprintf("from %d on", k.From)
	}
	return fmt.Sprintf("from %d to %d", k.From, *k.Until)
}

// compareKeys checks that /log/keys has the keys that the KEY_CHANGED of the log name, for the same places. Keys of entries that
// were not read yet are left out.
func (f *Follower) compareKeys() {
	for role, served := range map[string][]keyRange{"log": f.keys.LogVKeys, "receipts": f.keys.ReceiptVKeys} {
		named := f.state.named(role)
		for _, k := range served {
			if k.From >= f.state.Next || len(f.state.Changes) == 0 {
				continue
			}
			k = k.within(f.state.Next)
			i := slices.IndexFunc(named, func(n keyRange) bool { return n.VKey == k.VKey && n.From == k.From })
			switch {
			case i < 0:
				f.alarm(Keys, "no KEY_CHANGED names the %s key %s", role, k.VKey)
			case named[i].places() != k.places():
				f.alarm(Keys, "/log/keys has the %s key %s %s, the log %s", role, k.VKey, k.places(), named[i].places())
			}
		}
		for _, n := range named {
			if !slices.ContainsFunc(served, func(k keyRange) bool { return k.VKey == n.VKey && k.From == n.From }) {
				f.alarm(Keys, "/log/keys does not have the %s key %s, which the log names %s", role, n.VKey, n.places())
			}
		}
	}
	f.compareAccount()
}

// compareAccount checks the account and the topic of the ledger against the newest KEY_CHANGED about it.
func (f *Follower) compareAccount() {
	var named struct {
		AccountID string `json:"account_id"`
		TopicID   string `json:"topic_id"`
		PublicKey string `json:"public_key"`
	}
	found := false
	for _, c := range f.state.Changes {
		found = found || c.Role == "ledger"
		if c.Role == "ledger" {
			_ = json.Unmarshal(c.New, &named) // null leaves it empty
		}
	}
	if l := f.keys.Ledger; l != nil && found && (l.AccountID != named.AccountID || l.TopicID != named.TopicID || l.PublicKey != named.PublicKey) {
		f.alarm(Keys, "/log/keys has the ledger account %s and topic %s, the log names %s and %s", l.AccountID, l.TopicID, named.AccountID, named.TopicID)
	}
}

// compareReceipts asks for each receipt whether the log honours it.
func (f *Follower) compareReceipts(ctx context.Context, head *translog.Checkpoint) error {
	for _, text := range f.o.Receipts {
		m := judge.Material{Receipt: text, Keys: string(f.state.Keys)}
		index, ok := judge.Place(m)
		if ok && index < head.N {
			proofs, err := translog.Prove(ctx, f.files, head, index)
			if err != nil {
				return fmt.Errorf("prove entry %d: %w", index, err)
			}
			m.Proof = translog.JoinProofs(proofs)
		}
		result := judge.Judge(m)
		due, known := judge.Due(m)
		switch {
		case result.Verdict == judge.Accepted && known && f.o.Now().After(due.Add(slack)):
			f.alarm(Promise, "%s: promised by %s, and the log has %d entries", result.About, due.UTC().Format(time.RFC3339), head.N)
		case result.Verdict != judge.Accepted && result.Verdict != judge.Kept:
			f.alarm(Promise, "%s %s: %s", result.Verdict, result.About, result.Findings[0])
		}
	}
	return nil
}
