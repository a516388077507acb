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

// Entry is one event.
type Entry struct {
	EventType          Type            `json:"event_type" enum:"REPORT_SUBMITTED,STATUS_CHANGED,AI_VALIDATED,CONTENT_AMENDED,REPORT_WITHDRAWN,CONTENT_ERASED"`
	TopicID            *string         `json:"topic_id"`
	SequenceNumber     *int64          `json:"sequence_number" doc:"of the message on the topic"`
	TransactionID      *string         `json:"transaction_id"`
	ConsensusTimestamp *timestamp.Time `json:"consensus_timestamp"`
	Payload            json.RawMessage `json:"payload" doc:"canonical JSON (RFC 8785), as anchored. null for others than the reporter and staff while the report is without a verdict"`
	PayloadHash        string          `json:"payload_hash" doc:"SHA-256 of the payload's canonical bytes, hex"`
	Status             string          `json:"status" enum:"queued,submitting,submitted,confirmed,failed"`
	Verified           bool            `json:"verified" doc:"hash and chain recomputed now, and the mirror node showed these bytes from our account when the event was confirmed"`
	ExplorerURL        *string         `json:"explorer_url"`
	Batch              *BatchProof     `json:"batch,omitempty" doc:"how the event is included when the message is a Merkle root"`
}

// BatchProof proves that an event is a leaf of the Merkle tree whose root is on the topic (RFC 6962).
type BatchProof struct {
	LeafIndex int64    `json:"leaf_index"`
	TreeSize  int      `json:"tree_size"`
	Root      string   `json:"root" doc:"hex"`
	Proof     []string `json:"proof" doc:"sibling hashes from the leaf up, hex"`
}

// History reads the events of a report from the database alone. Where a gate does not let the caller read what the events
// say, they are without their payloads. It fails with ErrNoReport if there is no such report.
func History(ctx context.Context, q database.Querier, c Config, id uuid.UUID, gates ...Gate) (*ReportHistory, error) {
	s, err := readRecords(ctx, q, id, gates...)
	if err != nil {
		return nil, fmt.Errorf("ledger history: %w", err)
	}
	links := s.links
	h := &ReportHistory{ReportID: id, ReportNumber: s.number, Network: c.Network, Entries: make([]Entry, len(links))}
	var prev []byte
	intact := true
	for i := range links {
		l := &links[i]
		sum := sha256.Sum256(l.Payload)
		intact = intact && bytes.Equal(sum[:], l.Hash) && bytes.Equal(l.Prev, prev) && l.Seq == i+1
		prev = sum[:]
		h.Entries[i] = l.entry(&c, intact)
		if s.withheld {
			h.Entries[i].Payload = nil
		}
	}
	return h, nil
}

func (l *link) entry(c *Config, intact bool) Entry {
	r := submissionRow{State: l.State, TopicID: l.TopicID, TransactionID: l.Transaction, Sequence: l.Sequence, ConsensusNanos: l.Consensus}
	a := r.anchor(c)
	e := Entry{
		EventType: l.Type, TopicID: a.TopicID, SequenceNumber: a.SequenceNumber, TransactionID: a.TransactionID,
		ConsensusTimestamp: a.ConsensusTimestamp, Payload: l.Payload, PayloadHash: hex.EncodeToString(l.Hash),
		Status: a.Status, ExplorerURL: a.ExplorerURL,
	}
	included := l.included() == nil
	e.Verified = intact && included && statusOf(l.State) == report.LedgerConfirmed
	if l.LeafIndex != nil && l.BatchSize != nil {
		e.Batch = &BatchProof{LeafIndex: *l.LeafIndex, TreeSize: *l.BatchSize, Proof: []string{}}
		if _, root, err := parseBatch(l.Message); err == nil {
			e.Batch.Root = hex.EncodeToString(root[:])
		}
		for p := l.Proof; len(p) >= sha256.Size; p = p[sha256.Size:] {
			e.Batch.Proof = append(e.Batch.Proof, hex.EncodeToString(p[:sha256.Size]))
		}
	}
	return e
}

// included checks the event against its message: the same bytes, or a leaf under the root it holds.
func (l *link) included() error {
	if l.SubmissionID == nil || l.BatchSize == nil {
		return fmt.Errorf("event %d is not submitted yet", l.Seq)
	}
	if *l.BatchSize == 0 {
		if !bytes.Equal(l.Message, l.Payload) {
			return fmt.Errorf("event %d differs from its message", l.Seq)
		}
		return nil
	}
	if l.LeafIndex == nil {
		return fmt.Errorf("event %d has no place in its batch", l.Seq)
	}
	if err := checkInclusion(l.Message, l.Payload, l.Proof, *l.LeafIndex); err != nil {
		return fmt.Errorf("event %d is not under the root of its batch: %w", l.Seq, err)
	}
	return nil
}
