package logrecover

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/translog"
)

// entry has the members of a payload that the columns beside it repeat.
type entry struct {
	Event        ledger.Type `json:"event"`
	ReportNumber *string     `json:"report_number"`
	Seq          int         `json:"seq"`
	Prev         *string     `json:"prev"`
	At           time.Time   `json:"ts"`
	CreatedAt    *time.Time  `json:"created_at"` // of the report; in its first event
	IssueType    string      `json:"issue_type"`
	Location     struct {
		Lat float64 `json:"lat"`
		Lon float64 `json:"lon"`
	} `json:"location"`
}

// created is when the report was created.
func (e *entry) created() time.Time {
	if e.CreatedAt != nil {
		return *e.CreatedAt
	}
	return e.At
}

// restore brings back the events from res.From to res.To-1, and what they say in clear.
func (r *Recovery) restore(ctx context.Context, tx *outbox.Tx, c *translog.Checkpoint, res *Result) error {
	published := translog.Published(r.Published, c.Tree)
	var created []uuid.UUID
	for at := res.From; at < res.To; at += pageSize {
		payloads, err := published(ctx, at, min(at+pageSize, res.To))
		if err != nil {
			return err
		}
		entries := make([]entry, len(payloads))
		for i, payload := range payloads {
			if err := json.Unmarshal(payload, &entries[i]); err != nil {
				return fmt.Errorf("entry %d: %w", at+int64(i), err)
			}
		}
		made, err := addReports(ctx, tx, entries)
		if err != nil {
			return err
		}
		created = append(created, made...)
		if err := addEvents(tx, at, entries, payloads); err != nil {
			return err
		}
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("store events from %d: %w", at, err)
		}
	}
	res.Created = len(created)
	tx.Queue(setStates, res.From, created)
	tx.Queue(addHistory, res.From)
	tx.Queue(setNumbers, created)
	if err := forget(ctx, tx, res); err != nil {
		return err
	}
	if err := keepKeys(ctx, tx, res.From); err != nil {
		return err
	}
	tx.Queue(`UPDATE log_head SET origin = $1, size = $2, checkpoint = $3, signed_at = $4, leased_by = NULL, leased_until = NULL`,
		r.Origin, c.N, string(c.Signed), r.Clock.Now())
	return r.nameLosses(ctx, tx, res)
}

// addReports adds the reports that the database does not have, with what their events say. Nobody is their reporter. It
// returns their ids.
func addReports(ctx context.Context, tx *outbox.Tx, entries []entry) ([]uuid.UUID, error) {
	const add = `
INSERT INTO reports (id, report_number, content_hash, issue_type, title, latitude, longitude, ai_status, created_at, updated_at)
SELECT $1, $2, '\x', $3, $4, $5, $6, 'needs_review', $7, $7 WHERE NOT EXISTS (SELECT FROM reports WHERE report_number = $2)
RETURNING id`
	var made []*database.Ask[*uuid.UUID]
	seen := make(map[string]bool)
	for _, e := range entries {
		if e.ReportNumber == nil || seen[*e.ReportNumber] {
			continue
		}
		seen[*e.ReportNumber] = true
		title, _ := locale.Text(locale.Tetum, "label.issue_type."+e.IssueType, nil)
		made = append(made, database.AskOptional(tx, pgx.RowTo[uuid.UUID], add, database.NewID(), *e.ReportNumber, e.IssueType, title,
			e.Location.Lat, e.Location.Lon, e.created()))
	}
	if err := tx.Flush(ctx); err != nil {
		return nil, fmt.Errorf("add reports: %w", err)
	}
	var out []uuid.UUID
	for _, id := range made {
		if id.Get() != nil {
			out = append(out, *id.Get())
		}
	}
	return out, nil
}

