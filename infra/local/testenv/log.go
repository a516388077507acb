package testenv

import (
	"context"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/lafaekstreet/backend/infra/local/logtest"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/translog"
)

// LogStore has the files of the public log.
func (w *System) LogStore() *storage.Log {
	w.Helper()
	store, err := storage.NewLog(w.AWS.Config(), storage.LogConfig{Bucket: LogBucket, PathStyle: true, LockMode: storage.LockNone}, timestamp.System{})
	if err != nil {
		w.Fatal(err)
	}
	return store
}

// PublishLog publishes the first size events, for a test without the function anchor. It returns the key that signed the
// checkpoint.
func (w *System) PublishLog(size int64) *logtest.Key {
	w.Helper()
	store, key := w.LogStore(), logtest.NewKey(w, w.Env["LOG_ORIGIN"])
	events := func(ctx context.Context, from, to int64) ([][]byte, error) {
		rows, err := w.DB.Query(ctx, `SELECT payload FROM ledger_events WHERE log_index >= $1 AND log_index < $2 ORDER BY log_index`, from, to)
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(rows, pgx.RowTo[[]byte])
	}
	root, err := translog.Publish(w.Context(), store, translog.Empty(), events, size)
	if err != nil {
		w.Fatal(err)
	}
	c, err := translog.SignCheckpoint(w.Context(), key, translog.Empty(), tlog.Tree{N: size, Hash: root})
	if err != nil {
		w.Fatal(err)
	}
	if err := store.Put(w.Context(), translog.File{Key: translog.CheckpointKey, Data: c.Signed}); err != nil {
		w.Fatal(err)
	}
	w.KeepCheckpoint(c, key.VKey())
	return key
}

// KeepCheckpoint stores a checkpoint and the key that signed it, as the function anchor does.
func (w *System) KeepCheckpoint(c *translog.Checkpoint, vkey string) {
	w.Helper()
	w.Exec(`UPDATE log_head SET origin = $1, size = $2, checkpoint = $3, signed_at = now()`, c.Origin, c.N, string(c.Signed))
	w.Exec(`INSERT INTO log_keys (role, vkey, from_index) VALUES ('log', $1, 0) ON CONFLICT DO NOTHING`, vkey)
}
