package fsck

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/ledger"
)

// mirrorPage is the mirror node's largest page.
const mirrorPage = 100

// messages reads our topics from their first message on. Each running hash must follow from the one before it. Each message
// of our account must have a checkpoint of the log, or be a message of before the first checkpoint that the archive has.
func (c *Check) messages(ctx context.Context) error {
	if c.Mirror == nil {
		return nil
	}
	const query = `SELECT topic_id FROM log_messages UNION SELECT topic_id FROM ledger_submissions`
	rows, err := c.DB.Query(ctx, query)
	if err != nil {
		return fmt.Errorf("fsck: list topics: %w", err)
	}
	topics, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("fsck: list topics: %w", err)
	}
	if own := c.Config.TopicReports; own != "" && !slices.Contains(topics, own) {
		topics = append(topics, own)
	}
	slices.Sort(topics)
	for _, t := range topics {
		if err := c.topic(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

func (c *Check) topic(ctx context.Context, topic string) error {
	t := topicWalk{Check: c, id: topic, running: make([]byte, 48)}
	for {
		page, err := c.Mirror.Messages(ctx, topic, t.last+1, mirrorPage)
		unused := t.last == 0 && errors.Is(err, ledger.ErrNotOnMirror) // a topic without messages yet
		if err != nil && !unused {
			return fmt.Errorf("fsck: messages of topic %s: %w", topic, err)
		}
		for _, m := range page {
			if err := t.message(ctx, m); err != nil {
				return err
			}
			t.running, t.last = m.RunningHash, m.Sequence
			c.newest[topic] = t.last
		}
		if len(page) < mirrorPage {
			return nil
		}
	}
}

// topicWalk is the way through the messages of one topic.
type topicWalk struct {
	*Check
	id      string
	last    uint64 // sequence number of the message before
	running []byte // its running hash
	begun   bool   // a checkpoint was seen
}

func (t *topicWalk) message(ctx context.Context, m *ledger.TopicMessage) error {
	t.result.Messages++
	where := fmt.Sprintf("topic %s message %d", t.id, m.Sequence)
	if m.Sequence != t.last+1 {
		t.find(where, "sequence", "message %d is missing on the mirror node", t.last+1)
	} else if hash, err := ledger.RunningHash(t.running, m); err != nil || !bytes.Equal(hash, m.RunningHash) {
		t.find(where, "running_hash", "it does not follow from the messages before it")
	}
	row, err := t.rowOf(ctx, m)
	if err != nil {
		return err
	}
	if !slices.Contains(t.Config.Accounts, m.Payer) {
		t.result.Foreign++
		if row != nil {
			t.find(where, "payer", "recorded as ours, but paid for by %s", m.Payer)
		}
		return nil
	}
	var said ledgerMessage
	recorded := row != nil
	if json.Unmarshal(m.Contents, &said) == nil && said.Checkpoint != "" {
		t.begun = true
		size, err := t.promise(ctx, where, &said)
		if err != nil {
			return err
		}
		if recorded = recorded || size < 0; !recorded {
			if recorded, err = t.excused(ctx, m, size); err != nil {
				return err
			}
		}
	} else if t.begun {
		recorded = false
	}
	if !recorded {
		t.find(where, "recorded", "our account wrote it, but no record has it: records were deleted")
	}
	if row == nil {
		return nil
	}
	return t.compare(ctx, where, m, row)
}

// excused reports whether a message with a checkpoint of this size may have no record of its own: its bytes were sent twice, or
// it was sent after the backup that a recovery began with. The INCIDENT of the recovery tells how far the log went then, and the
// next message covers the same events again.
func (c *Check) excused(ctx context.Context, m *ledger.TopicMessage, size int64) (bool, error) {
	const query = `
SELECT EXISTS (SELECT FROM log_messages WHERE topic_id = $1 AND message = $2)
    OR EXISTS (SELECT FROM ledger_events WHERE report_id IS NULL AND event_type = 'INCIDENT' AND log_index >= $3)
   AND coalesce((SELECT first_index < $3 FROM log_messages WHERE size >= $3 ORDER BY size LIMIT 1), true)`
	var ok bool
	if err := c.DB.QueryRow(ctx, query, m.TopicID, m.Contents, size).Scan(&ok); err != nil {
		return false, fmt.Errorf("fsck: find message: %w", err)
	}
	return ok, nil
}

// ledgerMessage is a message of the ledger: a checkpoint, and the entries that it is the first to cover, as many as fit.
type ledgerMessage struct {
	Checkpoint string `json:"checkpoint"`
	Entries    []struct {
		Index  int64       `json:"i"`
		Number *string     `json:"n"`
		Event  ledger.Type `json:"e"`
	} `json:"entries"`
}

// promise keeps the checkpoint of a message, for the comparison with the log, and compares the entries that it names. It
// returns the size of the checkpoint; -1 if it is none of this log.
func (c *Check) promise(ctx context.Context, where string, m *ledgerMessage) (int64, error) {
	size, err := c.keep(ctx, where, m.Checkpoint)
	if err != nil {
		return 0, err
	}
	const query = `
SELECT event_type, convert_from(payload, 'UTF8')::jsonb ->> 'report_number' FROM ledger_events WHERE log_index = $1`
	for _, e := range m.Entries {
		var event ledger.Type
		var number *string
		err := c.DB.QueryRow(ctx, query, e.Index).Scan(&event, &number)
		if errors.Is(err, pgx.ErrNoRows) {
			c.find(name(e.Number, e.Index), "message", "%s names %s at place %d, the table has no such event", where, e.Event, e.Index)
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("fsck: find entry %d: %w", e.Index, err)
		}
		if event != e.Event || name(number, e.Index) != name(e.Number, e.Index) {
			c.find(name(e.Number, e.Index), "message", "%s names %s at place %d, the table has %s of %s there", where, e.Event, e.Index, event, name(number, e.Index))
		}
	}
	return size, nil
}

// name is the number of an entry's report; for an event of the log itself its place.
func name(number *string, index int64) string {
	if number != nil && *number != "" {
		return *number
	}
	return fmt.Sprintf("log entry %d", index)
}

// sentRow is what the database has about a message on a topic.
type sentRow struct {
	State     string
	Message   []byte
	Running   []byte
	Consensus *int64
	TxID      *string
	Signed    []byte
}

// rowOf finds the record of a message: by its place, or by its bytes where the place was not recorded any more.
func (c *Check) rowOf(ctx context.Context, m *ledger.TopicMessage) (*sentRow, error) {
	const placed = `
SELECT state, message, running_hash, consensus_nanos, transaction_id, signed FROM log_messages WHERE topic_id = $1 AND sequence_number = $2
UNION ALL
SELECT s.state, s.message, s.running_hash, s.consensus_nanos, s.transaction_id, t.signed
FROM ledger_submissions s LEFT JOIN ledger_transactions t ON t.id = s.transaction_id WHERE s.topic_id = $1 AND s.sequence_number = $2 LIMIT 1`
	const open = `
SELECT state, message, running_hash, consensus_nanos, transaction_id, signed FROM log_messages
WHERE topic_id = $1 AND sequence_number IS NULL AND message = $2 AND state NOT IN ('confirmed', 'failed')
UNION ALL
SELECT s.state, s.message, s.running_hash, s.consensus_nanos, s.transaction_id, NULL FROM ledger_submissions s
WHERE s.topic_id = $1 AND s.sequence_number IS NULL AND s.message = $2 AND s.state NOT IN ('confirmed', 'failed') LIMIT 1`
	row, err := c.sentRow(ctx, placed, m.TopicID, int64(m.Sequence))
	if row != nil || err != nil {
		return row, err
	}
	return c.sentRow(ctx, open, m.TopicID, m.Contents)
}

func (c *Check) sentRow(ctx context.Context, query string, args ...any) (*sentRow, error) {
	rows, err := c.DB.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("fsck: find message: %w", err)
	}
	row, err := pgx.CollectOneRow(rows, pgx.RowToAddrOfStructByPos[sentRow])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("fsck: find message: %w", err)
	}
	return row, nil
}

