package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/outbox"
)

// MergeDelay is the promise of a receipt: the entry is in the published log this long after the event, at the latest.
const MergeDelay = time.Hour

// ErrOtherOrigin reports that the configuration names another log than the database keeps. An origin never changes: every
// receipt and checkpoint names it.
var ErrOtherOrigin = errors.New("LOG_ORIGIN is not the origin of this database's log")

// KeyRole is what a key of the log signs.
type KeyRole string

// The roles.
const (
	LogKey      KeyRole = "log"      // checkpoints
	ReceiptsKey KeyRole = "receipts" // receipts
)

// ledgerRole is the role of a KeyChange of the public ledger. It is in no row of log_keys.
const ledgerRole = "ledger"

// KeyChange is the member "key" of a KEY_CHANGED. Old and New are verifier keys (c2sp.org/signed-note) for the roles "log"
// and "receipts", and LedgerKey for the role "ledger". Old is null for the first, New when there is no ledger any more.
type KeyChange struct {
	Role string `json:"role"`
	Old  any    `json:"old"`
	New  any    `json:"new"`
}

// LedgerKey says who may write checkpoints to which topic of the public ledger.
type LedgerKey struct {
	Network   string `json:"network"`
	AccountID string `json:"account_id"` // 0.0.N
	TopicID   string `json:"topic_id"`   // 0.0.N
	PublicKey string `json:"public_key"` // compressed secp256k1 point, hex
}

// Keys are those that a process knows. The log is told of those that differ from the ones it has named last.
type Keys struct {
	Origin   string     // required
	Log      string     // verifier key; empty if the process does not know it
	Receipts string     // verifier key; empty if the process does not know it
	Ledger   *LedgerKey // nil if the process does not know it
}

// CheckOrigin fails with ErrOtherOrigin if the database keeps another origin. A database without an origin takes any.
func CheckOrigin(ctx context.Context, q database.Querier, origin string) error {
	var kept *string
	if err := q.QueryRow(ctx, `SELECT origin FROM log_head`).Scan(&kept); err != nil {
		return fmt.Errorf("read origin of the log: %w", err)
	}
	if kept != nil && *kept != origin {
		return fmt.Errorf("%w: %q is configured, %q is kept", ErrOtherOrigin, origin, *kept)
	}
	return nil
}

// RegisterKeys keeps the origin and writes a KEY_CHANGED for each key that differs from the one in force. Afterwards receipts
// are signed by k.Receipts. It writes nothing when nothing differs. It fails with ErrOtherOrigin, and with ErrHalted while
// the log takes no events.
func RegisterKeys(ctx context.Context, o *outbox.Outbox, k Keys, at time.Time) error {
	if err := CheckOrigin(ctx, o.DB(), k.Origin); err != nil {
		return err
	}
	if differ, err := keysDiffer(ctx, o.DB(), k); err != nil || !differ {
		return err
	}
	err := o.Do(ctx, func(tx *outbox.Tx) error {
		chain := AskLogChain(tx)
		kept := database.AskRow(tx, pgx.RowTo[string], `UPDATE log_head SET origin = coalesce(origin, $1) RETURNING origin`, k.Origin)
		named := askNamed(tx)
		if err := tx.Flush(ctx); err != nil {
			return err
		}
		if kept.Get() != k.Origin {
			return ErrOtherOrigin
		}
		for _, change := range named.Get().changes(k) {
			entry, err := chain.Get().Append(tx, LogEvent{Type: KeyChanged, At: at, Key: &change})
			if err != nil {
				return err
			}
			keepKey(tx.Last(), entry, change)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("register keys of the log: %w", err)
	}
	return nil
}

// keepKey stores the key that entry names as the one in force.
func keepKey(p database.Pipeline, entry *NewEntry, c KeyChange) {
	if c.Role == ledgerRole {
		return
	}
	const index = `(SELECT log_index FROM ledger_events WHERE id = $1)`
	p.Queue(`UPDATE log_keys SET until_index = `+index+` WHERE role = $2 AND until_index IS NULL`, entry.ID, c.Role)
	p.Queue(`INSERT INTO log_keys (role, vkey, from_index) VALUES ($2, $3, CASE WHEN $4 THEN 0 ELSE `+index+` END)`,
		entry.ID, c.Role, c.New, c.Old == nil)
	if c.Role == string(ReceiptsKey) {
		p.Queue(`UPDATE log_counter SET receipts_vkey = $1`, c.New)
	}
}

// named are the keys that the log has named last; nil for what it has not named.
type named struct {
	Origin, Log, Receipts *string
	Ledger                *LedgerKey
}

func keysDiffer(ctx context.Context, q database.Querier, k Keys) (bool, error) {
	batch := &database.Batch{}
	now := askNamed(batch)
	if err := batch.Send(ctx, q); err != nil {
		return false, fmt.Errorf("read keys of the log: %w", err)
	}
	return now.Get().Origin == nil || len(now.Get().changes(k)) > 0, nil
}

// namedLedger is the LedgerKey that the log has named last; NULL if it has named none.
const namedLedger = `(SELECT p.doc -> 'key' -> 'new' FROM ledger_events e CROSS JOIN LATERAL (SELECT convert_from(e.payload, 'UTF8')::jsonb AS doc) p
         WHERE e.report_id IS NULL AND e.event_type = 'KEY_CHANGED' AND p.doc -> 'key' ->> 'role' = 'ledger' ORDER BY e.seq DESC LIMIT 1)`

func askNamed(p database.Pipeline) *database.Ask[named] {
	const query = `
SELECT (SELECT origin FROM log_head),
       (SELECT vkey FROM log_keys WHERE role = 'log' AND until_index IS NULL),
       (SELECT vkey FROM log_keys WHERE role = 'receipts' AND until_index IS NULL),
       ` + namedLedger
	return database.AskRow(p, func(row pgx.CollectableRow) (named, error) {
		var n named
		var ledger []byte
		if err := row.Scan(&n.Origin, &n.Log, &n.Receipts, &ledger); err != nil || ledger == nil {
			return n, err
		}
		return n, json.Unmarshal(ledger, &n.Ledger)
	}, query)
}

// changes are what k differs in, in the order in which the log is told.
func (n named) changes(k Keys) []KeyChange {
	var out []KeyChange
	for _, c := range []struct {
		role KeyRole
		old  *string
		now  string
	}{{LogKey, n.Log, k.Log}, {ReceiptsKey, n.Receipts, k.Receipts}} {
		if c.now == "" || c.old != nil && *c.old == c.now {
			continue
		}
		change := KeyChange{Role: string(c.role), New: c.now}
		if c.old != nil {
			change.Old = *c.old
		}
		out = append(out, change)
	}
	if k.Ledger != nil && (n.Ledger == nil || *n.Ledger != *k.Ledger) {
		change := KeyChange{Role: ledgerRole, New: *k.Ledger}
		if n.Ledger != nil {
			change.Old = *n.Ledger
		}
		out = append(out, change)
	}
	return out
}
