package upload

import (
	"bytes"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/outbox"
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
	// Of a processed one:
	DisplayHash   []byte // SHA-256 of the public rendition
	Width, Height *int   // pixels, upright
	Blurhash      *string
}

// Found is what QueueHold has found.
type Found struct {
	wanted []uuid.UUID
	held   []Held
}

// QueueHold locks the uploads of a person among other statements: InOrder tells the outcome once the batch has run.
func QueueHold(b *pgx.Batch, owner uuid.UUID, ids []uuid.UUID) *Found {
	f := &Found{wanted: ids}
	if len(ids) == 0 {
		return f
	}
	const q = `SELECT id, state, attached_at IS NOT NULL, expires_at, coalesce(original_sha256, sha256), display_sha256, width, height, blurhash
		FROM uploads WHERE id = ANY($1) AND user_id = $2 ORDER BY id FOR UPDATE`
	b.Queue(q, ids, owner).Query(func(rows pgx.Rows) error {
		var err error
		f.held, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (Held, error) {
			var h Held
			err := row.Scan(&h.ID, &h.State, &h.Attached, &h.ExpiresAt, &h.Hash, &h.DisplayHash, &h.Width, &h.Height, &h.Blurhash)
			return h, err
		})
		if err != nil {
			return fmt.Errorf("lock uploads: %w", err)
		}
		return nil
	})
	return f
}

// InOrder is the uploads in the order named. One that is unknown or
// somebody else's is a 422 "upload_unknown" that does not say which of the two.
func (f *Found) InOrder() ([]Held, error) {
	out := make([]Held, 0, len(f.wanted))
	for _, id := range f.wanted {
		h, ok := pick(f.held, id)
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

// Attach marks uploads as used, so that they do not expire, with the next statement of w.
func Attach(w *outbox.Work, ids []uuid.UUID) {
	w.Later(`UPDATE uploads SET attached_at = now() WHERE id = ANY($1)`, ids)
}
