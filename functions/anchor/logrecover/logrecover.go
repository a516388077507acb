// Package logrecover brings a restored backup up to the public log. The log has published events that the backup does not
// have. Without them, a receipt for one of these events proves that we dropped it. Run it while the functions are stopped,
// before anything is written.
//
// What the log says in clear comes back: events, numbers, types, places, states. What it has as salted hashes alone is lost:
// words, notes, comments, authors and salts. Every report concerned gets an INCIDENT that says so.
//
// The rows of ledger messages that were sent since the backup do not come back, and nothing needs them: the next message covers
// the same events again, reports then show that one. fsck holds every checkpoint on the topic against the log, and accepts that
// these have no row because the log has the INCIDENT.
package logrecover

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/translog"
)

// ErrOtherHistory reports that the events of the database are not the first ones of the published log: it is no backup of this
// database, or one of the two was changed.
var ErrOtherHistory = errors.New("the events of the database are not the first ones of the published log")

// Recovery is one run.
type Recovery struct {
	// DB is in the role that owns the tables.
	DB        *database.DB
	Published translog.Reader
	Origin    string
	// Keys are public keys that may have signed the checkpoint, beside those that the database knows.
	Keys   []string
	Outbox *outbox.Outbox
	Clock  timestamp.Clock
}

// Result is what a run brought back.
type Result struct {
	From, To int64 // log indexes: events from From to To-1 came back; equal for none
	Reports  int   // with such an event
	Created  int   // of them, those that the backup did not have
	// Accounts are people who had deleted their accounts after the backup was made. They are back, and have to be erased again.
	Accounts []string
}

// Run brings the missing events back in one transaction and lets the log take events again. If there are none it only lets the
// log go on. It fails with ErrOtherHistory, and with translog.ErrTampered if the published files do not fit the checkpoint;
// the log then stays halted.
func (r *Recovery) Run(ctx context.Context) (*Result, error) {
	if _, err := ledger.HaltIfBehind(ctx, r.DB, r.Published); err != nil {
		return nil, err
	}
	checkpoint, err := r.checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	var result *Result
	err = r.Outbox.Do(ctx, func(tx *outbox.Tx) error {
		var next int64
		if err := tx.QueryRow(ctx, `SELECT next FROM log_counter FOR UPDATE`).Scan(&next); err != nil {
			return fmt.Errorf("read the counter: %w", err)
		}
		result = &Result{From: next, To: max(next, checkpoint.N)}
		if err := r.compare(ctx, tx, checkpoint, next); err != nil {
			return err
		}
		tx.Queue(`UPDATE log_counter SET next = $1, halted = NULL`, result.To)
		if result.From == result.To {
			return nil
		}
		return r.restore(ctx, tx, checkpoint, result)
	})
	if err != nil {
		return nil, fmt.Errorf("recover the log: %w", err)
	}
	return result, nil
}

// checkpoint reads the published checkpoint and checks its signature.
func (r *Recovery) checkpoint(ctx context.Context) (*translog.Checkpoint, error) {
	raw, err := r.Published.Get(ctx, translog.CheckpointKey, translog.MaxCheckpoint)
	if err != nil {
		return nil, fmt.Errorf("read published checkpoint: %w", err)
	}
	batch := &database.Batch{}
	known := database.AskRows(batch, pgx.RowTo[string], `SELECT DISTINCT vkey FROM log_keys WHERE role = 'log'`)
	if err := batch.Send(ctx, r.DB); err != nil {
		return nil, fmt.Errorf("read keys of the log: %w", err)
	}
	keys := slices.Compact(slices.Sorted(slices.Values(append(known.Get(), r.Keys...)))) // two equal ones would be ambiguous
	c, err := translog.OpenCheckpoint(raw, r.Origin, keys...)
	if err != nil {
		return nil, fmt.Errorf("published checkpoint: %w", err)
	}
	return c, nil
}

// pageSize is the number of entries that are read at once.
const pageSize = 4096

// compare checks that the events of the table and the published ones after them have the root of the checkpoint together. A
// table with more events than the checkpoint has to begin with those.
func (r *Recovery) compare(ctx context.Context, tx *outbox.Tx, c *translog.Checkpoint, next int64) error {
	var tree translog.RightEdge
	for at := int64(0); at < min(next, c.N); at += pageSize {
		const query = `SELECT payload FROM ledger_events WHERE log_index >= $1 AND log_index < $2 ORDER BY log_index`
		rows, err := tx.Query(ctx, query, at, min(at+pageSize, next, c.N))
		if err != nil {
			return fmt.Errorf("read events: %w", err)
		}
		var payload []byte
		_, err = pgx.ForEachRow(rows, []any{&payload}, func() error {
			tree.Add(tlog.RecordHash(payload))
			return nil
		})
		if err != nil {
			return fmt.Errorf("read events: %w", err)
		}
	}
	published := translog.Published(r.Published, c.Tree)
	for at := next; at < c.N; at += pageSize {
		entries, err := published(ctx, at, min(at+pageSize, c.N))
		if err != nil {
			return err
		}
		for _, entry := range entries {
			tree.Add(tlog.RecordHash(entry))
		}
	}
	if tree.Tree() != c.Tree {
		return ErrOtherHistory
	}
	return nil
}
