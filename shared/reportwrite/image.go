package reportwrite

import (
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
)

// Evidence is the kind of the pictures that a report comes with.
const Evidence = "evidence"

// AttachImage adds an upload to the pictures of a report. By is the person who adds it; nil for an API key.
func AttachImage(p database.Pipeline, id, reportID, uploadID uuid.UUID, by *uuid.UUID, kind string) {
	const q = `INSERT INTO report_images (id, report_id, upload_id, kind, added_by) VALUES ($1, $2, $3, $4, $5)`
	p.Queue(q, id, reportID, uploadID, kind, by)
}
