package anchor

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/lafaekstreet/backend/functions/anchor/budget"
	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/translog"
)

const (
	// publishEvery is the shortest time between two checkpoints.
	publishEvery = budget.CheckpointEvery
	// maxPublish is the most entries that one checkpoint adds. More follow at once, with the next.
	maxPublish = 1 << 16
	// retryPublish is the wait after a failure of S3 or KMS.
	retryPublish = 10 * time.Second
)

// errGuarded reports that the bucket has a larger log than the database. Nothing is published.
var errGuarded = errors.New(ledger.HaltedByRestore)

// publish brings the bucket up to the table. It fails with errGuarded, and with translog.ErrTampered if what the bucket has is
// not what was signed: then nothing is extended.
func (r *round) publish(ctx context.Context) error {
	if err := r.LogKey.Load(ctx); err != nil {
		return err
	}
	if err := ledger.CheckOrigin(ctx, r.DB, r.config.Log.Origin); err != nil {
		return err
	}
	if err := r.compareBucket(ctx); err != nil {
		return err
	}
	if err := r.registerKeys(ctx); err != nil {
		return err
	}
	for {
		if err := r.count(ctx); err != nil || r.next <= r.head.Size {
			return err
		}
		if due := r.nextCheckpoint(); due.After(r.Clock.Now()) {
			r.wakeAt(due)
			return nil
		}
		if err := r.extend(ctx, min(r.next, r.head.Size+maxPublish)); err != nil {
			return err
		}
	}
}

// nextCheckpoint is when the next checkpoint may be signed.
func (r *round) nextCheckpoint() time.Time {
	if r.head.SignedAt == nil || r.next-r.head.Size > maxPublish {
		return time.Time{}
	}
	return r.head.SignedAt.Add(publishEvery)
}

// extend publishes the events up to size and signs the new checkpoint. The checkpoint is stored in log_head before the bucket
// has it, and only if log_head still has the size that was extended: two checkpoints of one size never have different roots.
func (r *round) extend(ctx context.Context, size int64) error {
	if err := r.renew(ctx); err != nil {
		return err
	}
	old, err := r.signedTree(ctx)
	if err != nil {
		return err
	}
	root, err := translog.Publish(ctx, r.Store, old, r.entries, size)
	if err != nil {
		return err
	}
	checkpoint, err := translog.SignCheckpoint(ctx, r.LogKey, old, tlog.Tree{N: size, Hash: root})
	if err != nil {
		return err
	}
	now := r.Clock.Now()
	const swap = `UPDATE log_head SET size = $3, checkpoint = $4, signed_at = $5, leased_until = $6 WHERE leased_by = $1 AND size = $2`
	tag, err := r.DB.Exec(ctx, swap, r.lease, old.N, size, string(checkpoint.Signed), now, now.Add(leaseFor))
	if err != nil {
		return fmt.Errorf("store checkpoint: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return errLeaseLost
	}
	text := string(checkpoint.Signed)
	r.head.Size, r.head.Checkpoint, r.head.SignedAt = size, &text, &now
	if err := r.putCheckpoint(ctx); err != nil {
		return err
	}
	if err := translog.Sweep(ctx, r.Store, old.N, size); err != nil {
		r.Log.WarnContext(ctx, "partial tiles are left; the next full tile tries again", "error", err)
	}
	return nil
}

// signedTree is the tree of the last checkpoint in log_head.
func (r *round) signedTree(ctx context.Context) (tlog.Tree, error) {
	if r.head.Checkpoint == nil {
		return translog.Empty(), nil
	}
	c, err := r.openCheckpoint(ctx, []byte(*r.head.Checkpoint))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("checkpoint in log_head: %w", err)
	}
	return c.Tree, nil
}

// openCheckpoint opens a checkpoint that one of the log's keys has signed, now or before.
func (r *round) openCheckpoint(ctx context.Context, signed []byte) (*translog.Checkpoint, error) {
	rows, _ := r.DB.Query(ctx, `SELECT vkey FROM log_keys WHERE role = 'log' UNION SELECT $1`, r.LogKey.VKey())
	keys, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("read keys of the log: %w", err)
	}
	c, err := translog.OpenCheckpoint(signed, r.config.Log.Origin, keys...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", translog.ErrTampered, err)
	}
	return c, nil
}

