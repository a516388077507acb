package judge

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// Bounds of the material.
const (
	maxProofs      = 1000
	maxCheckpoints = 100
	maxPath        = 64
)

const proofHeader = "c2sp.org/tlog-proof@v1"

// checkpoint is a checkpoint with a good signature by a key of the log.
type checkpoint struct {
	size   int64
	root   tlog.Hash
	seen   time.Time // the latest time at which a witness saw it as the newest; zero without one
	dated  time.Time // the ledger's time of the message that has it; zero without one. It may have been sent late
	ledger string    // that message: topic and sequence number
}

// proof is a proof of one entry under a checkpoint.
type proof struct {
	index      int64
	path       tlog.RecordProof
	entry      []byte // nil without an extra line
	checkpoint *checkpoint
}

// holds reports whether the proof shows an entry with this hash.
func (p *proof) holds(leaf tlog.Hash) bool {
	return p.index < p.checkpoint.size && tlog.CheckRecord(p.path, p.checkpoint.size, p.checkpoint.root, p.index, leaf) == nil
}

// readProofs parses proofs and checks their checkpoints. It does not check the paths.
func readProofs(text string, k *keys) ([]*proof, error) {
	all := slices.DeleteFunc(lines(text), func(line string) bool { return line == "--" })
	var out []*proof
	known := make(map[string]*checkpoint) // proofs of one report have the same checkpoint
	for len(all) > 0 {
		end := slices.Index(all[1:], proofHeader) + 1
		if end == 0 {
			end = len(all)
		}
		p, rest, ok := readPath(all[:end])
		if !ok || len(out) == maxProofs {
			return nil, refusal{ProofUnreadable, ""}
		}
		signed := strings.Join(rest, "\n")
		if known[signed] == nil {
			if len(known) == maxCheckpoints {
				return nil, refusal{TooLarge, ""}
			}
			c, err := readCheckpoint(rest, k)
			if err != nil {
				return nil, err
			}
			known[signed] = c
		}
		p.checkpoint = known[signed]
		out = append(out, p)
		all = all[end:]
	}
	return out, nil
}

// readPath parses the lines of one proof before its checkpoint, and returns those of the checkpoint.
func readPath(all []string) (*proof, []string, bool) {
	at := slices.IndexFunc(all, func(line string) bool { return strings.HasPrefix(line, "index ") })
	if all[0] != proofHeader || at < 1 {
		return nil, nil, false
	}
	p := &proof{}
	if extra, ok := strings.CutPrefix(strings.Join(all[1:at], ""), "extra "); ok {
		if p.entry, ok = decode64(extra); !ok {
			return nil, nil, false
		}
	} else if at > 1 {
		return nil, nil, false
	}
	var ok bool
	if p.index, ok = number(strings.TrimPrefix(all[at], "index ")); !ok {
		return nil, nil, false
	}
	rest := all[at+1:]
	for len(rest) > 0 {
		raw, ok := decode64(rest[0])
		if !ok || len(raw) != tlog.HashSize {
			break
		}
		p.path, rest = append(p.path, tlog.Hash(raw)), rest[1:]
	}
	return p, rest, len(p.path) <= maxPath
}

// readCheckpoint parses a checkpoint, and checks the signatures of the log and of the witnesses it knows.
func readCheckpoint(all []string, k *keys) (*checkpoint, error) {
	n, ok := readNote(all)
	if !ok || len(n.lines) < 3 {
		return nil, refusal{CheckpointMalformed, ""}
	}
	if n.lines[0] != k.origin {
		return nil, refusal{CheckpointOther, n.lines[0]}
	}
	c := &checkpoint{}
	root, ok := decode64(n.lines[2])
	if !ok || len(root) != tlog.HashSize {
		return nil, refusal{CheckpointMalformed, ""}
	}
	c.root = tlog.Hash(root)
	if c.size, ok = number(n.lines[1]); !ok {
		return nil, refusal{CheckpointMalformed, ""}
	}
	if err := c.verify(n, k); err != nil {
		return nil, err
	}
	for _, w := range k.witnesses {
		switch s, at := n.signedBy(w); {
		case s == wrong:
			return nil, refusal{WitnessWrong, w.name}
		case s == good && at.After(c.seen):
			c.seen = at
		}
	}
	return c, nil
}

