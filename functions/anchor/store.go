package anchor

import (
	"context"
	"time"

	"github.com/lafaekstreet/backend/shared/translog"
)

// timed is a store whose calls each end after a time. Without it a connection that hangs would hold the lease.
type timed struct {
	store translog.Store
	after time.Duration
}

// Get implements translog.Store.
func (t timed) Get(ctx context.Context, key string, limit int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, t.after)
	defer cancel()
	return t.store.Get(ctx, key, limit)
}

// Put implements translog.Store.
func (t timed) Put(ctx context.Context, f translog.File) error {
	ctx, cancel := context.WithTimeout(ctx, t.after)
	defer cancel()
	return t.store.Put(ctx, f)
}

// List implements translog.Store.
func (t timed) List(ctx context.Context, prefix string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, t.after)
	defer cancel()
	return t.store.List(ctx, prefix)
}

// Delete implements translog.Store.
func (t timed) Delete(ctx context.Context, keys []string) error {
	ctx, cancel := context.WithTimeout(ctx, t.after)
	defer cancel()
	return t.store.Delete(ctx, keys)
}