func (c *Check) compare(ctx context.Context, where string, m *ledger.TopicMessage, row *sentRow) error {
	confirmed := row.State == string(ledger.MessageConfirmed)
	switch {
	case !bytes.Equal(m.Contents, row.Message):
		c.find(where, "message", "the mirror node holds other bytes than the record")
		return nil
	case confirmed && !bytes.Equal(m.RunningHash, row.Running):
		c.find(where, "running_hash", "the record has another one")
		return nil
	case confirmed && (row.Consensus == nil || *row.Consensus != m.ConsensusNanos):
		c.find(where, "message", "the record has another consensus time")
		return nil
	case confirmed && m.TransactionID != "" && (row.TxID == nil || *row.TxID != m.TransactionID):
		c.find(where, "signature", "the record has another transaction")
		return nil
	}
	if !c.Signatures || row.TxID == nil || !confirmed {
		return nil
	}
	tx, err := c.Mirror.Transaction(ctx, *row.TxID)
	if errors.Is(err, ledger.ErrNotOnMirror) {
		c.find(where, "signature", "the mirror node does not know transaction %s", *row.TxID)
		return nil
	}
	if err != nil {
		return fmt.Errorf("fsck: transaction %s: %w", *row.TxID, err)
	}
	if err := ledger.CheckSignature(row.Signed, tx.Hash); err != nil {
		c.find(where, "signature", "%s", err)
	}
	return nil
}

