package translog

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"sync"

	"golang.org/x/mod/sumdb/tlog"
)

// page is how many entries Publish holds in memory: 2 MB at 1,024 bytes each.
const page = 8 * width

// Publish adds entries to the log until it has size entries, and returns the root of the new tree. old is the tree as it was
// signed last; the empty tree is Empty().
//
// It writes full and partial tiles and bundles, no checkpoint: sign one after Publish returned. It asks entries for those of
// the last unfinished bundle again, then for the new ones. What it writes depends on the entries alone, so it may run again
// after a crash, and two at once write the same bytes. It fails with ErrTampered, and writes nothing, if the right edge of
// the stored tree does not fit the root of old, or an entry of the unfinished bundle is not the published one.
func Publish(ctx context.Context, store Store, old tlog.Tree, entries Entries, size int64) (tlog.Hash, error) {
	if old.N < 0 || size < old.N || size > maxSize {
		return tlog.Hash{}, fmt.Errorf("a log of %d entries cannot become one of %d", old.N, size)
	}
	p, err := newPublisher(ctx, store, old)
	if err != nil {
		return tlog.Hash{}, fmt.Errorf("read the edge of the log: %w", err)
	}
	if err := p.resume(ctx, entries, old.N); err != nil {
		return tlog.Hash{}, err
	}
	for p.size < size {
		to := min(p.size+page, size)
		data, err := fetch(ctx, entries, p.size, to)
		if err != nil {
			return tlog.Hash{}, err
		}
		for _, entry := range data {
			p.add(entry)
		}
		if err := p.flush(ctx); err != nil {
			return tlog.Hash{}, err
		}
	}
	p.addPartials(old.N)
	return p.root(), p.flush(ctx)
}

// Empty is the tree without entries.
func Empty() tlog.Tree {
	h, _ := tlog.TreeHash(0, nil) // reads nothing
	return tlog.Tree{Hash: h}
}

// publisher appends to a tree.
type publisher struct {
	store Store
	size  int64
	// levels has the hashes of the unfinished tile of each level of tiles: fewer than 256, none if the last tile is full.
	levels [][]tlog.Hash
	bundle []byte // the unfinished bundle
	files  []File // to be written
}

// newPublisher reads the unfinished tiles of old. They are checked against its root.
func newPublisher(ctx context.Context, store Store, old tlog.Tree) (*publisher, error) {
	p := &publisher{store: store, size: old.N - old.N%width}
	if old.N == 0 {
		if old != Empty() {
			return nil, fmt.Errorf("%w: the root of an empty log is wrong", ErrTampered)
		}
		return p, nil
	}
	var indexes []int64
	for level := 0; old.N>>(height*level) > 0; level++ {
		n := old.N >> (height * level)
		w := n % width
		p.levels = append(p.levels, make([]tlog.Hash, w))
		for i := n - w; i < n; i++ {
			indexes = append(indexes, tlog.StoredHashIndex(height*level, i))
		}
	}
	hashes, err := newHashes(ctx, store, old).ReadHashes(indexes)
	if err != nil {
		return nil, err
	}
	for _, level := range p.levels {
		hashes = hashes[copy(level, hashes):]
	}
	return p, nil
}

// resume fills the unfinished bundle with the entries that are published already.
func (p *publisher) resume(ctx context.Context, entries Entries, size int64) error {
	if p.size == size {
		return nil
	}
	data, err := fetch(ctx, entries, p.size, size)
	if err != nil {
		return err
	}
	for i, entry := range data {
		if tlog.RecordHash(entry) != p.levels[0][i] {
			return fmt.Errorf("%w: entry %d is not the published one", ErrTampered, p.size+int64(i))
		}
		p.bundle = appendEntry(p.bundle, entry)
	}
	p.size = size
	return nil
}

