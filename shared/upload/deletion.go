package upload

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/outbox"
)

// Deletion is what relay still has to delete of a picture from storage. It runs every minute.
type Deletion string

// What is deleted. Without a Deletion nothing is.
const (
	// DeleteOriginal is the file as it was sent. What was made of it stays.
	DeleteOriginal Deletion = "original"
	// DeleteAll is the file and what was made of it.
	DeleteAll Deletion = "all"
	// Gone says that DeleteAll was done. The row stays for the ledger events that refer to it.
	Gone Deletion = "gone"
)

// Discard has the files of a picture deleted that was taken off its report. The id is that of the picture in the report.
func Discard(p database.Pipeline, image uuid.UUID) {
	p.Queue(discard+`(SELECT upload_id FROM report_images WHERE id = $2)`, DeleteAll, image)
}

// Discard is the function Discard for a picture that others may have seen: its renditions go right after the commit.
func (r *Renditions) Discard(tx *outbox.Tx, image uuid.UUID) {
	r.discard(tx, `(SELECT upload_id FROM report_images WHERE id = $2)`, image)
}

// DiscardOfReport has the files of all pictures of a report deleted that was withdrawn or removed, the renditions right after
// the commit.
func (r *Renditions) DiscardOfReport(tx *outbox.Tx, report uuid.UUID) {
	r.discard(tx, `(SELECT upload_id FROM report_images WHERE report_id = $2)`, report)
}

func (r *Renditions) discard(tx *outbox.Tx, which string, id uuid.UUID) {
	type discarded struct {
		ID         uuid.UUID
		Generation int
	}
	found := database.AskRows(tx, pgx.RowToStructByPos[discarded], discard+which+` RETURNING id, generation`, DeleteAll, id)
	tx.AfterCommit(func(ctx context.Context) {
		var keys []string
		for _, p := range found.Get() {
			keys = append(keys, RenditionKeys(p.ID, 0, p.Generation+1)...)
		}
		_ = r.delete(ctx, keys) // logged; relay deletes them too
	})
}

const discard = `UPDATE uploads SET deletion = $1 WHERE deletion IS DISTINCT FROM 'gone' AND id IN `

// DiscardOfPerson has files of a person deleted whose account is deleted: the originals of pictures in reports, which show
// where somebody was, and everything of pictures that belong to no report.
func DiscardOfPerson(p database.Pipeline, user uuid.UUID) {
	const q = `
		UPDATE uploads u SET deletion = CASE WHEN attached_at IS NULL THEN $2 ELSE coalesce(deletion, $3) END
		 WHERE user_id = $1 AND deletion IS DISTINCT FROM 'gone'`
	p.Queue(q, user, DeleteAll, DeleteOriginal)
}