// covers checks that each record covers the events that its message says: from the first entry that it names to the size of its
// checkpoint. What readers are shown as the message of an event goes by these.
func (c *Check) covers(ctx context.Context) error {
	rows, err := c.DB.Query(ctx, `SELECT id::text, size, first_index, message FROM log_messages`)
	if err != nil {
		return fmt.Errorf("fsck: list messages: %w", err)
	}
	var id string
	var size, first int64
	var message []byte
	_, err = pgx.ForEachRow(rows, []any{&id, &size, &first, &message}, func() error {
		var said ledgerMessage
		_ = json.Unmarshal(message, &said) // what cannot be read says nothing
		if lines := strings.SplitN(said.Checkpoint, "\n", 3); len(lines) < 3 || lines[1] != strconv.FormatInt(size, 10) {
			c.find("message "+id, "covers", "the record has a checkpoint of %d entries, its message another", size)
		}
		if len(said.Entries) == 0 || said.Entries[0].Index != first {
			c.find("message "+id, "covers", "the record is about the events from %d on, its message is not", first)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("fsck: list messages: %w", err)
	}
	return nil
}

// sent checks the records of messages against the topics: one that was confirmed must be there.
func (c *Check) sent(ctx context.Context) error {
	if c.Mirror == nil {
		return nil
	}
	const query = `
SELECT id::text, state, topic_id, coalesce(sequence_number, 0) FROM log_messages WHERE state IN ('confirmed', 'failed')
UNION ALL
SELECT id::text, state, topic_id, coalesce(sequence_number, 0) FROM ledger_submissions WHERE state IN ('confirmed', 'failed')`
	rows, err := c.DB.Query(ctx, query)
	if err != nil {
		return fmt.Errorf("fsck: list messages: %w", err)
	}
	var id, state, topic string
	var sequence int64
	_, err = pgx.ForEachRow(rows, []any{&id, &state, &topic, &sequence}, func() error {
		switch {
		case state == string(ledger.MessageFailed):
			c.find("message "+id, "message", "its state is failed: the mirror node contradicted it")
		case sequence < 1 || uint64(sequence) > c.newest[topic]:
			c.find("message "+id, "message", "the mirror node has no message %d on topic %s", sequence, topic)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("fsck: list messages: %w", err)
	}
	return nil
}
