package translog

import (
	"context"
	"errors"
	"fmt"

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

// ReadTiles implements tlog.TileReader.
func (t *tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(wanted))
	for i, tile := range wanted {
		out[i] = t.known[tile]
		if out[i] != nil {
			continue
		}
		data, err := partial(t.ctx, t.from, func(w int) string { return TileKey(tile.L, tile.N, w) }, tile.W, width*tlog.HashSize)
		if t.err = err; err != nil {
			return nil, err
		}
		if len(data) < tile.W*tlog.HashSize {
			t.err = fmt.Errorf("%w: %s has %d bytes", ErrTampered, TileKey(tile.L, tile.N, tile.W), len(data))
			return nil, t.err
		}
		out[i] = data[:tile.W*tlog.HashSize]
	}
	t.err = nil
	return out, nil
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
		hashes := newHashes(ctx, r, tree)
		var out [][]byte
		for n := from / width; n*width < to; n++ {
			entries, err := readBundle(ctx, r, hashes, tree.N, n)
			if err != nil {
				return nil, err
			}
			out = append(out, entries[max(from-n*width, 0):min(to-n*width, int64(len(entries)))]...)
		}
		return out, nil
	}
}

// readBundle returns the entries of bundle n in a tree of size entries. hashes are those of the tree.
func readBundle(ctx context.Context, r Reader, hashes tlog.HashReader, size, n int64) ([][]byte, error) {
	w := int(min(size-n*width, width))
	data, err := partial(ctx, r, func(w int) string { return BundleKey(n, w) }, w, width*(2+maxEntry))
	if err != nil {
		return nil, err
	}
	entries, err := bundleOf(data, w)
	if err != nil {
		return nil, fmt.Errorf("bundle %d: %w", n, err)
	}
	indexes := make([]int64, w)
	for i := range indexes {
		indexes[i] = tlog.StoredHashIndex(0, n*width+int64(i))
	}
	leaves, err := hashes.ReadHashes(indexes)
	if err != nil {
		return nil, fmt.Errorf("hashes of bundle %d: %w", n, err)
	}
	for i, entry := range entries {
		if tlog.RecordHash(entry) != leaves[i] {
			return nil, fmt.Errorf("%w: entry %d does not have the hash in its tile", ErrTampered, n*width+int64(i))
		}
	}
	return entries, nil
}
