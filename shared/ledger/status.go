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

// SubmissionState is the state of a message to the public ledger (ledger_submissions.state).
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
func statusOf(state *SubmissionState) report.LedgerStatus {
	if state == nil {
		return report.LedgerQueued
	}
	switch *state {
	case SubmissionClaimed, SubmissionPrepared:
		return report.LedgerSubmitting
	case SubmissionSubmitted, SubmissionReached:
		return report.LedgerSubmitted
	}
	return report.LedgerStatus(*state) // confirmed, failed
}

// submissionRow is the submission of an event; its members are nil for an event without one.
type submissionRow struct {
	State          *SubmissionState
	TopicID        *string
	TransactionID  *string
	Sequence       *int64
	ConsensusNanos *int64
}

func (r *submissionRow) anchor(c *Config) Anchor {
	a := Anchor{Status: string(statusOf(r.State)), Network: c.Network, TopicID: r.TopicID, TransactionID: r.TransactionID,
		SequenceNumber: r.Sequence, ConsensusTimestamp: consensusTime(r.ConsensusNanos)}
	// Before consensus an explorer shows nothing.
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

// ShowStatus updates reports.blockchain_status of the reports with an event in the submission: the status of the event that
// is least advanced. Call LockReports before the submission changes and ShowStatus after it; otherwise two submissions of
// one report that change at the same time do not see each other.
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

// LockReports locks the rows of the reports with an event in the submission, in the order of their ids, which prevents
// deadlocks.
func LockReports(ctx context.Context, tx database.Querier, submission uuid.UUID) error {
	const lock = `
SELECT FROM reports WHERE id IN (SELECT report_id FROM ledger_anchors WHERE submission_id = $1)
ORDER BY id FOR NO KEY UPDATE`
	if _, err := tx.Exec(ctx, lock, submission); err != nil {
		return fmt.Errorf("lock reports: %w", err)
	}
	return nil
}
