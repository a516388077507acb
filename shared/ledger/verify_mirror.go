package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/translog"
)

// sentMessage is a confirmed message of the ledger, as the database has it.
type sentMessage struct {
	ID          uuid.UUID
	TopicID     string
	Message     []byte
	Transaction *string
	Signed      []byte
	Sequence    *int64
	Running     []byte
	Consensus   *int64
}

const selectMessages = `
SELECT id, topic_id, message, transaction_id, signed, sequence_number, running_hash, consensus_nanos
FROM log_messages WHERE id = ANY($1) AND state = 'confirmed' ORDER BY size`

// selectTopics are the topics that KEY_CHANGED events have named.
const selectTopics = `
SELECT DISTINCT p.doc #>> '{key,new,topic_id}'
FROM ledger_events e CROSS JOIN LATERAL (SELECT convert_from(e.payload, 'UTF8')::jsonb AS doc) p
WHERE e.report_id IS NULL AND e.event_type = 'KEY_CHANGED' AND p.doc #>> '{key,role}' = 'ledger' AND p.doc #>> '{key,new,topic_id}' IS NOT NULL`

// evidence is what the mirror node holds about one message.
type evidence struct {
	message     *TopicMessage
	previous    []byte // running hash before the message
	transaction *MirrorTransaction
	payerKey    []byte
}

// ledger compares the first messages that cover the events with the mirror node. c is the checkpoint of the
// published log, nil where it was not read.
func (v *verifier) ledger(ctx context.Context, q database.Querier, c *translog.Checkpoint, h logHead, leaves []leaf) error {
	var ids []uuid.UUID
	compared, left := provenOf(leaves)
	for _, l := range compared {
		if l.message != nil && !slices.Contains(ids, *l.message) {
			ids = append(ids, *l.message)
		}
	}
	if left > 0 {
		v.leaveOut(fmt.Sprintf("The messages of the ledger for events 2 to %d: the checkpoints in later messages cover them too.", left+1))
	}
	batch := &database.Batch{}
	messages := database.AskRows(batch, pgx.RowToStructByPos[sentMessage], selectMessages, ids)
	topics := database.AskRows(batch, pgx.RowTo[string], selectTopics)
	if err := batch.Send(ctx, q); err != nil {
		return fmt.Errorf("read messages: %w", err)
	}
	v.topics = append(topics.Get(), v.config.TopicReports)
	for _, sent := range messages.Get() {
		m := &sent
		e, err := v.evidenceOf(ctx, m)
		if errors.Is(err, ErrMirrorUnavailable) {
			return err
		}
		if err != nil {
			v.fail("message", "%s", err)
			continue
		}
		v.compare(m, e)
		if c == nil {
			continue
		}
		var said struct {
			Checkpoint string `json:"checkpoint"`
		}
		_ = json.Unmarshal(m.Message, &said) // one that is no JSON has no checkpoint
		if err := v.continues(ctx, c, h, said.Checkpoint); err != nil {
			return err
		}
	}
	return nil
}

// evidenceOf asks the mirror node for a message, the one before it, and its transaction.
func (v *verifier) evidenceOf(ctx context.Context, m *sentMessage) (*evidence, error) {
	if m.Sequence == nil || m.Transaction == nil || *m.Sequence < 1 {
		return nil, errors.New("a confirmed message has no place on the ledger")
	}
	seq := uint64(*m.Sequence)
	found, err := v.mirror.Messages(ctx, m.TopicID, max(seq, 2)-1, 2)
	if err != nil {
		return nil, fmt.Errorf("message %d of topic %s: %w", seq, m.TopicID, err)
	}
	e := &evidence{previous: make([]byte, 48)}
	for _, there := range found {
		switch there.Sequence {
		case seq:
			e.message = there
		case seq - 1:
			e.previous = there.RunningHash
		}
	}
	if e.message == nil {
		return nil, fmt.Errorf("the mirror node has no message %d on topic %s", seq, m.TopicID)
	}
	if e.transaction, err = v.mirror.Transaction(ctx, *m.Transaction); err != nil && !errors.Is(err, ErrNotOnMirror) {
		return nil, fmt.Errorf("transaction: %w", err)
	}
	if e.payerKey, err = v.keyOf(ctx, e.message.Payer); err != nil {
		return nil, err
	}
	return e, nil
}

// keyOf returns the key of an account. It asks the mirror node once for each account.
func (v *verifier) keyOf(ctx context.Context, account string) ([]byte, error) {
	if key, known := v.keys[account]; known {
		return key, nil
	}
	a, err := v.mirror.Account(ctx, account)
	if errors.Is(err, ErrNotOnMirror) {
		a, err = &MirrorAccount{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("account %s: %w", account, err)
	}
	v.keys[account] = a.Key
	return a.Key, nil
}

// compare checks a message against the evidence.
func (v *verifier) compare(row *sentMessage, e *evidence) {
	m := e.message
	if !bytes.Equal(m.Contents, row.Message) {
		v.fail("message", "message %d of topic %s holds other bytes", m.Sequence, m.TopicID)
	}
	if !slices.Contains(v.topics, m.TopicID) {
		v.fail("message", "message %d is on topic %s, which is not ours", m.Sequence, m.TopicID)
	}
	if row.Consensus == nil || *row.Consensus != m.ConsensusNanos {
		v.fail("message", "message %d: its recorded consensus time is another", m.Sequence)
	}
	if !slices.Contains(v.config.Accounts, m.Payer) {
		v.fail("payer", "message %d was paid for by %s, which is not ours", m.Sequence, m.Payer)
	}
	if err := v.signature(row, e); err != nil {
		v.fail("signature", "message %d: %s", m.Sequence, err)
	}
	if err := runningHashOf(row, e); err != nil {
		v.fail("running_hash", "message %d: %s", m.Sequence, err)
	}
}

func (v *verifier) signature(row *sentMessage, e *evidence) error {
	if e.transaction == nil {
		return fmt.Errorf("the mirror node does not know transaction %s", *row.Transaction)
	}
	if e.transaction.Result != "SUCCESS" || e.transaction.ConsensusNanos != e.message.ConsensusNanos {
		return fmt.Errorf("transaction %s did not make this message", *row.Transaction)
	}
	current, err := provenBy(row.Signed, e.transaction.Hash, e.payerKey)
	if err == nil && !current {
		v.notes["signature"] = "signed by us, with a key the account has replaced since"
	}
	return err
}

func runningHashOf(row *sentMessage, e *evidence) error {
	want, err := RunningHash(e.previous, e.message)
	if err != nil {
		return err
	}
	if !bytes.Equal(want, e.message.RunningHash) {
		return errors.New("the mirror node's running hash does not follow from its messages")
	}
	if !bytes.Equal(want, row.Running) {
		return errors.New("the recorded running hash is not the topic's")
	}
	return nil
}
