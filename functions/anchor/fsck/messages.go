package fsck

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/ledger"
)

// mirrorPage is the mirror node's largest page.
const mirrorPage = 100

// messages checks both topics from their first message on. Each running hash must
// follow from the one before it. Each message of our account must be a submission.
func (c *Check) messages(ctx context.Context) error {
	for _, topic := range []string{c.Config.TopicReports, c.Config.TopicStatus} {
		running, next := make([]byte, 48), uint64(1)
		for {
			page, err := c.Mirror.Messages(ctx, topic, next, mirrorPage)
			unused := next == 1 && errors.Is(err, ledger.ErrNotOnMirror) // a topic without messages yet
			if err != nil && !unused {
				return fmt.Errorf("fsck: messages of topic %s: %w", topic, err)
			}
			for _, m := range page {
				if err := c.message(ctx, topic, m, next, running); err != nil {
					return err
				}
				running, next = m.RunningHash, m.Sequence+1
			}
			if len(page) < mirrorPage {
				break
			}
		}
	}
	return nil
}

func (c *Check) message(ctx context.Context, topic string, m *ledger.TopicMessage, want uint64, running []byte) error {
	c.result.Messages++
	where := fmt.Sprintf("topic %s message %d", topic, m.Sequence)
	if m.Sequence != want {
		return c.find(where, "sequence", "message %d is missing on the mirror node", want)
	}
	hash, err := ledger.RunningHash(running, m)
	if err != nil || !bytes.Equal(hash, m.RunningHash) {
		if err := c.find(where, "running_hash", "it does not follow from the messages before it"); err != nil {
			return err
		}
	}
	s, err := c.submissionAt(ctx, topic, m.Sequence)
	if err != nil {
		return err
	}
	if !slices.Contains(c.Config.Accounts, m.Payer) {
		c.result.Foreign++
		if s != nil {
			return c.find(where, "payer", "recorded as ours, but paid for by %s", m.Payer)
		}
		return nil
	}
	if s == nil {
		return c.find(where, "recorded", "our account wrote it, but no submission has it: records were deleted")
	}
	return c.compare(ctx, where, m, s)
}

// submissionRow is a submission with a sequence number on a topic.
type submissionRow struct {
	ID        uuid.UUID
	State     ledger.SubmissionState
	Message   []byte
	Running   []byte
	Consensus *int64
	TxID      *string
	Signed    []byte
}

func (c *Check) submissionAt(ctx context.Context, topic string, sequence uint64) (*submissionRow, error) {
	const query = `
SELECT s.id, s.state, s.message, s.running_hash, s.consensus_nanos, s.transaction_id, t.signed
FROM ledger_submissions s LEFT JOIN ledger_transactions t ON t.id = s.transaction_id
WHERE s.topic_id = $1 AND s.sequence_number = $2`
	rows, err := c.DB.Query(ctx, query, topic, int64(sequence))
	if err != nil {
		return nil, fmt.Errorf("fsck: find submission: %w", err)
	}
	s, err := pgx.CollectOneRow(rows, pgx.RowToAddrOfStructByPos[submissionRow])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("fsck: find submission: %w", err)
	}
	return s, nil
}

func (c *Check) compare(ctx context.Context, where string, m *ledger.TopicMessage, s *submissionRow) error {
	switch {
	case !bytes.Equal(m.Contents, s.Message):
		return c.find(where, "message", "the mirror node holds other bytes than submission %s", s.ID)
	case !bytes.Equal(m.RunningHash, s.Running):
		return c.find(where, "running_hash", "submission %s records another one", s.ID)
	case s.State == ledger.SubmissionConfirmed && (s.Consensus == nil || *s.Consensus != m.ConsensusNanos):
		return c.find(where, "message", "submission %s records another consensus time", s.ID)
	case m.TransactionID != "" && (s.TxID == nil || *s.TxID != m.TransactionID):
		return c.find(where, "signature", "submission %s records another transaction", s.ID)
	}
	if !c.Signatures || s.TxID == nil {
		return nil
	}
	tx, err := c.Mirror.Transaction(ctx, *s.TxID)
	if errors.Is(err, ledger.ErrNotOnMirror) {
		return c.find(where, "signature", "the mirror node does not know transaction %s", *s.TxID)
	}
	if err != nil {
		return fmt.Errorf("fsck: transaction %s: %w", *s.TxID, err)
	}
	if err := ledger.CheckSignature(s.Signed, tx.Hash); err != nil {
		return c.find(where, "signature", "%s", err)
	}
	return nil
}

// submissionSummary is a submission and the number of events that refer to it.
type submissionSummary struct {
	ID       uuid.UUID
	TopicID  string
	Sequence *int64
	Batch    int
	State    ledger.SubmissionState
	Events   int
}

// submissions checks each submission.
func (c *Check) submissions(ctx context.Context) error {
	const query = `
SELECT s.id, s.topic_id, s.sequence_number, s.batch_size, s.state,
       (SELECT count(*) FROM ledger_anchors a WHERE a.submission_id = s.id)
FROM ledger_submissions s WHERE s.id > $1 ORDER BY s.id LIMIT $2`
	var last uuid.UUID
	for {
		rows, err := c.DB.Query(ctx, query, last, pageSize)
		if err != nil {
			return fmt.Errorf("fsck: list submissions: %w", err)
		}
		page, err := pgx.CollectRows(rows, pgx.RowToStructByPos[submissionSummary])
		if err != nil {
			return fmt.Errorf("fsck: list submissions: %w", err)
		}
		for _, s := range page {
			if err := c.submission(ctx, s); err != nil {
				return err
			}
			last = s.ID
		}
		if len(page) < pageSize {
			return nil
		}
	}
}

// submission checks that a submission still has all its events, and that the message of a confirmed one exists.
func (c *Check) submission(ctx context.Context, s submissionSummary) error {
	c.result.Submissions++
	where := "submission " + s.ID.String()
	if s.Events != max(s.Batch, 1) {
		if err := c.find(where, "complete", "it was made for %d events, but only %d are left", max(s.Batch, 1), s.Events); err != nil {
			return err
		}
	}
	switch s.State {
	case ledger.SubmissionFailed:
		return c.find(where, "message", "its state is failed: the mirror node contradicted it")
	case ledger.SubmissionConfirmed:
		return c.onTopic(ctx, where, s.TopicID, s.Sequence)
	}
	return nil
}

// onTopic checks that a confirmed submission names a message that exists on one of our topics.
func (c *Check) onTopic(ctx context.Context, where, topic string, sequence *int64) error {
	if topic != c.Config.TopicReports && topic != c.Config.TopicStatus {
		return c.find(where, "message", "it is on topic %s, which is not ours", topic)
	}
	if sequence == nil || *sequence < 1 {
		return c.find(where, "message", "it is confirmed but has no sequence number")
	}
	found, err := c.Mirror.Messages(ctx, topic, uint64(*sequence), 1)
	if err != nil && !errors.Is(err, ledger.ErrNotOnMirror) {
		return fmt.Errorf("fsck: message %d of topic %s: %w", *sequence, topic, err)
	}
	if len(found) == 0 || found[0].Sequence != uint64(*sequence) {
		return c.find(where, "message", "the mirror node has no message %d on topic %s", *sequence, topic)
	}
	return nil
}
