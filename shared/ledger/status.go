package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Anchor is the `blockchain` member of a report. Status is that of its least
// advanced event; the other members say where its submission is on the public ledger.
type Anchor struct {
	Status             string          `json:"status" enum:"queued,submitting,submitted,confirmed,failed" doc:"confirmed: every event of the report is"`
	Network            string          `json:"network" doc:"mainnet, testnet, previewnet; local is no public ledger"`
	TopicID            *string         `json:"topic_id"`
	TransactionID      *string         `json:"transaction_id"`
	SequenceNumber     *int64          `json:"sequence_number"`
	ConsensusTimestamp *timestamp.Time `json:"consensus_timestamp"`
	ExplorerURL        *string         `json:"explorer_url"`
}

// SubmissionState is how far a message of the public ledger is, as ledger_submissions.state has it.
type SubmissionState string

// The states of a submission, in their order; a submission whose transaction had no effect goes back to claimed.
const (
	SubmissionClaimed   SubmissionState = "claimed"   // events and message are chosen, nothing is signed
	SubmissionPrepared  SubmissionState = "prepared"  // a signed transaction is stored; it may have been sent
	SubmissionSubmitted SubmissionState = "submitted" // a node took the transaction
	SubmissionReached   SubmissionState = "reached"   // consensus: sequence number and running hash are known
	SubmissionConfirmed SubmissionState = "confirmed" // the mirror node shows the same bytes from our account
	SubmissionFailed    SubmissionState = "failed"    // the mirror node contradicts us; a person has to look
)

// statusOf maps a submission's state to the word clients know; nil stands for an event without a submission.
func statusOf(state *SubmissionState) string {
	if state == nil {
		return "queued"
	}
	switch *state {
	case SubmissionClaimed, SubmissionPrepared:
		return "submitting"
	case SubmissionSubmitted, SubmissionReached:
		return "submitted"
	}
	return string(*state) // confirmed, failed
}

// place of an event's submission, as the database has it.
type submissionRow struct {
	State          *SubmissionState
	TopicID        *string
	TransactionID  *string
	Sequence       *int64
	ConsensusNanos *int64
}

func (r *submissionRow) anchor(c *Config) Anchor {
	a := Anchor{Status: statusOf(r.State), Network: c.Network, TopicID: r.TopicID, TransactionID: r.TransactionID,
		SequenceNumber: r.Sequence, ConsensusTimestamp: consensusTime(r.ConsensusNanos)}
	// Before consensus an explorer would show nothing.
	if r.TransactionID != nil && r.Sequence != nil {
		a.ExplorerURL = c.Explorer(*r.TransactionID)
	}
	return a
}

func consensusTime(nanos *int64) *timestamp.Time {
	if nanos == nil {
		return nil
	}
	at := timestamp.Of(time.Unix(0, *nanos))
	return &at
}

// Named is a report by its id or otherwise: it adds a statement about it to a batch, in which "$1 " is its id.
type Named interface {
	Queue(b *pgx.Batch, sql string, args ...any) *pgx.QueuedQuery
}

// QueueAnchor reads how far a report is on the public ledger, among other statements. It stays the zero one for a
// report without events.
func QueueAnchor(b *pgx.Batch, c Config, report Named) *Anchor {
	const query = `
SELECT r.blockchain_status, s.state, s.topic_id, s.transaction_id, s.sequence_number, s.consensus_nanos
FROM ledger_anchors a
JOIN reports r ON r.id = a.report_id
LEFT JOIN ledger_submissions s ON s.id = a.submission_id
WHERE a.report_id = $1 AND a.seq = 1`
	out := &Anchor{}
	report.Queue(b, query).QueryRow(func(row pgx.Row) error {
		var status string
		var r submissionRow
		err := row.Scan(&status, &r.State, &r.TopicID, &r.TransactionID, &r.Sequence, &r.ConsensusNanos)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read anchor: %w", err)
		}
		*out = r.anchor(&c)
		out.Status = status
		return nil
	})
	return out
}

// ShowStatus brings reports.blockchain_status, which lists read, in line for the
// reports with an event in the submission: the status of the least advanced
// event. Call LockReports before the submission changes and this after, or two
// submissions of one report that move at once each miss the other.
func ShowStatus(ctx context.Context, tx pgx.Tx, submission uuid.UUID) error {
	const update = `
UPDATE reports r SET blockchain_status = x.status
FROM (SELECT a.report_id, (ARRAY['failed', 'queued', 'submitting', 'submitted', 'confirmed'])[min(
             CASE WHEN a.submission_id IS NULL THEN 2
                  WHEN s.state = 'failed' THEN 1
                  WHEN s.state IN ('claimed', 'prepared') THEN 3
                  WHEN s.state IN ('submitted', 'reached') THEN 4
                  ELSE 5 END)] AS status
      FROM ledger_anchors a LEFT JOIN ledger_submissions s ON s.id = a.submission_id
      WHERE a.report_id IN (SELECT report_id FROM ledger_anchors WHERE submission_id = $1)
      GROUP BY a.report_id) x
WHERE r.id = x.report_id AND r.blockchain_status <> x.status`
	if _, err := tx.Exec(ctx, update, submission); err != nil {
		return fmt.Errorf("show ledger status on reports: %w", err)
	}
	return nil
}

// LockReports takes the row locks ShowStatus relies on, in the order of ids that everybody takes them in.
func LockReports(ctx context.Context, tx pgx.Tx, submission uuid.UUID) error {
	const lock = `
SELECT FROM reports WHERE id IN (SELECT report_id FROM ledger_anchors WHERE submission_id = $1)
ORDER BY id FOR NO KEY UPDATE`
	if _, err := tx.Exec(ctx, lock, submission); err != nil {
		return fmt.Errorf("lock reports: %w", err)
	}
	return nil
}
