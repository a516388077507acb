package reportread

import (
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/report"
)

// Viewer is who reads reports, and so which they get to see. A rejected report
// is seen by its author and by staff alone; a withdrawn one by nobody; the
// author of an anonymous one by staff and by themselves alone.
type Viewer struct {
	userID uuid.UUID // uuid.Nil for the public
	staff  bool
}

// Public is everybody who has not signed in.
func Public() Viewer { return Viewer{} }

// ViewerOf is a signed-in person.
func ViewerOf(c identity.Caller) Viewer { return Viewer{userID: c.UserID, staff: c.Role.IsStaff()} }

// owns reports whether the viewer is the person with id.
func (v Viewer) owns(id *uuid.UUID) bool { return id != nil && v.userID != uuid.Nil && *id == v.userID }

// visible limits a query on reports r to what the viewer may see.
func (v Viewer) visible(w *where) {
	w.and("r.deleted_at IS NULL")
	switch {
	case v.staff:
	case v.userID == uuid.Nil:
		w.and("r.status <> 'rejected'")
	default:
		w.and("(r.status <> 'rejected' OR r.user_id = ?)", v.userID)
	}
}

// KnowsAuthor reports whether the viewer may know who filed an anonymous report of author.
func (v Viewer) KnowsAuthor(author *uuid.UUID) bool { return v.staff || v.owns(author) }

// QueueMayRead looks, among other statements, whether the viewer may read a report: the batch fails with report.ErrNotFound otherwise.
func (v Viewer) QueueMayRead(b *pgx.Batch, a report.About) {
	a.Queue(b, mayQuery, false).QueryRow(v.look)
}

// QueueMaySee is QueueMayRead, and lets a withdrawn report pass: that it cannot be
// dropped unseen is what its ledger record is for.
func (v Viewer) QueueMaySee(b *pgx.Batch, a report.About) {
	a.Queue(b, mayQuery, true).QueryRow(v.look)
}

const mayQuery = `SELECT status, user_id FROM reports WHERE id = $1 AND (deleted_at IS NULL OR $2)`

func (v Viewer) look(row pgx.Row) error {
	var status report.Status
	var author *uuid.UUID
	err := row.Scan(&status, &author)
	if errors.Is(err, pgx.ErrNoRows) {
		return report.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("look for report: %w", err)
	}
	if status == report.Rejected && !v.KnowsAuthor(author) {
		return report.ErrNotFound
	}
	return nil
}
