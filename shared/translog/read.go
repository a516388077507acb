package translog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/mod/sumdb/tlog"
)

// tiles reads tiles for tlog. It keeps those that it read.
type tiles struct {
	ctx   context.Context // of the one call that the tiles are read for
	from  Reader
	known map[tlog.Tile][]byte
	err   error // of the last read that failed; nil after a read that did not
}

// newHashes returns a reader of the hashes of tree that checks every tile against its root. Its error is ErrTampered if a
// tile is missing or does not fit the root.
func newHashes(ctx context.Context, from Reader, tree tlog.Tree) tlog.HashReader {
	t := &tiles{ctx: ctx, from: from, known: map[tlog.Tile][]byte{}}
	checked := tlog.TileHashReader(tree, t)
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes, err := checked.ReadHashes(indexes)
		if err != nil && t.err == nil {
			err = fmt.Errorf("%w: %w", ErrTampered, err)
		}
		return hashes, err
	})
}

// Height implements tlog.TileReader.
func (t *tiles) Height() int { return height }

// ReadTiles implements tlog.TileReader. It reads those that it does not know at once.
func (t *tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(wanted))
	errs := make([]error, len(wanted))
	var reads sync.WaitGroup
	for i, tile := range wanted {
		if out[i] = t.known[tile]; out[i] == nil {
			reads.Go(func() { out[i], errs[i] = t.read(tile) })
		}
	}
	reads.Wait()
	t.err = errors.Join(errs...)
	return out, t.err
}

func (t *tiles) read(tile tlog.Tile) ([]byte, error) {
	data, err := partial(t.ctx, t.from, func(w int) string { return TileKey(tile.L, tile.N, w) }, tile.W, width*tlog.HashSize)
	if err != nil {
		return nil, err
	}
	if len(data) < tile.W*tlog.HashSize {
		return nil, fmt.Errorf("%w: %s has %d bytes", ErrTampered, TileKey(tile.L, tile.N, tile.W), len(data))
	}
	return data[:tile.W*tlog.HashSize], nil
}

// SaveTiles implements tlog.TileReader. The tiles fit the root.
func (t *tiles) SaveTiles(checked []tlog.Tile, data [][]byte) {
	for i, tile := range checked {
		t.known[tile] = data[i]
	}
}

// partial reads the file of width w, or the full file instead if that is gone: partial files are deleted when the full one
// is there.
func partial(ctx context.Context, from Reader, key func(w int) string, w int, limit int64) ([]byte, error) {
	data, err := from.Get(ctx, key(w), limit)
	if errors.Is(err, ErrNotFound) && w < width {
		data, err = from.Get(ctx, key(width), limit)
	}
	if errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("%w: %s is missing", ErrTampered, key(w))
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key(w), err)
	}
	return data, nil
}

// Entries returns the data of the entries from, from+1, … to-1 of a log, in order.
type Entries func(ctx context.Context, from, to int64) ([][]byte, error)

// Published returns the entries that r holds of tree. Each is checked against the root. A call should ask for some thousand
// at most. It fails with ErrTampered if a file is missing or does not fit.
func Published(r Reader, tree tlog.Tree) Entries {
	return func(ctx context.Context, from, to int64) ([][]byte, error) {
		if from < 0 || to < from || to > tree.N {
			return nil, fmt.Errorf("entries %d to %d are not in a tree of %d", from, to, tree.N)
		}
		const together = 16
		hashes := newHashes(ctx, r, tree)
		var out [][]byte
		for at := from; at < to; {
			first := at / width
			entries, err := readBundles(ctx, r, hashes, tree.N, first, min(first+together, (to+width-1)/width))
			if err != nil {
				return nil, err
			}
			end := min(to, first*width+int64(len(entries)))
			out = append(out, entries[at-first*width:end-first*width]...)
			at = end
		}
		return out, nil
	}
}

// readBundles returns the entries of the bundles from to to-1 in a tree of size entries. It reads them at once. hashes are
// those of the tree.
func readBundles(ctx context.Context, r Reader, hashes tlog.HashReader, size, from, to int64) ([][]byte, error) {
	var indexes []int64
	for i := from * width; i < min(to*width, size); i++ {
		indexes = append(indexes, tlog.StoredHashIndex(0, i))
	}
	leaves, err := hashes.ReadHashes(indexes)
	if err != nil {
		return nil, fmt.Errorf("hashes of entries: %w", err)
	}
	bundles, errs := make([][][]byte, to-from), make([]error, to-from)
	var reads sync.WaitGroup
	for i := range bundles {
		reads.Go(func() {
			w := min(width, len(leaves)-i*width)
			bundles[i], errs[i] = readBundle(ctx, r, from+int64(i), leaves[i*width:i*width+w])
		})
	}
	reads.Wait()
	return slices.Concat(bundles...), errors.Join(errs...)
}

// readBundle returns the entries of bundle n. Their hashes are leaves.
func readBundle(ctx context.Context, r Reader, n int64, leaves []tlog.Hash) ([][]byte, error) {
	data, err := partial(ctx, r, func(w int) string { return BundleKey(n, w) }, len(leaves), width*(2+maxEntry))
	if err != nil {
		return nil, err
	}
	entries, err := bundleOf(data, len(leaves))
	if err != nil {
		return nil, fmt.Errorf("bundle %d: %w", n, err)
	}
	for i, entry := range entries {
		if tlog.RecordHash(entry) != leaves[i] {
			return nil, fmt.Errorf("%w: entry %d does not have the hash in its tile", ErrTampered, n*width+int64(i))
		}
	}
	return entries, nil
}