// verify checks that a key of the log signed the checkpoint that is valid for its size: one signs the trees with more than
// from and at most until entries.
func (c *checkpoint) verify(n *note, k *keys) error {
	for _, key := range k.log {
		if key.name != k.origin {
			continue
		}
		switch s, _ := n.signedBy(key.vkey); {
		case s == wrong:
			return refusal{CheckpointWrong, ""}
		case s == good && (key.from < c.size || key.from == 0) && c.size <= key.until:
			return nil
		}
	}
	return refusal{CheckpointKey, decimal(c.size)}
}

// readCheckpoints parses checkpoints one after the other, or messages of the ledger. It returns how many messages were left
// out.
func readCheckpoints(text string, k *keys) ([]*checkpoint, int, error) {
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		return readMessages(text, k)
	}
	var out []*checkpoint
	for all := lines(text); len(all) > 0; {
		end := slices.Index(all[1:], k.origin) + 1
		if end == 0 {
			end = len(all)
		}
		if len(out) == maxCheckpoints {
			return nil, 0, refusal{TooLarge, ""}
		}
		c, err := readCheckpoint(all[:end], k)
		if err != nil {
			return nil, 0, err
		}
		out, all = append(out, c), all[end:]
	}
	return out, 0, nil
}

// message is a message of the ledger as a mirror node answers it.
type message struct {
	Consensus string `json:"consensus_timestamp"` // seconds.nanoseconds
	Message   []byte `json:"message"`
	Payer     string `json:"payer_account_id"`
	Topic     string `json:"topic_id"`
	Sequence  int64  `json:"sequence_number"`
}

// readMessages parses one answer of a mirror node, or a message without the node's words around it. Anybody may write to the
// topic, and the node's answer has the messages of all: those that are not of this log are left out, and counted.
func readMessages(text string, k *keys) ([]*checkpoint, int, error) {
	malformed := refusal{CheckpointMalformed, ""}
	var in struct {
		Consensus  json.RawMessage   `json:"consensus_timestamp"`
		Checkpoint string            `json:"checkpoint"`
		Messages   []json.RawMessage `json:"messages"`
	}
	if json.Unmarshal([]byte(text), &in) != nil || len(in.Messages) > maxCheckpoints || in.Checkpoint == "" && in.Messages == nil && in.Consensus == nil {
		return nil, 0, malformed
	}
	if in.Checkpoint != "" {
		c, err := readCheckpoint(lines(in.Checkpoint), k)
		return []*checkpoint{c}, 0, err
	}
	if in.Messages == nil {
		in.Messages = []json.RawMessage{json.RawMessage(text)}
	}
	var out []*checkpoint
	for _, raw := range in.Messages {
		var m message
		if json.Unmarshal(raw, &m) != nil {
			continue
		}
		if c, ok := m.read(k); ok {
			out = append(out, c)
		}
	}
	return out, len(in.Messages) - len(out), nil
}

// read returns the checkpoint in a message, with the message's time. It reports false for a message that is not of this log
// and its present account.
func (m *message) read(k *keys) (*checkpoint, bool) {
	if k.ledger == nil || m.Topic != k.ledger.TopicID || m.Payer != k.ledger.AccountID {
		return nil, false
	}
	var body struct {
		Checkpoint string `json:"checkpoint"`
	}
	whole, _, _ := strings.Cut(m.Consensus, ".")
	seconds, ok := number(whole)
	if json.Unmarshal(m.Message, &body) != nil || !ok || seconds > maxNumber/1000 {
		return nil, false
	}
	c, err := readCheckpoint(lines(body.Checkpoint), k)
	if err != nil {
		return nil, false
	}
	c.dated, c.ledger = time.Unix(seconds, 0), m.Topic+"/"+decimal(m.Sequence)
	return c, true
}
