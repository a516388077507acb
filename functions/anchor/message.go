package anchor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/functions/anchor/budget"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
)

// message is a row of log_messages that is under way: a checkpoint on its way to the ledger.
type message struct {
	ID            uuid.UUID
	TopicID       string
	Size          int64
	Message       []byte
	State         ledger.MessageState
	TransactionID *string
	Signed        []byte
	ExpiresAt     *time.Time
	Sequence      *int64
	RunningHash   []byte
	Consensus     *int64
	Attempts      int
	NextAttempt   time.Time

	admitted bool // this run is the probe of an open circuit
}

const openMessage = `
SELECT id, topic_id, size, message, state, transaction_id, signed, expires_at, sequence_number, running_hash, consensus_nanos, attempts, next_attempt_at
FROM log_messages WHERE state NOT IN ('confirmed', 'failed')`

// underWay returns the message that is neither confirmed nor failed; nil if there is none.
func (r *round) underWay(ctx context.Context) (*message, error) {
	var m message
	err := r.DB.QueryRow(ctx, openMessage).Scan(&m.ID, &m.TopicID, &m.Size, &m.Message, &m.State, &m.TransactionID, &m.Signed, &m.ExpiresAt,
		&m.Sequence, &m.RunningHash, &m.Consensus, &m.Attempts, &m.NextAttempt)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read ledger message: %w", err)
	}
	return &m, nil
}

// anchor sends checkpoints to the ledger, one after the other, until there is nothing to send or a step has to wait.
func (r *round) anchor(ctx context.Context) error {
	if !r.config.HasLedger() {
		return nil
	}
	for {
		m, err := r.underWay(ctx)
		if err != nil {
			return err
		}
		if m == nil {
			made, err := r.newMessage(ctx)
			if err != nil || !made {
				return err
			}
			continue
		}
		if m.NextAttempt.After(r.Clock.Now()) {
			r.wakeAt(m.NextAttempt)
			return nil
		}
		if done, err := r.drive(ctx, m); err != nil || !done {
			return err
		}
	}
}

// unsent is what a new message would be about.
type unsent struct {
	First     int64      // the first event that no message covers
	NewReport bool       // a report is among the events
	LastState *string    // of the message before; nil without one
	LastAt    *time.Time // when it was made
	LastEnd   *time.Time // when it changed last
	ProbeAt   *time.Time // the circuit is open until then
}

func (r *round) unsent(ctx context.Context) (unsent, error) {
	const query = `
SELECT f.first, EXISTS (SELECT FROM ledger_events e WHERE e.log_index >= f.first AND e.log_index < $1 AND e.event_type = 'REPORT_SUBMITTED'),
       l.state, l.created_at, l.updated_at, (SELECT probe_at FROM ledger_circuit)
FROM (SELECT coalesce((SELECT size FROM log_messages WHERE state <> 'failed' ORDER BY size DESC LIMIT 1), 0) AS first) f
LEFT JOIN (SELECT state, created_at, updated_at FROM log_messages ORDER BY id DESC LIMIT 1) l ON true`
	rows, _ := r.DB.Query(ctx, query, r.head.Size)
	u, err := pgx.CollectOneRow(rows, pgx.RowToStructByPos[unsent])
	if err != nil {
		return u, fmt.Errorf("look for unsent events: %w", err)
	}
	return u, nil
}

// newMessage makes a message about the events that no message covers yet. It reports whether it did: there may be none, the
// circuit may be open, or the budget may be used up.
func (r *round) newMessage(ctx context.Context) (bool, error) {
	u, err := r.unsent(ctx)
	if err != nil || u.First >= r.head.Size {
		return false, err
	}
	s, err := r.Settings.Current(ctx)
	if err != nil {
		return false, err
	}
	now := r.Clock.Now()
	b := budget.Budget{Burst: s.LedgerBurst, Interval: time.Duration(s.LedgerIntervalSeconds) * time.Second}
	left := b.Left(r.head.Budget, r.head.BudgetAt, now)
	due := now.Add(b.Wait(left, u.NewReport, since(u.LastAt, now, b.Interval)))
	if u.LastState != nil && *u.LastState == string(ledger.MessageFailed) {
		due = latest(due, u.LastEnd.Add(b.Interval))
	}
	if u.ProbeAt != nil {
		due = latest(due, *u.ProbeAt)
	}
	if due.After(now) {
		r.wakeAt(due)
		return false, nil
	}
	return true, r.create(ctx, u.First, left-1, now)
}

