package hedera

import (
	"bufio"
	"crypto/sha512"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// account is an account that can pay. Its key is an ECDSA secp256k1 key.
type account struct {
	Num     int64  `json:"num"`
	Key     []byte `json:"key"`     // compressed point, 33 bytes
	Balance int64  `json:"balance"` // tinybars
}

type topic struct {
	Num       int64  `json:"num"`
	Memo      string `json:"memo,omitempty"`
	SubmitKey []byte `json:"submit_key,omitempty"`
	AdminKey  []byte `json:"admin_key,omitempty"`

	runningHash [48]byte
	messages    []Message
}

// transaction is a transaction that reached consensus, with or without success.
type transaction struct {
	ID         string    `json:"id"` // 0.0.A@seconds.nanos
	Name       string    `json:"name"`
	Status     int32     `json:"status"` // services.ResponseCodeEnum
	Payer      int64     `json:"payer"`
	Node       int64     `json:"node"`
	Topic      int64     `json:"topic,omitempty"`
	ValidStart time.Time `json:"valid_start"`
	Duration   int64     `json:"duration"` // seconds
	Consensus  time.Time `json:"consensus"`
	Hash       []byte    `json:"hash"` // SHA-384 of the signed transaction bytes
	Fee        int64     `json:"fee"`  // tinybars charged
	Memo       string    `json:"memo,omitempty"`
	Sequence   uint64    `json:"sequence,omitempty"`
	Running    []byte    `json:"running,omitempty"`
}

// entry is one line of the journal. The message or topic that a transaction created
// is in the same entry as the transaction.
type entry struct {
	Account     *account     `json:"account,omitempty"`
	Topic       *topic       `json:"topic,omitempty"`
	Transaction *transaction `json:"transaction,omitempty"`
	Message     *Message     `json:"message,omitempty"`
}

// state is the state of the network. mu guards all fields.
type state struct {
	mu           sync.Mutex
	now          func() time.Time
	delay        time.Duration
	accounts     map[int64]*account
	topics       map[int64]*topic
	transactions map[string]*transaction
	last         time.Time // newest consensus timestamp; timestamps strictly increase
	nextID       int64
	journal      *os.File
}

func openState(opts Options) (*state, error) {
	s := &state{
		now: opts.Now, delay: opts.ConsensusDelay, nextID: 1001,
		accounts: map[int64]*account{}, topics: map[int64]*topic{}, transactions: map[string]*transaction{},
	}
	if opts.Dir == "" {
		return s, nil
	}
	if err := os.MkdirAll(opts.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("hedera: state directory: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(opts.Dir, "ledger.jsonl"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("hedera: open journal: %w", err)
	}
	if err := s.replay(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	s.journal = f
	return s, nil
}

// replay applies the journal and removes an incomplete last line: if the process was
// killed during a write, only that line is lost.
func (s *state) replay(f *os.File) error {
	r := bufio.NewReader(f)
	var good int64
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("hedera: read journal: %w", err)
		}
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("hedera: journal %s is damaged at byte %d: %w", f.Name(), good, err)
		}
		s.apply(e)
		good += int64(len(line))
	}
	if err := f.Truncate(good); err != nil {
		return fmt.Errorf("hedera: cut journal: %w", err)
	}
	if _, err := f.Seek(good, io.SeekStart); err != nil {
		return fmt.Errorf("hedera: seek journal: %w", err)
	}
	return nil
}

// record writes e to the journal before it applies e, so that a change survives a
// kill once the client has the answer.
func (s *state) record(e entry) error {
	if s.journal != nil {
		line, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("hedera: encode journal entry: %w", err)
		}
		if _, err := s.journal.Write(append(line, '\n')); err != nil {
			return fmt.Errorf("hedera: write journal: %w", err)
		}
	}
	s.apply(e)
	return nil
}

func (s *state) apply(e entry) {
	if a := e.Account; a != nil {
		s.accounts[a.Num] = a
		s.nextID = max(s.nextID, a.Num+1)
	}
	if t := e.Topic; t != nil {
		s.topics[t.Num] = t
		s.nextID = max(s.nextID, t.Num+1)
	}
	if t := e.Transaction; t != nil {
		s.transactions[t.ID] = t
		if t.Consensus.After(s.last) {
			s.last = t.Consensus
		}
		if a := s.accounts[t.Payer]; a != nil {
			a.Balance -= t.Fee
		}
	}
	if m := e.Message; m != nil {
		t := s.topics[m.topicNum()]
		t.messages = append(t.messages, *m)
		copy(t.runningHash[:], m.RunningHash)
	}
}

// consensusTime returns the consensus time of a transaction that is accepted now.
func (s *state) consensusTime() time.Time {
	t := s.now().Add(s.delay).UTC().Round(0)
	if !t.After(s.last) {
		t = s.last.Add(time.Nanosecond)
	}
	return t
}

// ties is how far a consensus timestamp may be ahead of the clock. Transactions that are accepted at the same instant get
// timestamps one nanosecond apart.
const ties = time.Millisecond

// past reports whether at least lag has passed since a consensus timestamp.
func (s *state) past(consensus time.Time, lag time.Duration) bool {
	return !consensus.After(s.now().Add(ties - lag))
}

func (s *state) close() error {
	if s == nil || s.journal == nil {
		return nil
	}
	return s.journal.Close()
}

// Forge puts contents on a topic as the account payer, without a signature, as anybody can on a topic without a submit
// key. It is for tests. It returns the sequence number.
func (s *Server) Forge(topicID, payer string, contents []byte) (uint64, error) {
	payerNum, err := parseID(payer)
	if err != nil {
		return 0, err
	}
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	t := s.state.topics[mustNum(topicID)]
	if t == nil {
		return 0, fmt.Errorf("hedera: forge: no topic %s", topicID)
	}
	at := s.state.consensusTime()
	hash := sha512.Sum384(contents)
	rec := transaction{
		ID:   fmt.Sprintf("%s@%d.%09d", payer, at.Unix(), at.Nanosecond()),
		Name: "CONSENSUSSUBMITMESSAGE", Payer: payerNum, Node: s.nodes[0].account, Topic: t.Num,
		ValidStart: at, Duration: 120, Consensus: at, Hash: hash[:],
	}
	if err := s.state.commitMessage(rec, t, contents); err != nil {
		return 0, err
	}
	return uint64(len(t.messages)), nil
}
