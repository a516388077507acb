package upload

import (
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
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

// DiscardOfReport has the files of all pictures of a report deleted that was withdrawn.
func DiscardOfReport(p database.Pipeline, report uuid.UUID) {
	p.Queue(discard+`(SELECT upload_id FROM report_images WHERE report_id = $2)`, DeleteAll, report)
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
