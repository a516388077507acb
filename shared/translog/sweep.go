package translog

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Sweep deletes the partial files of tiles and bundles that became full while the log grew from old to size entries. It
// looks at the tile before these too: a crash may have left partial files there. Call it after the new checkpoint is
// stored. A failure does no harm: readers take the full file, and a later call deletes the rest.
func Sweep(ctx context.Context, store Store, old, size int64) error {
	var prefixes []string
	for level := 0; size>>(height*(level+1)) > 0; level++ {
		from, to := old>>(height*(level+1)), size>>(height*(level+1))
		if from == to {
			break
		}
		for n := max(from-1, 0); n < to; n++ {
			prefixes = append(prefixes, TileKey(level, n, width)+".p/")
			if level == 0 {
				prefixes = append(prefixes, BundleKey(n, width)+".p/")
			}
		}
	}
	const together = 16
	for len(prefixes) > 0 {
		n := min(together, len(prefixes))
		if err := sweep(ctx, store, prefixes[:n]); err != nil {
			return err
		}
		prefixes = prefixes[n:]
	}
	return nil
}

// sweep deletes what begins with one of prefixes.
func sweep(ctx context.Context, store Store, prefixes []string) error {
	errs := make([]error, len(prefixes))
	var work sync.WaitGroup
	for i, prefix := range prefixes {
		work.Go(func() {
			keys, err := store.List(ctx, prefix)
			if err == nil && len(keys) > 0 {
				err = store.Delete(ctx, keys)
			}
			if err != nil {
				errs[i] = fmt.Errorf("sweep %s: %w", prefix, err)
			}
		})
	}
	work.Wait()
	return errors.Join(errs...)
}
