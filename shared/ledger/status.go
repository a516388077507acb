package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/report"
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

// AskAnchor reads how far a report is on the public ledger. The result is the zero Anchor for a report without events.
func AskAnchor(p database.Pipeline, c Config, about report.About) *database.Ask[Anchor] {
	const query = `
SELECT r.blockchain_status, s.state, s.topic_id, s.transaction_id, s.sequence_number, s.consensus_nanos
FROM ledger_anchors a
JOIN reports r ON r.id = a.report_id
LEFT JOIN ledger_submissions s ON s.id = a.submission_id
WHERE a.seq = 1 AND a.report_id = ` + report.IDSQL
	found := database.AskOptional(p, func(row pgx.CollectableRow) (Anchor, error) {
		var status string
		var r submissionRow
		err := row.Scan(&status, &r.State, &r.TopicID, &r.TransactionID, &r.Sequence, &r.ConsensusNanos)
		a := r.anchor(&c)
		a.Status = status
		return a, err
	}, query, about.Args()...)
	return database.Derive(func() Anchor {
		if found.Get() == nil {
			return Anchor{}
		}
		return *found.Get()
	})
}

// ShowStatus brings reports.blockchain_status, which lists read, in line for the
// reports with an event in the submission: the status of the least advanced
// event. Call LockReports before the submission changes and this after, or two
// submissions of one report that move at once each miss the other.
func ShowStatus(ctx context.Context, tx database.Querier, submission uuid.UUID) error {
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
func LockReports(ctx context.Context, tx database.Querier, submission uuid.UUID) error {
	const lock = `
SELECT FROM reports WHERE id IN (SELECT report_id FROM ledger_anchors WHERE submission_id = $1)
ORDER BY id FOR NO KEY UPDATE`
	if _, err := tx.Exec(ctx, lock, submission); err != nil {
		return fmt.Errorf("lock reports: %w", err)
	}
	return nil
}
