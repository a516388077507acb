package ledger

import (
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Anchor is the `blockchain` member of a report. Status is that of its least
// advanced event; the other members say where its submission is on the public ledger.
type Anchor struct {
	_                  struct{}        `schema:"LedgerAnchor"`
	Status             string          `json:"status" enum:"queued,submitting,submitted,confirmed,failed" doc:"confirmed: every event of the report is"`
	Network            string          `json:"network" doc:"mainnet, testnet, previewnet; local is no public ledger"`
	TopicID            *string         `json:"topic_id"`
	TransactionID      *string         `json:"transaction_id"`
	SequenceNumber     *int64          `json:"sequence_number"`
	ConsensusTimestamp *timestamp.Time `json:"consensus_timestamp"`
	ExplorerURL        *string         `json:"explorer_url"`
}

// statusOf maps a message's state to the word clients know; nil stands for an event without a message.
func statusOf(state *MessageState) report.LedgerStatus {
	if state == nil {
		return report.LedgerQueued
	}
	switch *state {
	case MessageClaimed, MessagePrepared:
		return report.LedgerSubmitting
	case MessageSubmitted, MessageReached:
		return report.LedgerSubmitted
	}
	return report.LedgerStatus(*state) // confirmed, failed
}

// messageRow is the message of an event; its members are nil for an event without one.
type messageRow struct {
	State          *MessageState
	TopicID        *string
	TransactionID  *string
	Sequence       *int64
	ConsensusNanos *int64
}

func (r *messageRow) anchor(c *Config) Anchor {
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

// AskAnchor reads how far a report is on the public ledger: its status, and where the first message is that covers its first
// event. A report that an earlier version has written there keeps that place. The result is the zero Anchor for a report
// without events.
func AskAnchor(p database.Pipeline, c Config, about report.About) *database.Ask[Anchor] {
	const query = `
SELECT r.blockchain_status, m.state, m.topic_id, m.transaction_id, m.sequence_number, m.consensus_nanos
FROM ledger_events e
JOIN reports r ON r.id = e.report_id
LEFT JOIN LATERAL (
  (SELECT 1 AS rank, s.state, s.topic_id, s.transaction_id, s.sequence_number, s.consensus_nanos
   FROM ledger_anchors a JOIN ledger_submissions s ON s.id = a.submission_id WHERE a.event_id = e.id AND s.sequence_number IS NOT NULL)
  UNION ALL
  (SELECT 2, state, topic_id, transaction_id, sequence_number, consensus_nanos
   FROM log_messages WHERE size > e.log_index AND state <> 'failed' ORDER BY size LIMIT 1)
  ORDER BY rank LIMIT 1) m ON true
WHERE e.seq = 1 AND e.report_id = ` + report.IDSQL
	found := database.AskOptional(p, func(row pgx.CollectableRow) (Anchor, error) {
		var status string
		var r messageRow
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
