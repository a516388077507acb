package translog_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lafaekstreet/backend/infra/local/logtest"
	"github.com/lafaekstreet/backend/shared/translog"
)

func TestProofs(t *testing.T) {
	t.Parallel()
	key := logtest.NewKey(t, logtest.Origin).VKey()
	for _, size := range []int64{1, 2, 255, 256, 257, 65_536, 70_000} {
		store := logtest.NewMemory()
		c := logtest.Grown(t, store, size)
		indexes := []int64{0, size / 2, size - 1}
		proofs, err := translog.Prove(t.Context(), store, c, indexes...)
		if err != nil {
			t.Fatal(err)
		}
		text := translog.JoinProofs(proofs)
		parsed, err := translog.ParseProofs(text)
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if translog.JoinProofs(parsed) != text || len(parsed) != 3 {
			t.Errorf("%d proofs, another text", len(parsed))
		}
		for i, p := range parsed {
			if got, err := p.Verify(logtest.Origin, key); err != nil || got.Tree != c.Tree || p.Index != indexes[i] || string(p.Entry) != string(logtest.Entry(indexes[i])) {
				t.Errorf("%d of %d: %v", indexes[i], size, err)
			}
			p.Entry = []byte("another")
			if _, err := p.Verify(logtest.Origin, key); err == nil {
				t.Errorf("%d of %d: another entry is proven", indexes[i], size)
			}
			p.Entry = logtest.Entry(indexes[i])
			if p.Index = (p.Index + 1) % size; size > 1 {
				if _, err := p.Verify(logtest.Origin, key); err == nil {
					t.Errorf("%d of %d: another place is proven", indexes[i], size)
				}
			}
		}
	}
}

// TestProofsOfAReportReadFilesOnce counts the reads for the events of one report: two bundles, their tiles and the edge.
func TestProofsOfAReportReadFilesOnce(t *testing.T) {
	t.Parallel()
	store := logtest.NewMemory()
	c := logtest.Grown(t, store, 70_000)
	var mu sync.Mutex
	read := map[string]int{}
	store.Fail = func(op, key string) error {
		mu.Lock()
		defer mu.Unlock()
		read[op+" "+key]++
		return nil
	}
	if _, err := translog.Prove(t.Context(), store, c, 5, 6, 100, 12_345, 12_346, 12_400); err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"get tile/0/000": 1, "get tile/0/048": 1, "get tile/0/273.p/112": 1, "get tile/1/000": 1, "get tile/1/001.p/17": 1,
		"get tile/2/000.p/1": 1, "get tile/entries/000": 1, "get tile/entries/048": 1}
	if !maps.Equal(read, want) {
		t.Errorf("%v", read)
	}
}

func TestNoProofOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	store := logtest.NewMemory()
	c := logtest.Grown(t, store, 300)
	for _, index := range []int64{-1, 300, 1 << 40} {
		if _, err := translog.Prove(t.Context(), store, c, 1, index); !errors.Is(err, translog.ErrNotFound) {
			t.Errorf("%d: %v", index, err)
		}
	}
}

// TestNoProofOfChangedFiles changes each file of the log. What needs it fails, and says that the log was changed.
func TestNoProofOfChangedFiles(t *testing.T) {
	t.Parallel()
	for key := range map[string]bool{"tile/0/000": true, "tile/0/001.p/44": true, "tile/1/000.p/1": true, "tile/entries/000": true, "tile/entries/001.p/44": true} {
		for name, change := range map[string]func(data []byte) []byte{
			"one bit": func(data []byte) []byte { data[10] ^= 1; return data },
			"length":  func(data []byte) []byte { data[0] ^= 1; return data },
			"shorter": func(data []byte) []byte { return data[:len(data)-1] },
			"missing": func([]byte) []byte { return nil },
		} {
			store := logtest.NewMemory()
			c := logtest.Grown(t, store, 300)
			data := store.Files()[key]
			if data == nil {
				t.Fatal(key)
			}
			if data = change(data); data == nil {
				_ = store.Delete(t.Context(), []string{key})
			} else if err := store.Put(t.Context(), translog.File{Key: key, Data: data}); err != nil {
				t.Fatal(err)
			}
			if _, err := translog.Prove(t.Context(), store, c, 7, 290); !errors.Is(err, translog.ErrTampered) {
				t.Errorf("%s %s: %v", key, name, err)
			}
			if _, err := translog.Published(store, c.Tree)(t.Context(), 0, 300); !errors.Is(err, translog.ErrTampered) {
				t.Errorf("%s %s, all entries: %v", key, name, err)
			}
		}
	}
}

