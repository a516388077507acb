package follow

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/lafaekstreet/backend/shared/translog"
)

// counter counts the bytes that it writes.
type counter struct {
	to    io.Writer
	bytes *int64
}

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	*c.bytes += int64(n)
	return n, err
}

// message is a message of the ledger, as a mirror node answers it.
type message struct {
	Message  []byte `json:"message"`
	Payer    string `json:"payer_account_id"`
	Sequence int64  `json:"sequence_number"`
	At       string `json:"consensus_timestamp"`
}

// maxMessages bounds the messages of one round. The next round goes on.
const maxMessages = 5000

// messages reads the messages that are new on the ledger.
func (f *Follower) messages(ctx context.Context) ([]message, error) {
	l := f.keys.Ledger
	if l == nil || l.MirrorURL == "" {
		return nil, nil
	}
	if f.state.Topic != l.TopicID {
		f.state.Topic, f.state.Sequence, f.state.Began = l.TopicID, 0, false
	}
	var out []message
	for next := f.state.Sequence + 1; len(out) < maxMessages; {
		address := fmt.Sprintf("%s/api/v1/topics/%s/messages?sequencenumber=gte:%d&limit=100&order=asc", strings.TrimSuffix(l.MirrorURL, "/"), l.TopicID, next)
		raw, err := get(ctx, f.o.HTTP, address, 1<<20)
		if err != nil {
			return nil, fmt.Errorf("read ledger: %w", err)
		}
		var in struct {
			Messages []message `json:"messages"`
		}
		if err := json.Unmarshal(raw, &in); err != nil {
			return nil, fmt.Errorf("read ledger: %w", err)
		}
		out = append(out, in.Messages...)
		if len(in.Messages) < 100 {
			break
		}
		next = in.Messages[len(in.Messages)-1].Sequence + 1
	}
	return out, nil
}

// compareLedger checks the messages against the log.
func (f *Follower) compareLedger(ctx context.Context, head *translog.Checkpoint, messages []message) error {
	for _, m := range messages {
		var body struct {
			Checkpoint string `json:"checkpoint"`
			Entries    []struct {
				Index  int64  `json:"i"`
				Number string `json:"n"`
				Event  string `json:"e"`
			} `json:"entries"`
		}
		ours := json.Unmarshal(m.Message, &body) == nil && body.Checkpoint != ""
		if !ours && !f.state.Began {
			f.state.Sequence = m.Sequence // of an earlier version
			continue
		}
		if !ours || !f.keys.pays(m.Payer, f.state.Changes) {
			f.alarm(Ledger, "message %d of topic %s, paid by %s, is not one of this log", m.Sequence, f.state.Topic, m.Payer)
			f.state.Sequence = m.Sequence
			continue
		}
		f.state.Began = true
		if err := f.compareMessage(ctx, head, m, body.Checkpoint); err != nil {
			return err
		}
		for _, named := range body.Entries {
			if named.Index < 0 || named.Index >= head.N {
				continue // compareMessage has seen that the log is too short
			}
			if err := f.compareNamed(ctx, head, m, named.Index, named.Number, named.Event); err != nil {
				return err
			}
		}
		f.state.Sequence = m.Sequence
	}
	return nil
}

// compareMessage checks that the log begins with the tree of a message.
func (f *Follower) compareMessage(ctx context.Context, head *translog.Checkpoint, m message, signed string) error {
	c, err := translog.OpenCheckpoint([]byte(signed), f.state.Origin, f.keys.log()...)
	if err != nil {
		f.alarm(Ledger, "message %d: %v", m.Sequence, err)
		return nil
	}
	if c.N > head.N {
		f.alarm(Ledger, "message %d of %s has a log of %d entries, this site shows %d", m.Sequence, m.At, c.N, head.N)
		return nil
	}
	ok, err := f.begins(ctx, head.Tree, c.Tree)
	if err != nil {
		return err
	}
	if !ok {
		f.alarm(Fork, "message %d of the ledger has another tree of %d entries than this site:\n%s", m.Sequence, c.N, signed)
	}
	return nil
}

// compareNamed checks an entry that a message names.
func (f *Follower) compareNamed(ctx context.Context, head *translog.Checkpoint, m message, index int64, number, kind string) error {
	entries, err := translog.Published(f.files, head.Tree)(ctx, index, index+1)
	if err != nil {
		return fmt.Errorf("read entry %d: %w", index, err)
	}
	var e event
	if json.Unmarshal(entries[0], &e) != nil {
		return nil // an alarm of the entry
	}
	if got := e.ReportNumber; (got == nil && number != "") || (got != nil && *got != number) || e.Event != kind {
		f.alarm(Ledger, "message %d names entry %d %s of %q, the log has %s", m.Sequence, index, kind, number, e.Event)
	}
	return nil
}
