package upload

import (
	"bytes"
	"slices"
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

// Locked is an upload its owner is about to use, locked by the transaction.
type Locked struct {
	ID        uuid.UUID
	State     State
	Attached  bool
	ExpiresAt time.Time
	Hash      []byte // SHA-256 of the original as far as known
	// Of a processed one:
	DisplayHash   []byte // SHA-256 of the public rendition
	Width, Height *int   // pixels, upright
	Blurhash      *string
}

// Lock locks the uploads of a person until the transaction ends. The result has those that are there and theirs; see
// InOrder.
func Lock(p database.Pipeline, owner uuid.UUID, ids []uuid.UUID) *database.Ask[[]Locked] {
	if len(ids) == 0 {
		return database.Derive(func() []Locked { return nil })
	}
	const q = `SELECT id, state, attached_at IS NOT NULL, expires_at, coalesce(original_sha256, sha256), display_sha256, width, height, blurhash
		FROM uploads WHERE id = ANY($1) AND user_id = $2 ORDER BY id FOR UPDATE`
	return database.AskRows(p, pgx.RowToStructByPos[Locked], q, ids, owner)
}

// InOrder returns the uploads in the order of ids. One that is not among them is unknown or
// somebody else's: a 422 "upload_unknown" that does not say which of the two.
func InOrder(ids []uuid.UUID, locked []Locked) ([]Locked, error) {
	out := make([]Locked, 0, len(ids))
	for _, id := range ids {
		i := slices.IndexFunc(locked, func(u Locked) bool { return u.ID == id })
		if i < 0 {
			return nil, problem.New(problem.Invalid, "upload_unknown")
		}
		out = append(out, locked[i])
	}
	return out, nil
}

// Usable is nil for an upload that may be attached now.
func (u Locked) Usable(now time.Time) error {
	switch {
	case u.State == Refused:
		return problem.New(problem.Invalid, "upload_refused")
	case u.Attached:
		return problem.New(problem.Conflict, "upload_in_use")
	case now.After(u.ExpiresAt):
		return problem.New(problem.Invalid, "upload_unknown")
	}
	return nil
}

// Same reports whether two uploads are of the same picture.
func (u Locked) Same(id uuid.UUID, hash []byte) bool {
	return u.ID == id || (u.Hash != nil && bytes.Equal(u.Hash, hash))
}

// Attach marks uploads as used, so that they do not expire.
func Attach(p database.Pipeline, ids []uuid.UUID) {
	p.Queue(`UPDATE uploads SET attached_at = now() WHERE id = ANY($1)`, ids)
}
