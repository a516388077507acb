package apikey

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Key is an API key that is in force.
type Key struct {
	ID        uuid.UUID
	Name      string // of the other system
	PerMinute int    // requests that write
}

// kept is how long a process uses a key that it has read. A key that is revoked stops working within this time.
const kept = 30 * time.Second

// maxKept is the most keys that a process keeps.
const maxKept = 1000

// Keys finds keys by their secrets. It is safe for concurrent use.
type Keys struct {
	db    database.Querier
	clock timestamp.Clock

	mu    sync.Mutex
	known map[[sha256.Size]byte]read
}

// read is a key with the time when it was read.
type read struct {
	Key
	at time.Time
}

// NewKeys returns Keys that reads db.
func NewKeys(db database.Querier, now timestamp.Clock) *Keys {
	return &Keys{db: db, clock: now, known: make(map[[sha256.Size]byte]read)}
}

// Find returns the key with this secret. It is false for a secret that no key has, and for a revoked key: the caller cannot tell one
// from the other. Secrets are compared by their hashes alone, so the time that it takes says nothing about a secret that is nearly right.
// Only keys that exist are kept in memory.
func (k *Keys) Find(ctx context.Context, secret string) (Key, bool, error) {
	hash, now := sha256.Sum256([]byte(secret)), k.clock.Now()
	k.mu.Lock()
	found, ok := k.known[hash]
	k.mu.Unlock()
	if ok && now.Sub(found.at) < kept {
		return found.Key, true, nil
	}
	key, err := k.fromDatabase(ctx, secret)
	if errors.Is(err, pgx.ErrNoRows) {
		k.forget(hash)
		return Key{}, false, nil
	}
	if err != nil {
		return Key{}, false, fmt.Errorf("find API key: %w", err)
	}
	k.keep(hash, read{key, now})
	return key, true, nil
}

// fromDatabase reads a key, and notes its use to the hour. It fails with pgx.ErrNoRows for a secret that is good for no key.
func (k *Keys) fromDatabase(ctx context.Context, secret string) (Key, error) {
	const q = `
		WITH used AS (
			UPDATE api_keys SET last_used_at = now()
			 WHERE secret_hash = $1 AND revoked_at IS NULL AND (last_used_at IS NULL OR last_used_at < now() - interval '1 hour'))
		SELECT id, name, per_minute FROM api_keys WHERE secret_hash = $1 AND revoked_at IS NULL`
	var key Key
	err := k.db.QueryRow(ctx, q, Hash(secret)).Scan(&key.ID, &key.Name, &key.PerMinute)
	return key, err
}

func (k *Keys) keep(hash [sha256.Size]byte, r read) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.known) >= maxKept {
		clear(k.known)
	}
	k.known[hash] = r
}

func (k *Keys) forget(hash [sha256.Size]byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.known, hash)
}