// entries reads events of the table, as translog.Entries.
func (r *round) entries(ctx context.Context, from, to int64) ([][]byte, error) {
	const query = `SELECT payload FROM ledger_events WHERE log_index >= $1 AND log_index < $2 ORDER BY log_index`
	rows, _ := r.DB.Query(ctx, query, from, to)
	out, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		return nil, fmt.Errorf("read events from %d: %w", from, err)
	}
	if int64(len(out)) != to-from {
		return nil, fmt.Errorf("%w: the table has %d of the %d events from %d", translog.ErrTampered, len(out), to-from, from)
	}
	return out, nil
}

// compareBucket compares the checkpoint in the bucket with the one in log_head. It puts the latter where the bucket has an
// earlier one. A later one in the bucket says that the database is older than what was published.
func (r *round) compareBucket(ctx context.Context) error {
	shown, err := r.Store.Get(ctx, translog.CheckpointKey, translog.MaxCheckpoint)
	if errors.Is(err, translog.ErrNotFound) {
		return r.putCheckpoint(ctx)
	}
	if err != nil {
		return fmt.Errorf("read published checkpoint: %w", err)
	}
	if r.head.Checkpoint != nil && string(shown) == *r.head.Checkpoint {
		return nil
	}
	c, err := r.openCheckpoint(ctx, shown)
	if err != nil {
		return fmt.Errorf("published checkpoint: %w", err)
	}
	if c.N > r.head.Size {
		return r.guard(ctx, c.N)
	}
	kept, err := r.signedTree(ctx)
	if err != nil {
		return err
	}
	if c.N == kept.N && c.Hash != kept.Hash {
		return fmt.Errorf("%w: two roots for %d entries", translog.ErrTampered, c.N)
	}
	return r.putCheckpoint(ctx)
}

// guard stops all writing of events: they would get places that the published log has given to others.
func (r *round) guard(ctx context.Context, published int64) error {
	if _, err := r.DB.Exec(ctx, `SELECT halt_log()`); err != nil {
		return fmt.Errorf("halt the log: %w", err)
	}
	return fmt.Errorf("%w (%d published, %d in the database)", errGuarded, published, r.head.Size)
}

// putCheckpoint puts the checkpoint of log_head into the bucket. Another round may have stored a later one meanwhile: then
// that one is put, so that the bucket never stays with the earlier.
func (r *round) putCheckpoint(ctx context.Context) error {
	for r.head.Checkpoint != nil {
		text := *r.head.Checkpoint
		if err := r.Store.Put(ctx, translog.File{Key: translog.CheckpointKey, Data: []byte(text)}); err != nil {
			return fmt.Errorf("show checkpoint: %w", err)
		}
		if err := r.DB.QueryRow(ctx, `SELECT size, checkpoint FROM log_head`).Scan(&r.head.Size, &r.head.Checkpoint); err != nil {
			return fmt.Errorf("read checkpoint: %w", err)
		}
		if *r.head.Checkpoint == text {
			return nil
		}
	}
	return nil
}

// registerKeys names the keys of this process in the log. Without the ledger's key the rest goes on.
func (r *round) registerKeys(ctx context.Context) error {
	keys := ledger.Keys{Origin: r.config.Log.Origin, Log: r.LogKey.VKey(), Receipts: r.receipts}
	if r.config.HasLedger() {
		public, err := r.Signer.PublicKey(ctx)
		if err != nil {
			r.Log.WarnContext(ctx, "the key of the ledger account is not named in the log yet", "error", err)
		} else {
			keys.Ledger = &ledger.LedgerKey{Network: r.config.Ledger.Network, AccountID: r.config.Ledger.Accounts[0],
				TopicID: r.config.Ledger.TopicReports, PublicKey: hex.EncodeToString(public)}
		}
	}
	err := ledger.RegisterKeys(ctx, r.Outbox, keys, r.Clock.Now())
	if errors.Is(err, ledger.ErrHalted) {
		return nil // named when the log goes on
	}
	return err
}

// tolerate logs a failure of publishing and plans the next try. It returns what has to end the round: ErrOtherOrigin.
func (r *round) tolerate(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	r.stuck = true
	switch {
	case errors.Is(err, ledger.ErrOtherOrigin):
		return err
	case errors.Is(err, errLeaseLost):
		return nil
	case errors.Is(err, errGuarded):
		r.Metrics.Add(catalog.LogHalted)
		r.Log.ErrorContext(ctx, "the log takes no events", "error", err)
		return nil
	case errors.Is(err, translog.ErrTampered):
		r.Metrics.Add(catalog.LogDamaged)
		r.Log.ErrorContext(ctx, "the published log is not what was signed; it is not extended", "error", err)
		return nil
	}
	r.Log.WarnContext(ctx, "publishing the log failed, will be tried again", "error", err)
	r.wakeAt(r.Clock.Now().Add(retryPublish))
	return nil
}
