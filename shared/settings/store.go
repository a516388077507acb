package settings

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// key is the one row of app_settings that holds them all.
const key = "settings"

// kept is how long a process uses the settings it last read.
const kept = 30 * time.Second

// Reader reads the settings, at most once every 30 s. Safe for concurrent use.
type Reader struct {
	db    database.Querier
	clock timestamp.Clock

	mu      sync.Mutex
	current Settings
	readAt  time.Time // zero before the first successful read
}

// NewReader reads from db.
func NewReader(db database.Querier, now timestamp.Clock) *Reader {
	return &Reader{db: db, clock: now, current: Default()}
}

// Current are the settings of now or of at most 30 s ago. It fails only when this
// process has never read them and cannot read them now.
func (r *Reader) Current(ctx context.Context) (Settings, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.clock.Now()
	if !r.readAt.IsZero() && now.Sub(r.readAt) < kept {
		return r.current, nil
	}
	s, err := Read(ctx, r.db)
	if err != nil {
		if r.readAt.IsZero() {
			return Settings{}, err
		}
		return r.current, nil // old settings are better than none
	}
	r.current, r.readAt = s, now
	return s, nil
}

// Read reads the present settings. One that was never set has its default.
func Read(ctx context.Context, q database.Querier) (Settings, error) {
	s := Default()
	var stored json.RawMessage
	err := q.QueryRow(ctx, `SELECT value FROM app_settings WHERE key = $1`, key).Scan(&stored)
	if errors.Is(err, pgx.ErrNoRows) {
		return s, nil
	}
	if err != nil {
		return Settings{}, fmt.Errorf("read settings: %w", err)
	}
	if err := json.Unmarshal(stored, &s); err != nil {
		return Settings{}, fmt.Errorf("read settings: %w", err)
	}
	return s, nil
}

// Write replaces the settings in the caller's transaction, which also records
// who did it (audit.Record). Every process uses them within 30 s.
func Write(p database.Pipeline, by uuid.UUID, s Settings) error {
	raw, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	const upsert = `
		INSERT INTO app_settings (key, value, updated_by) VALUES ($1, $2, $3)
		ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_by = excluded.updated_by, updated_at = now()`
	p.Queue(upsert, key, string(raw), by)
	return nil
}
