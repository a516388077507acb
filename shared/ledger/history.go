package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// ReportHistory is everything the ledger says about a report, in order.
type ReportHistory struct {
	ReportID     uuid.UUID `json:"report_id"`
	ReportNumber string    `json:"report_number"`
	Network      string    `json:"network"`
	Entries      []Entry   `json:"entries"`
}

// Entry is one event. Topic, message and transaction are those of the first message of the ledger whose checkpoint covers
// it; of an event from before the public log those of the message that had it.
type Entry struct {
	_                  struct{}        `schema:"ReportHistoryEntry"`
	EventType          Type            `json:"event_type" enum:"REPORT_SUBMITTED,STATUS_CHANGED,AI_VALIDATED,CONTENT_AMENDED,REPORT_WITHDRAWN,CONTENT_HIDDEN,CONTENT_ERASED,COMMENT_ADDED,COMMENT_REMOVED,ASSIGNED,DISPUTED,INCIDENT"`
	LogIndex           int64           `json:"log_index" doc:"place in the public log"`
	LeafHash           string          `json:"leaf_hash" doc:"RFC 6962 hash of the entry, base64, as in receipts"`
	TopicID            *string         `json:"topic_id"`
	SequenceNumber     *int64          `json:"sequence_number" doc:"of the message on the topic"`
	TransactionID      *string         `json:"transaction_id"`
	ConsensusTimestamp *timestamp.Time `json:"consensus_timestamp"`
	Payload            json.RawMessage `json:"payload" doc:"canonical JSON (RFC 8785): the entry of the log. null for others than the reporter and staff where it is from before the public log and the report was never shown"`
	PayloadHash        string          `json:"payload_hash" doc:"SHA-256 of the payload's canonical bytes, hex"`
	Status             string          `json:"status" enum:"queued,submitting,submitted,confirmed,failed"`
	Verified           bool            `json:"verified" doc:"hash and chain recomputed now, and the mirror node showed the message from our account when it was confirmed"`
	ExplorerURL        *string         `json:"explorer_url"`
}

// History reads the events of a report from the database alone. Where a gate does not let the caller read entries
// from before the public log, these are without their payloads. It fails with ErrNoReport if there is no such report.
func History(ctx context.Context, q database.Querier, c Config, id uuid.UUID, gates ...Gate) (*ReportHistory, error) {
	batch := &database.Batch{}
	events := askEvents(batch, id, gates)
	if err := batch.SendSnapshot(ctx, q); err != nil {
		return nil, fmt.Errorf("ledger history: %w", err)
	}
	h := &ReportHistory{ReportID: id, ReportNumber: events.number.Get(), Network: c.Network, Entries: []Entry{}}
	var prev []byte
	intact := true
	err := events.each(ctx, q, id, func(l *link) {
		sum := sha256.Sum256(l.Payload)
		intact = intact && bytes.Equal(sum[:], l.Hash) && bytes.Equal(l.Prev, prev) && l.Seq == len(h.Entries)+1
		prev = sum[:]
		e := l.entry(&c, intact)
		if events.withheld() && l.beforeTheLog() {
			e.Payload = nil
		}
		h.Entries = append(h.Entries, e)
	})
	if err != nil {
		return nil, fmt.Errorf("ledger history: %w", err)
	}
	return h, nil
}

func (l *link) entry(c *Config, intact bool) Entry {
	r := messageRow{State: l.State, TopicID: l.TopicID, TransactionID: l.Transaction, Sequence: l.Sequence, ConsensusNanos: l.Consensus}
	a := r.anchor(c)
	return Entry{
		EventType: l.Type, LogIndex: l.Index, LeafHash: LeafHash(l.Payload).String(),
		TopicID: a.TopicID, SequenceNumber: a.SequenceNumber, TransactionID: a.TransactionID,
		ConsensusTimestamp: a.ConsensusTimestamp, Payload: l.Payload, PayloadHash: hex.EncodeToString(l.Hash),
		Status: a.Status, ExplorerURL: a.ExplorerURL, Verified: intact && statusOf(l.State) == report.LedgerConfirmed,
	}
}

// beforeTheLog reports whether an earlier version than that of the public log made the payload.
func (l *link) beforeTheLog() bool {
	p, err := decode(l.Payload)
	return err != nil || p.Version == 1
}