// fetch asks entries for from to to-1.
func fetch(ctx context.Context, entries Entries, from, to int64) ([][]byte, error) {
	data, err := entries(ctx, from, to)
	if err != nil {
		return nil, fmt.Errorf("read entries %d to %d: %w", from, to-1, err)
	}
	if int64(len(data)) != to-from {
		return nil, fmt.Errorf("%d of the %d entries from %d are there", len(data), to-from, from)
	}
	for i, entry := range data {
		if len(entry) > maxEntry {
			return nil, fmt.Errorf("entry %d has %d bytes", from+int64(i), len(entry))
		}
	}
	return data, nil
}

func appendEntry(bundle, entry []byte) []byte {
	return append(binary.BigEndian.AppendUint16(bundle, uint16(len(entry))), entry...)
}

// add appends an entry.
func (p *publisher) add(entry []byte) {
	p.bundle = appendEntry(p.bundle, entry)
	p.size++
	if p.size%width == 0 {
		p.files = append(p.files, File{Key: BundleKey(p.size/width-1, width), Data: p.bundle, Full: true})
		p.bundle = nil
	}
	p.push(0, tlog.RecordHash(entry))
}

// push appends a hash to a level of tiles. A tile that it fills is written, and its root goes to the level above.
func (p *publisher) push(level int, h tlog.Hash) {
	if level == len(p.levels) {
		p.levels = append(p.levels, nil)
	}
	p.levels[level] = append(p.levels[level], h)
	if len(p.levels[level]) < width {
		return
	}
	full := p.levels[level]
	p.levels[level] = nil
	p.files = append(p.files, File{Key: TileKey(level, p.size>>(height*(level+1))-1, width), Data: tileData(full), Full: true})
	p.push(level+1, subtree(full))
}

// addPartials adds the unfinished tiles and bundle to the files, if they grew since the tree had old entries.
func (p *publisher) addPartials(old int64) {
	if len(p.bundle) > 0 && p.size != old {
		p.files = append(p.files, File{Key: BundleKey(p.size/width, int(p.size%width)), Data: p.bundle})
	}
	for level, hashes := range p.levels {
		if n := p.size >> (height * level); len(hashes) > 0 && n != old>>(height*level) {
			p.files = append(p.files, File{Key: TileKey(level, n/width, len(hashes)), Data: tileData(hashes)})
		}
	}
}

// flush writes the files. There are at most some dozen, so it writes them at once.
func (p *publisher) flush(ctx context.Context) error {
	errs := make([]error, len(p.files))
	var writes sync.WaitGroup
	for i, f := range p.files {
		writes.Go(func() {
			if err := p.store.Put(ctx, f); err != nil {
				errs[i] = fmt.Errorf("write %s: %w", f.Key, err)
			}
		})
	}
	writes.Wait()
	p.files = p.files[:0]
	return errors.Join(errs...)
}

// root returns the root hash of the tree (RFC 6962, section 2.1).
func (p *publisher) root() tlog.Hash {
	if p.size == 0 {
		return Empty().Hash
	}
	var root tlog.Hash
	first := true
	for _, hashes := range p.levels {
		for len(hashes) > 0 { // the perfect subtrees, the smallest and rightmost first
			rest := len(hashes) - 1<<bits.TrailingZeros(uint(len(hashes)))
			h := subtree(hashes[rest:])
			if hashes = hashes[:rest]; first {
				root, first = h, false
			} else {
				root = tlog.NodeHash(h, root)
			}
		}
	}
	return root
}

// subtree is the root over hashes; their number is a power of two.
func subtree(hashes []tlog.Hash) tlog.Hash {
	if len(hashes) == 1 {
		return hashes[0]
	}
	half := len(hashes) / 2
	return tlog.NodeHash(subtree(hashes[:half]), subtree(hashes[half:]))
}

func tileData(hashes []tlog.Hash) []byte {
	data := make([]byte, 0, len(hashes)*tlog.HashSize)
	for _, h := range hashes {
		data = append(data, h[:]...)
	}
	return data
}
