package translog_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lafaekstreet/backend/infra/local/logtest"
	"github.com/lafaekstreet/backend/shared/translog"
)

// mth is the tree hash as RFC 6962, section 2.1, writes it down.
func mth(leaves [][32]byte) [32]byte {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	left, right := mth(leaves[:k]), mth(leaves[k:])
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

func leaves(n int64) [][32]byte {
	out := make([][32]byte, n)
	for i := range out {
		out[i] = sha256.Sum256(append([]byte{0}, logtest.Entry(int64(i))...))
	}
	return out
}

// vectors are sizes where the shape of the tree changes. files is the hash of all keys and files but the checkpoint.
var vectors = []struct {
	size              int64
	root, files, note string
}{
	{0, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"c2fab10937b8665326aeffed3b852e224511792824e5b52b65cb8c5545edafb1"},
	{1, "lgtRQ1PUyF6vU95sd8RLAJjP0auH+4+ybuWLTqHYmJU=",
		"3a696829396ee677b693e7ded68444ae3e5797bb68d010451ffee65ea1bb5a0f",
		"82253c4264a53c146b6e32cf6233e574cbb2094b37dfee334d4edcd5e62a5bcb"},
	{255, "iOsPhk9jXhVFhWZ+uzIEY28A2aBPFpE96gcjg3K90+k=",
		"6d27a46df31eb36fdbc983e4bc73c09e31c075aad3a08c8f66c3116b4aaa2f18",
		"a56438c4ed269c012fd619951e0dd8eaee4eeed1fdd4196f95f2124009d8279e"},
	{256, "kZIodUoL37ODbTWQD5+uZ+01ytRTmAFg9nOEleUMfX4=",
		"aa81ba6d3fcf497e0c662bdd0c552e1aadf8dc2bedeea55b3cc28b2601ff6f46",
		"472b69160633bf3334562dfa0025f84f56d94dd04e04f72a38cd394e96eecc41"},
	{257, "nlVSF48SdKxBpt7LpEu+mqmJ7Sh0t5QpwVWfII7Dh0o=",
		"d171556f6f43e884d90b842c22d5a6f91725a4d24be0ae7f95e9b3db6003476a",
		"80f30a84018e726c1cef9e48c8dacb829bb255c2fe486c79a3051d885b3a0e7f"},
	{65_535, "5kYzgNq38RyMTT9OpM1pZyQVgE2vymQmYsn6qBCtD5U=",
		"29b629594cab95e2d428579965725ffc27c51919340c54d1591f8a626925e526",
		"62ed13248dd5f88f96aae6a27779eb2e6a4b06cb65e5f5c8ae43a39b467a0bea"},
	{65_536, "O1avYgexabtMF9ECqHKILchOq2EiRs5dFE/gDxTvRuI=",
		"fd522c8a7809c88643ed39a7ce2f7fb1e9b34dc8a7e13d0089b72efab24177e4",
		"d2b17d85530148f3ec7ab6dbe5970031039832ab37118934b885d4150e3c80b3"},
	{70_000, "CqHdfcsd9cSrhxfP/UDIByOSyFAqnG8cUZCnscZeFz4=",
		"1eb2c680ce3337bc8e904f320c1ab611398316bc325a6bfdc8488e90bf205a84",
		"48c78ccbfae8164ed956ebeb262cf0cd311e6be31778448fcad214c8260ef54c"},
}

func hashFiles(files map[string][]byte) string {
	h := sha256.New()
	for _, key := range slices.Sorted(maps.Keys(files)) {
		if key != translog.CheckpointKey {
			fmt.Fprintf(h, "%s %d\n%s", key, len(files[key]), files[key])
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// TestVectors publishes logs of fixed entries in one step. Everything is a function of the entries and the key.
func TestVectors(t *testing.T) {
	t.Parallel()
	if got, want := logtest.NewKey(t, logtest.Origin).VKey(), "lafaekstreet.example/log+36267bc3+ATOs+/pa2UeUGyUK0/bG9UxBV34MVzvr2AL90EiOc26/"; got != want {
		t.Errorf("vkey %s, want %s", got, want)
	}
	all := leaves(70_000)
	for _, v := range vectors {
		t.Run(fmt.Sprint(v.size), func(t *testing.T) {
			t.Parallel()
			store := logtest.NewMemory()
			c := logtest.Grown(t, store, v.size)
			if c.Hash.String() != v.root || c.Hash != tlog.Hash(mth(all[:v.size])) {
				t.Errorf("root %s, want %s, by the book %s", c.Hash, v.root, tlog.Hash(mth(all[:v.size])))
			}
			if got := hashFiles(store.Files()); got != v.files {
				t.Errorf("files %s, want %s", got, v.files)
			}
			if got := fmt.Sprintf("%x", sha256.Sum256(c.Signed)); got != v.note {
				t.Errorf("checkpoint %s, want %s:\n%s", got, v.note, c.Signed)
			}
		})
	}
}

// TestFilesDoNotDependOnRounds grows a log in small steps and in one. After the partial files are swept they are the same.
func TestFilesDoNotDependOnRounds(t *testing.T) {
	t.Parallel()
	one, many := logtest.NewMemory(), logtest.NewMemory()
	want := logtest.Grown(t, one, 66_100)
	got := logtest.Grown(t, many, 0, 1, 7, 255, 256, 257, 257, 511, 513, 5000, 65_535, 65_536, 65_537, 65_900, 66_100)
	if got.Hash != want.Hash {
		t.Errorf("root %s, want %s", got.Hash, want.Hash)
	}
	for key, data := range one.Files() {
		if !bytes.Equal(many.Files()[key], data) {
			t.Errorf("%s differs", key)
		}
	}
	var more []string
	for key := range many.Files() {
		if one.Files()[key] == nil {
			more = append(more, key)
		}
	}
	slices.Sort(more)
	// Of the tiles that are not full, those of earlier checkpoints stay.
	if !slices.Equal(more, []string{"tile/1/001.p/1"}) {
		t.Errorf("also there: %q", more)
	}
}

var errCrash = errors.New("crash")

// TestCrashBetweenTwoWrites ends a round before each of its writes in turn, and runs it again to the same or a larger size.
func TestCrashBetweenTwoWrites(t *testing.T) {
	t.Parallel()
	const old, size, later = 65_400, 65_700, 65_800
	want := logtest.NewMemory()
	logtest.Grown(t, want, old, later)
	byTheBook := tlog.Hash(mth(leaves(later)))
	for before := 0; ; before++ {
		store := logtest.NewMemory()
		c := logtest.Grown(t, store, old)
		var writes atomic.Int64
		store.Fail = func(op, _ string) error {
			if op == "put" && writes.Add(1) > int64(before) {
				return errCrash
			}
			return nil
		}
		_, err := translog.Publish(t.Context(), store, c.Tree, logtest.Entries, size)
		if err != nil && !errors.Is(err, errCrash) {
			t.Fatal(err)
		}
		store.Fail = nil
		root, again := translog.Publish(t.Context(), store, c.Tree, logtest.Entries, later)
		if again != nil {
			t.Fatalf("after %d writes: %v", before, again)
		}
		if root != byTheBook {
			t.Fatalf("after %d writes the root is another one", before)
		}
		if again := translog.Sweep(t.Context(), store, old, later); again != nil {
			t.Fatal(again)
		}
		for key, data := range want.Files() {
			if key != translog.CheckpointKey && !bytes.Equal(store.Files()[key], data) {
				t.Errorf("after %d writes %s differs", before, key)
			}
		}
		if err == nil {
			if before < 6 {
				t.Errorf("a round has %d writes, too few to test anything", before)
			}
			return
		}
	}
}

// TestChangedTileIsFound changes, shortens or removes each file of the right edge before the log grows.
func TestChangedTileIsFound(t *testing.T) {
	t.Parallel()
	const size = 65_800
	for _, key := range []string{"tile/0/257.p/8", "tile/1/001.p/1", "tile/2/000.p/1"} {
		for name, change := range map[string]func(data []byte) []byte{
			"one bit": func(data []byte) []byte { data[0] ^= 1; return data },
			"shorter": func(data []byte) []byte { return data[1:] },
			"empty":   func([]byte) []byte { return []byte{} },
			"missing": func([]byte) []byte { return nil },
		} {
			store := logtest.NewMemory()
			c := logtest.Grown(t, store, size)
			data := store.Files()[key]
			if data == nil {
				t.Fatalf("%s is not there: %q", key, slices.Sorted(maps.Keys(store.Files())))
			}
			if data = change(data); data == nil {
				_ = store.Delete(t.Context(), []string{key})
			} else if err := store.Put(t.Context(), translog.File{Key: key, Data: data}); err != nil {
				t.Fatal(err)
			}
			store.Fail = func(op, key string) error {
				if op == "put" {
					t.Errorf("%s %s: %s is written", key, name, key)
				}
				return nil
			}
			if _, err := translog.Publish(t.Context(), store, c.Tree, logtest.Entries, size+10); !errors.Is(err, translog.ErrTampered) {
				t.Errorf("%s %s: %v", key, name, err)
			}
		}
	}
}

// TestChangedEntryIsFound changes an entry of the unfinished bundle in the table.
func TestChangedEntryIsFound(t *testing.T) {
	t.Parallel()
	store := logtest.NewMemory()
	c := logtest.Grown(t, store, 300)
	changed := func(ctx context.Context, from, to int64) ([][]byte, error) {
		data, err := logtest.Entries(ctx, from, to)
		data[299-from] = []byte("another")
		return data, err
	}
	if _, err := translog.Publish(t.Context(), store, c.Tree, changed, 310); !errors.Is(err, translog.ErrTampered) || !strings.Contains(err.Error(), "entry 299") {
		t.Error(err)
	}
}

// TestFailingStoreIsNoTampering tells a store that does not answer from one that was changed.
func TestFailingStoreIsNoTampering(t *testing.T) {
	t.Parallel()
	store := logtest.NewMemory()
	c := logtest.Grown(t, store, 300)
	store.Fail = func(string, string) error { return errCrash }
	if _, err := translog.Publish(t.Context(), store, c.Tree, logtest.Entries, 310); !errors.Is(err, errCrash) || errors.Is(err, translog.ErrTampered) {
		t.Error(err)
	}
}

func TestPublishRefusesWhatItCannotDo(t *testing.T) {
	t.Parallel()
	store := logtest.NewMemory()
	c := logtest.Grown(t, store, 300)
	gap := func(ctx context.Context, from, to int64) ([][]byte, error) {
		data, err := logtest.Entries(ctx, from, to)
		return data[:len(data)-1], err
	}
	long := func(_ context.Context, from, to int64) ([][]byte, error) {
		return slices.Repeat([][]byte{make([]byte, 65_536)}, int(to-from)), nil
	}
	for name, f := range map[string]func() error{
		"smaller": func() error { _, err := translog.Publish(t.Context(), store, c.Tree, logtest.Entries, 299); return err },
		"gap":     func() error { _, err := translog.Publish(t.Context(), store, c.Tree, gap, 310); return err },
		"too long": func() error {
			_, err := translog.Publish(t.Context(), logtest.NewMemory(), translog.Empty(), long, 1)
			return err
		},
		"another empty tree": func() error {
			_, err := translog.Publish(t.Context(), logtest.NewMemory(), tlog.Tree{}, logtest.Entries, 1)
			return err
		},
	} {
		if err := f(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if root, err := translog.Publish(t.Context(), store, c.Tree, logtest.Entries, 300); err != nil || root != c.Hash {
		t.Errorf("nothing new: %s %v", root, err)
	}
}

// TestTwoPublishersAtOnce lets two rounds from the same checkpoint run together, to different sizes.
func TestTwoPublishersAtOnce(t *testing.T) {
	t.Parallel()
	store := logtest.NewMemory()
	c := logtest.Grown(t, store, 200)
	sizes := []int64{300, 3000, 3000, 2900}
	roots := make([]tlog.Hash, len(sizes))
	var work sync.WaitGroup
	for i, size := range sizes {
		work.Go(func() {
			var err error
			if roots[i], err = translog.Publish(t.Context(), store, c.Tree, logtest.Entries, size); err != nil {
				t.Error(err)
			}
			if err := translog.Sweep(t.Context(), store, c.N, size); err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	for i, size := range sizes {
		if roots[i] != tlog.Hash(mth(leaves(size))) {
			t.Errorf("root of %d differs", size)
		}
		if _, err := translog.Published(store, tlog.Tree{N: size, Hash: roots[i]})(t.Context(), 0, size); err != nil {
			t.Errorf("the log of %d cannot be read: %v", size, err)
		}
	}
}

// TestSweep leaves the partial files of a crash for the next call, and deletes them then.
func TestSweep(t *testing.T) {
	t.Parallel()
	store := logtest.NewMemory()
	partials := func() []string {
		var out []string
		for key := range store.Files() {
			if strings.Contains(key, ".p/") && (strings.HasPrefix(key, "tile/0/") || strings.HasPrefix(key, "tile/entries/")) {
				out = append(out, key)
			}
		}
		slices.Sort(out)
		return out
	}
	logtest.Grown(t, store, 3, 100)
	if got, want := partials(), []string{"tile/0/000.p/100", "tile/0/000.p/3", "tile/entries/000.p/100", "tile/entries/000.p/3"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	store.Fail = func(op, _ string) error {
		if op == "list" {
			return errCrash
		}
		return nil
	}
	if err := translog.Sweep(t.Context(), store, 100, 300); !errors.Is(err, errCrash) {
		t.Error(err)
	}
	store.Fail = nil
	hundred := tlog.Tree{N: 100, Hash: tlog.Hash(mth(leaves(100)))}
	root, err := translog.Publish(t.Context(), store, hundred, logtest.Entries, 300)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := translog.Publish(t.Context(), store, tlog.Tree{N: 300, Hash: root}, logtest.Entries, 600); err != nil {
		t.Fatal(err)
	}
	if err := translog.Sweep(t.Context(), store, 300, 600); err != nil {
		t.Fatal(err)
	}
	if got, want := partials(), []string{"tile/0/002.p/88", "tile/entries/002.p/88"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestCheckKey(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"tile/0/000", "tile/0/000.p/1", "tile/3/x001/x234/067.p/255", "tile/entries/000", "tile/entries/x001/067.p/9"} {
		if err := translog.CheckKey(key); err != nil {
			t.Error(err)
		}
	}
	for _, key := range []string{"", "checkpoint", "tile/", "tile/0/0", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/64/000", "tile/-1/000",
		"tile/data/000", "tile/00/000", "tile/0/x000/000", "tile/0/1000", "tile/entries/", "tile/entries/../000", "entries/000", "tile/8/0/000",
		"tile/0/x999/x999/x999/x999/x999/x999/x999/999", "tile/entries/entries/000", "tile/0/entries/000"} {
		if err := translog.CheckKey(key); !errors.Is(err, translog.ErrNotFound) {
			t.Errorf("%q: %v", key, err)
		}
	}
	if got := translog.BundleKey(1_234_067, 255); got != "tile/entries/x001/x234/067.p/255" {
		t.Error(got)
	}
}

// BenchmarkPublish publishes 70,000 entries of 540 bytes in 70 rounds, with the signatures.
func BenchmarkPublish(b *testing.B) {
	entry := bytes.Repeat([]byte("x"), 540)
	entries := func(_ context.Context, from, to int64) ([][]byte, error) {
		return slices.Repeat([][]byte{entry}, int(to-from)), nil
	}
	key := logtest.NewKey(b, logtest.Origin)
	for b.Loop() {
		store, last := logtest.NewMemory(), translog.Empty()
		for size := int64(1000); size <= 70_000; size += 1000 {
			root, err := translog.Publish(b.Context(), store, last, entries, size)
			if err != nil {
				b.Fatal(err)
			}
			c, err := translog.SignCheckpoint(b.Context(), key, last, tlog.Tree{N: size, Hash: root})
			if err != nil {
				b.Fatal(err)
			}
			if err := translog.Sweep(b.Context(), store, last.N, size); err != nil {
				b.Fatal(err)
			}
			last = c.Tree
		}
	}
}