// since is the time since at; long where there was nothing.
func since(at *time.Time, now time.Time, long time.Duration) time.Duration {
	if at == nil {
		return long
	}
	return now.Sub(*at)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// create stores a message that has the newest checkpoint. It also stores the budget that is left.
func (r *round) create(ctx context.Context, first int64, left float64, now time.Time) error {
	entries, err := r.firstEntries(ctx, first)
	if err != nil {
		return err
	}
	text, err := messageOf(*r.head.Checkpoint, entries)
	if err != nil {
		return err
	}
	err = r.Outbox.Do(ctx, func(tx *outbox.Tx) error {
		const pay = `UPDATE log_head SET budget = $3, budget_at = $4 WHERE leased_by = $1 AND size = $2`
		tag, err := tx.Exec(ctx, pay, r.lease, r.head.Size, max(left, 0), now)
		if err != nil {
			return fmt.Errorf("draw from the budget: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return errLeaseLost
		}
		const insert = `
INSERT INTO log_messages (id, topic_id, size, first_index, shown, message, next_attempt_at, created_at, updated_at)
VALUES ($1, $2, $3, $4, $4, $5, $6, $6, $6)`
		if _, err := tx.Exec(ctx, insert, database.NewID(), r.config.Ledger.TopicReports, r.head.Size, first, text, now); err != nil {
			return fmt.Errorf("store ledger message: %w", err)
		}
		return nil
	})
	if err == nil {
		left = max(left, 0)
		r.head.Budget, r.head.BudgetAt = &left, &now
	}
	return err
}

// entry names an event in a message.
type entry struct {
	Index  int64       `json:"i"`
	Number *string     `json:"n"` // of the report; null for an event of the log itself
	Event  ledger.Type `json:"e"`
}

// maxNamed is more than the entries that fit into one message.
const maxNamed = 32

func (r *round) firstEntries(ctx context.Context, first int64) ([]entry, error) {
	const query = `
SELECT e.log_index, r.report_number, e.event_type FROM ledger_events e LEFT JOIN reports r ON r.id = e.report_id
WHERE e.log_index >= $1 AND e.log_index < $2 ORDER BY e.log_index LIMIT $3`
	rows, _ := r.DB.Query(ctx, query, first, r.head.Size, maxNamed)
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[entry])
	if err != nil {
		return nil, fmt.Errorf("read the events of a message: %w", err)
	}
	return out, nil
}

// messageOf is the content of a message: the checkpoint and the events that it is the first to cover, as many as fit. Where
// the checkpoint does not fit with all its cosignatures, the last of them are left out; the log's own signature never is.
func messageOf(checkpoint string, entries []entry) ([]byte, error) {
	for {
		out, err := encodeMessage(checkpoint, entries[:min(len(entries), 1)])
		if err != nil || len(out) <= ledger.MaxMessage {
			return withEntries(out, checkpoint, entries, err)
		}
		body, lines, _ := strings.Cut(checkpoint, "\n\n")
		kept := strings.SplitAfter(lines, "\n")
		if len(kept) < 3 { // the log's line, and what follows its newline: nothing
			return nil, fmt.Errorf("a checkpoint of %d bytes does not fit into a message", len(checkpoint))
		}
		checkpoint = body + "\n\n" + strings.Join(kept[:len(kept)-2], "")
	}
}

// withEntries adds entries to a message as long as it fits.
func withEntries(out []byte, checkpoint string, entries []entry, err error) ([]byte, error) {
	for n := 2; err == nil && n <= len(entries); n++ {
		var more []byte
		if more, err = encodeMessage(checkpoint, entries[:n]); len(more) > ledger.MaxMessage {
			break
		}
		out = more
	}
	return out, err
}

func encodeMessage(checkpoint string, entries []entry) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	err := e.Encode(struct {
		Checkpoint string  `json:"checkpoint"`
		Entries    []entry `json:"entries"`
	}{checkpoint, entries})
	if err != nil {
		return nil, fmt.Errorf("encode ledger message: %w", err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
