// Package logtest has what tests of the public log need: a store in memory, a key and a log that grows.
package logtest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/lafaekstreet/backend/shared/translog"
)

// Memory is a translog.Store in memory.
type Memory struct {
	mu    sync.Mutex
	files map[string][]byte
	// Fail, if not nil, is asked before each access; op is get, put, list or delete. Its error is the answer.
	Fail func(op, key string) error
}

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{files: map[string][]byte{}} }

func (m *Memory) ask(op, key string) error {
	if m.Fail == nil {
		return nil
	}
	return m.Fail(op, key)
}

// Get implements translog.Reader.
func (m *Memory) Get(_ context.Context, key string, limit int64) ([]byte, error) {
	if err := m.ask("get", key); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.files[key]
	switch {
	case !ok:
		return nil, fmt.Errorf("%w: %s", translog.ErrNotFound, key)
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("%s has more than %d bytes", key, limit)
	}
	return bytes.Clone(data), nil
}

// Put implements translog.Store.
func (m *Memory) Put(_ context.Context, f translog.File) error {
	if err := m.ask("put", f.Key); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.files[f.Key] = bytes.Clone(f.Data)
	return nil
}

// List implements translog.Store.
func (m *Memory) List(_ context.Context, prefix string) ([]string, error) {
	if err := m.ask("list", prefix); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	keys := slices.Sorted(maps.Keys(m.files))
	return slices.DeleteFunc(keys, func(key string) bool { return !strings.HasPrefix(key, prefix) }), nil
}

// Delete implements translog.Store.
func (m *Memory) Delete(_ context.Context, keys []string) error {
	for _, key := range keys {
		if err := m.ask("delete", key); err != nil {
			return err
		}
		m.mu.Lock()
		delete(m.files, key)
		m.mu.Unlock()
	}
	return nil
}

// Files returns a copy of all files.
func (m *Memory) Files() map[string][]byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.files)
}

// Key signs checkpoints in the process.
type Key struct {
	vkey string
	seed ed25519.PrivateKey
}

// NewKey returns a key with this name. The same name gives the same key.
func NewKey(t testing.TB, name string) *Key {
	t.Helper()
	seed := sha256.Sum256([]byte(name))
	private := ed25519.NewKeyFromSeed(seed[:])
	vkey, err := note.NewEd25519VerifierKey(name, private.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return &Key{vkey: vkey, seed: private}
}

// VKey implements translog.Signer.
func (k *Key) VKey() string { return k.vkey }

// Sign implements translog.Signer.
func (k *Key) Sign(_ context.Context, message []byte) ([]byte, error) {
	return ed25519.Sign(k.seed, message), nil
}

// Origin is the name of the log of Grown.
const Origin = "lafaekstreet.example/log"

// Entry is the made-up entry with the index.
func Entry(index int64) []byte { return fmt.Appendf(nil, `{"entry":%d}`, index) }

// Entries are the made-up entries.
func Entries(_ context.Context, from, to int64) ([][]byte, error) {
	var out [][]byte
	for i := from; i < to; i++ {
		out = append(out, Entry(i))
	}
	return out, nil
}

// Grown publishes made-up entries until the log has each of the sizes in turn, and returns the last checkpoint. It is
// signed by NewKey(t, Origin), and stored.
func Grown(t testing.TB, store translog.Store, sizes ...int64) *translog.Checkpoint {
	t.Helper()
	last := &translog.Checkpoint{Tree: translog.Empty()}
	for _, size := range sizes {
		root, err := translog.Publish(t.Context(), store, last.Tree, Entries, size)
		if err != nil {
			t.Fatalf("publish %d: %v", size, err)
		}
		signed, err := translog.SignCheckpoint(t.Context(), NewKey(t, Origin), last.Tree, tlog.Tree{N: size, Hash: root})
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Put(t.Context(), translog.File{Key: translog.CheckpointKey, Data: signed.Signed}); err != nil {
			t.Fatal(err)
		}
		if err := translog.Sweep(t.Context(), store, last.N, size); err != nil {
			t.Fatal(err)
		}
		last = signed
	}
	return last
}