// addEvents adds the events that the entries from log index at on were made from, byte for byte.
func addEvents(tx *outbox.Tx, at int64, entries []entry, payloads [][]byte) error {
	const add = `
INSERT INTO ledger_events (id, report_id, seq, event_type, payload, payload_hash, prev_hash, created_at, log_index)
VALUES ($1, (SELECT id FROM reports WHERE report_number = $2), $3, $4, $5, $6, $7, $8, $9)`
	for i, e := range entries {
		var prev []byte
		if e.Prev != nil {
			var err error
			if prev, err = hex.DecodeString(*e.Prev); err != nil {
				return fmt.Errorf("entry %d: %w", at+int64(i), err)
			}
		}
		sum := sha256.Sum256(payloads[i])
		tx.Queue(add, database.NewID(), e.ReportNumber, e.Seq, e.Event, payloads[i], sum[:], prev, e.At, at+int64(i))
	}
	return nil
}

// keepKeys stores the keys that the events from index on have named.
func keepKeys(ctx context.Context, tx *outbox.Tx, from int64) error {
	type named struct {
		Index     int64
		Role, New string
		First     bool
	}
	const changes = `
SELECT log_index, k ->> 'role', k ->> 'new', jsonb_typeof(k -> 'old') = 'null'
  FROM ledger_events, LATERAL (SELECT convert_from(payload, 'UTF8')::jsonb -> 'key' AS k) said
 WHERE log_index >= $1 AND event_type = 'KEY_CHANGED' AND k ->> 'role' IN ('log', 'receipts') ORDER BY log_index`
	found := database.AskRows(tx, pgx.RowToStructByPos[named], changes, from)
	if err := tx.Flush(ctx); err != nil {
		return fmt.Errorf("read keys: %w", err)
	}
	for _, k := range found.Get() {
		tx.Queue(`UPDATE log_keys SET until_index = $2 WHERE role = $1 AND until_index IS NULL`, k.Role, k.Index)
		if k.First {
			k.Index = 0
		}
		tx.Queue(`INSERT INTO log_keys (role, vkey, from_index) VALUES ($1, $2, $3)`, k.Role, k.New, k.Index)
		tx.Queue(`UPDATE log_counter SET receipts_vkey = $2 WHERE $1 = 'receipts'`, k.Role, k.New)
	}
	return nil
}

// nameLosses appends an INCIDENT to each report with an event that came back, and one of the log itself.
func (r *Recovery) nameLosses(ctx context.Context, tx *outbox.Tx, res *Result) error {
	type touched struct {
		ID          uuid.UUID
		First, Last int
	}
	const list = `SELECT report_id, min(seq), max(seq) FROM ledger_events WHERE log_index >= $1 AND report_id IS NOT NULL GROUP BY 1 ORDER BY 1`
	found := database.AskRows(tx, pgx.RowToStructByPos[touched], list, res.From)
	ofLog := ledger.AskLogChain(tx)
	if err := tx.Flush(ctx); err != nil {
		return fmt.Errorf("list reports: %w", err)
	}
	chains := make([]*database.Ask[*ledger.Chain], len(found.Get()))
	for i, t := range found.Get() {
		chains[i] = ledger.AskChain(tx, report.AboutID(t.ID), nil)
	}
	if err := tx.Flush(ctx); err != nil {
		return fmt.Errorf("read reports: %w", err)
	}
	res.Reports = len(chains)
	for i, t := range found.Get() {
		e := ledger.Event{Type: ledger.Incident, Actor: ledger.Actor{Kind: "system"}, At: r.Clock.Now(), Detail: fmt.Sprintf(
			"a backup was restored - events %d to %d came back from the public log without words notes comments author and salts", t.First, t.Last)}
		if _, err := chains[i].Get().Append(ctx, tx, e); err != nil {
			return err
		}
	}
	_, err := ofLog.Get().Append(tx, ledger.LogEvent{Type: ledger.Incident, At: r.Clock.Now(), Detail: fmt.Sprintf(
		"a backup was restored - entries %d to %d came back from the public log - receipts of later entries that were not published cannot be kept",
		res.From, res.To-1)})
	return err
}