func TestPublished(t *testing.T) {
	t.Parallel()
	store := logtest.NewMemory()
	c := logtest.Grown(t, store, 700, 10_000)
	read := translog.Published(store, c.Tree)
	for _, r := range [][2]int64{{0, 10_000}, {0, 0}, {0, 1}, {255, 256}, {255, 257}, {256, 512}, {300, 301}, {9999, 10_000},
		{10_000, 10_000}, {512, 513}, {4095, 4097}, {100, 4096 + 256}, {100, 9000}} {
		got, err := read(t.Context(), r[0], r[1])
		want, _ := logtest.Entries(t.Context(), r[0], r[1])
		if err != nil || !slices.EqualFunc(got, want, func(a, b []byte) bool { return string(a) == string(b) }) {
			t.Errorf("%d to %d: %d entries, %v", r[0], r[1], len(got), err)
		}
	}
	for _, r := range [][2]int64{{-1, 5}, {5, 4}, {0, 10_001}} {
		if _, err := read(t.Context(), r[0], r[1]); err == nil {
			t.Errorf("%d to %d: no error", r[0], r[1])
		}
	}
	// The published entries are a source to publish from: a log can be rebuilt elsewhere.
	if root, err := translog.Publish(t.Context(), logtest.NewMemory(), translog.Empty(), read, 10_000); err != nil || root != c.Hash {
		t.Error(err)
	}
	// An earlier tree is read from full files where its partial ones are gone.
	old := tlog.Tree{N: 700, Hash: tlog.Hash(mth(leaves(700)))}
	if _, err := translog.Published(store, old)(t.Context(), 0, 700); err != nil {
		t.Error(err)
	}
}

func TestConsistency(t *testing.T) {
	t.Parallel()
	store := logtest.NewMemory()
	c := logtest.Grown(t, store, 70_000)
	all := leaves(70_000)
	for _, old := range []int64{0, 1, 255, 256, 257, 65_535, 65_536, 69_999, 70_000} {
		tree := tlog.Tree{N: old, Hash: tlog.Hash(mth(all[:old]))}
		proof, err := translog.ProveConsistency(t.Context(), store, c.Tree, old)
		if err != nil {
			t.Fatal(err)
		}
		if err := translog.CheckConsistency(proof, c.Tree, tree); err != nil {
			t.Errorf("%d: %v", old, err)
		}
		tree.Hash[0] ^= 1
		if err := translog.CheckConsistency(proof, c.Tree, tree); !errors.Is(err, translog.ErrTampered) {
			t.Errorf("%d, another tree: %v", old, err)
		}
	}
	for _, old := range []int64{-1, 70_001} {
		if _, err := translog.ProveConsistency(t.Context(), store, c.Tree, old); err == nil {
			t.Errorf("%d: no error", old)
		}
		if err := translog.CheckConsistency(nil, c.Tree, tlog.Tree{N: old}); !errors.Is(err, translog.ErrTampered) {
			t.Errorf("%d: %v", old, err)
		}
	}
}

func TestProofsAreReadInOneFormOnly(t *testing.T) {
	t.Parallel()
	store := logtest.NewMemory()
	proofs, err := translog.Prove(context.Background(), store, logtest.Grown(t, store, 5), 3)
	if err != nil {
		t.Fatal(err)
	}
	text := proofs[0].String()
	for name, change := range map[string]string{
		"empty":            "",
		"another version":  strings.Replace(text, "@v1", "@v2", 1),
		"no entry":         strings.Replace(text, "extra ", "more ", 1),
		"index with zero":  strings.Replace(text, "index 3", "index 03", 1),
		"index with sign":  strings.Replace(text, "index 3", "index +3", 1),
		"negative":         strings.Replace(text, "index 3", "index -3", 1),
		"carriage returns": strings.ReplaceAll(text, "\n", "\r\n"),
		"hash too long":    strings.Replace(text, "index 3\n", "index 3\nAAAA", 1),
		"many hashes":      strings.Replace(text, "index 3\n", "index 3\n"+strings.Repeat(tlog.Hash{}.String()+"\n", 64), 1),
		"begins with --":   "--\n" + text,
		"ends with --":     text + "--\n",
		"no checkpoint":    strings.SplitAfter(text, "\n\n")[0][:20],
	} {
		if p, err := translog.ParseProofs(change); err == nil {
			t.Errorf("%s: %v", name, p)
		}
	}
}

// FuzzParseProofs looks for a text that is read, but is written in another way.
func FuzzParseProofs(f *testing.F) {
	store := logtest.NewMemory()
	proofs, err := translog.Prove(context.Background(), store, logtest.Grown(f, store, 5), 0, 3)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(translog.JoinProofs(proofs))
	f.Add(proofs[0].String())
	f.Fuzz(func(t *testing.T, text string) {
		proofs, err := translog.ParseProofs(text)
		if err != nil {
			return
		}
		if got := translog.JoinProofs(proofs); got != text {
			t.Errorf("%q became %q", text, got)
		}
		for _, p := range proofs {
			if c, err := p.Verify(logtest.Origin, logtest.NewKey(t, logtest.Origin).VKey()); err == nil && (c.N != 5 || string(p.Entry) != string(logtest.Entry(p.Index))) {
				t.Errorf("%q is proven", text)
			}
		}
	})
}
