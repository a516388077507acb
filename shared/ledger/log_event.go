package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/outbox"
)

// maxDetail is the longest text of an Incident, in bytes.
const maxDetail = 400

// LogEvent is an event of the log itself. It belongs to no report.
type LogEvent struct {
	Type Type // KeyChanged or Incident
	At   time.Time
	// Key belongs to a KeyChanged.
	Key *KeyChange
	// Detail belongs to an Incident: what happened, for everybody to read.
	Detail string
}

// logPayload is a LogEvent as the log holds it.
type logPayload struct {
	Version      int        `json:"v"`
	Event        Type       `json:"event"`
	ReportNumber *string    `json:"report_number"` // always null
	Seq          int        `json:"seq"`
	Prev         *string    `json:"prev"`
	At           string     `json:"ts"`
	ChangedBy    changedBy  `json:"changed_by"`
	Key          *KeyChange `json:"key,omitempty"`
	Detail       string     `json:"detail,omitempty"`
}

// LogChain is the end of the chain of the log's own events.
type LogChain struct {
	seq  int
	hash []byte
}

// AskLogChain locks the log's own chain to the end of the transaction and reads its newest event.
func AskLogChain(p database.Pipeline) *database.Ask[*LogChain] {
	p.Queue(`SELECT FROM log_head FOR UPDATE`)
	const tail = `SELECT seq, payload_hash FROM ledger_events WHERE report_id IS NULL ORDER BY seq DESC LIMIT 1`
	found := database.AskOptional(p, func(row pgx.CollectableRow) (LogChain, error) {
		var c LogChain
		return c, row.Scan(&c.seq, &c.hash)
	}, tail)
	return database.Derive(func() *LogChain {
		if c := found.Get(); c != nil {
			return c
		}
		return &LogChain{}
	})
}

// Append adds e to the log's own chain. Like an event of a report it gets its place in the log in the round trip of the
// commit. It sends no message: the next round of anchor publishes it.
func (c *LogChain) Append(tx *outbox.Tx, e LogEvent) (*NewEntry, error) {
	if (e.Type == KeyChanged) != (e.Key != nil) || (e.Type == Incident) != (e.Detail != "") {
		return nil, fmt.Errorf("append %s: it is no event of the log, or has the members of another", e.Type)
	}
	p := logPayload{Version: 2, Event: e.Type, Seq: c.seq + 1, At: e.At.UTC().Format(payloadTime),
		ChangedBy: changedBy{Kind: "system"}, Key: e.Key, Detail: bounded(e.Detail, maxDetail)}
	if c.hash != nil {
		prev := hex.EncodeToString(c.hash)
		p.Prev = &prev
	}
	raw, err := canonical(p)
	if err != nil {
		return nil, fmt.Errorf("append %s: %w", e.Type, err)
	}
	if len(raw) > MaxMessage {
		return nil, fmt.Errorf("append %s: payload of %d bytes exceeds %d", e.Type, len(raw), MaxMessage)
	}
	entry := &NewEntry{ID: database.NewID(), raw: raw}
	const insert = `
WITH place AS (` + nextPlace + `),
event AS (
  INSERT INTO ledger_events (id, seq, event_type, payload, payload_hash, prev_hash, created_at, log_index)
  SELECT $1, $2, $3, $4, sha256($4), $5, $6, log_index FROM place)
SELECT log_index, receipts_vkey FROM place`
	entry.place = database.AskRow(tx.Last(), pgx.RowToStructByPos[logPlace], insert,
		entry.ID, p.Seq, e.Type, raw, c.hash, e.At).Violated(haltedConstraint, ErrHalted)
	sum := sha256.Sum256(raw)
	c.seq, c.hash = p.Seq, sum[:]
	return entry, nil
}
