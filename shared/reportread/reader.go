// Package reportread reads reports for those who may see them: single reports, lists, reports near a place and similar ones.
// A Viewer says who reads; each query is limited to what that person may see.
package reportread

import (
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
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

// MayRead has the pipeline fail with report.ErrNotFound unless the viewer may read a report.
func (v Viewer) MayRead(p database.Pipeline, a report.About) { v.may(p, a, false) }

// MaySee is MayRead, and lets a withdrawn report pass: that it cannot be
// dropped unseen is what its ledger record is for.
func (v Viewer) MaySee(p database.Pipeline, a report.About) { v.may(p, a, true) }

func (v Viewer) may(p database.Pipeline, a report.About, withdrawn bool) {
	const q = `SELECT status, user_id FROM reports WHERE (deleted_at IS NULL OR $3) AND id = ` + report.IDSQL
	database.AskRow(p, pgx.RowToStructByPos[secrecy], q, a.Args(withdrawn)...).Missing(report.ErrNotFound).Check(func(s secrecy) error {
		if s.Status == report.Rejected && !v.KnowsAuthor(s.Author) {
			return report.ErrNotFound
		}
		return nil
	})
}

// secrecy is what decides who may read a report.
type secrecy struct {
	Status report.Status
	Author *uuid.UUID
}
