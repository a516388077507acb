// Package translog keeps the public log: one append-only Merkle tree over the events of all reports, as files that anybody
// can read and check. Formats are those of C2SP; hashing is RFC 6962 with SHA-256.
//
// Life of an entry: Publish writes it into a bundle and its hash into tiles; SignCheckpoint signs the size and the root of
// the new tree; Cosign lets witnesses confirm that the tree only grew; Prove shows that one entry is in it.
package translog

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	height = 8           // of a tile, in levels of the tree
	width  = 1 << height // hashes in a full tile, entries in a full bundle

	// maxEntry is the longest entry in bytes that a bundle can hold. Events are shorter: 1,024 bytes.
	maxEntry = 1<<16 - 1
	// maxSize is the largest tree that is accepted. Arithmetic on sizes near 2⁶³ would not end.
	maxSize = 1 << 40
)

// CheckpointKey is the key of the newest signed checkpoint in a Store.
const CheckpointKey = "checkpoint"

// ErrNotFound reports that a Store has no file with the key.
var ErrNotFound = errors.New("log file not found")

// ErrTampered reports that stored files do not fit what was signed, or that entries differ from those published.
var ErrTampered = errors.New("log was changed after it was signed")

// Reader reads the files of a log, such as a bucket or a web site. Several goroutines use it at once.
type Reader interface {
	// Get returns the file with the key. It fails with ErrNotFound if there is none, and if it has more than limit bytes.
	Get(ctx context.Context, key string, limit int64) ([]byte, error)
}

// Store keeps the files of a log. Several goroutines use it at once. Keys are the paths of c2sp.org/tlog-tiles.
type Store interface {
	Reader
	Put(ctx context.Context, f File) error
	// List returns all keys that begin with prefix, in order.
	List(ctx context.Context, prefix string) ([]string, error)
	// Delete deletes the files. It is no error when one is missing.
	Delete(ctx context.Context, keys []string) error
}

// File is a file of the log.
type File struct {
	Key  string
	Data []byte
	// Full says that the file is a full tile or bundle. It never changes, so the store may lock it. Other files are
	// replaced or deleted in time.
	Full bool
}

// TileKey is the key of a tile. level counts from 0, n is its place in the level, w its number of hashes, 1 to 256.
func TileKey(level int, n int64, w int) string {
	path := tlog.Tile{H: height, L: level, N: n, W: w}.Path()
	return "tile/" + strings.TrimPrefix(path, "tile/8/")
}

// BundleKey is the key of a bundle of entries. n is its place, w its number of entries, 1 to 256.
func BundleKey(n int64, w int) string {
	return "tile/entries/" + strings.TrimPrefix(TileKey(0, n, w), "tile/0/")
}

// CheckKey fails with ErrNotFound if key is not the key of a tile or bundle in the one form that c2sp.org/tlog-tiles allows.
// Whether a store has the file is another question.
func CheckKey(key string) error {
	rest, ok := strings.CutPrefix(key, "tile/")
	if n, entries := strings.CutPrefix(rest, "entries/"); entries {
		rest = "0/" + n
	}
	t, err := tlog.ParseTilePath("tile/8/" + rest)
	if !ok || err != nil || t.L < 0 || t.L > 63 || t.N > maxSize {
		return fmt.Errorf("%w: %q is no key of a tile", ErrNotFound, key)
	}
	return nil
}

// bundleOf returns the entries of a bundle of w entries.
func bundleOf(data []byte, w int) ([][]byte, error) {
	entries := make([][]byte, 0, w)
	for range w {
		if len(data) < 2 {
			return nil, fmt.Errorf("%w: a bundle has %d entries, not %d", ErrTampered, len(entries), w)
		}
		n := int(data[0])<<8 | int(data[1])
		if len(data) < 2+n {
			return nil, fmt.Errorf("%w: a bundle ends within entry %d", ErrTampered, len(entries))
		}
		entries = append(entries, data[2:2+n])
		data = data[2+n:]
	}
	return entries, nil
}
