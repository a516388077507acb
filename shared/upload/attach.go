package upload

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/problem"
)

// State is how far a picture is.
type State string

// The states.
const (
	Issued    State = "issued"    // waiting for the bytes
	Stored    State = "stored"    // the bytes are there
	Processed State = "processed" // renditions exist
	Refused   State = "refused"   // not a picture we take
)

// Held is an upload its owner is about to use, locked by the transaction.
type Held struct {
	ID        uuid.UUID
	State     State
	Attached  bool
	ExpiresAt time.Time
	Hash      []byte // SHA-256 of the original as far as known
}

// Hold locks the uploads of a person in the order named. One that is unknown or
// somebody else's is a 422 "upload_unknown" that does not say which of the two.
func Hold(ctx context.Context, tx database.Querier, owner uuid.UUID, ids []uuid.UUID) ([]Held, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	const q = `SELECT id, state, attached_at IS NOT NULL, expires_at, coalesce(original_sha256, sha256)
		FROM uploads WHERE id = ANY($1) AND user_id = $2 ORDER BY id FOR UPDATE`
	rows, err := tx.Query(ctx, q, ids, owner)
	if err != nil {
		return nil, fmt.Errorf("lock uploads: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Held, error) {
		var h Held
		err := row.Scan(&h.ID, &h.State, &h.Attached, &h.ExpiresAt, &h.Hash)
		return h, err
	})
	if err != nil {
		return nil, fmt.Errorf("lock uploads: %w", err)
	}
	out := make([]Held, 0, len(ids))
	for _, id := range ids {
		h, ok := pick(found, id)
		if !ok {
			return nil, problem.New(problem.Invalid, "upload_unknown")
		}
		out = append(out, h)
	}
	return out, nil
}

func pick(found []Held, id uuid.UUID) (Held, bool) {
	for _, h := range found {
		if h.ID == id {
			return h, true
		}
	}
	return Held{}, false
}

// Usable is nil for an upload that may be attached now.
func (h Held) Usable(now time.Time) error {
	switch {
	case h.State == Refused:
		return problem.New(problem.Invalid, "upload_refused")
	case h.Attached:
		return problem.New(problem.Conflict, "upload_in_use")
	case now.After(h.ExpiresAt):
		return problem.New(problem.Invalid, "upload_unknown")
	}
	return nil
}

// Same reports whether two uploads are of the same picture.
func (h Held) Same(id uuid.UUID, hash []byte) bool {
	return h.ID == id || (h.Hash != nil && bytes.Equal(h.Hash, hash))
}

// Attach marks uploads as used, so that they do not expire.
func Attach(ctx context.Context, tx database.Querier, ids []uuid.UUID) error {
	if _, err := tx.Exec(ctx, `UPDATE uploads SET attached_at = now() WHERE id = ANY($1)`, ids); err != nil {
		return fmt.Errorf("attach uploads: %w", err)
	}
	return nil
}
