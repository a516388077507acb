package reportwrite

import (
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
)

// proof is what shows that a report is repaired, and what the settings demand.
type proof struct {
	// Pictured says that the report has a processed picture of the repair. One of a repair that was reopened or disputed does
	// not count, nor one that is hidden.
	Pictured bool
	// PictureNeeded says that the setting fixed_needs_picture lists the issue type.
	PictureNeeded bool
}

// withProof adds the proof to a locked report. It is read after the lock, so a picture that arrived meanwhile counts.
func withProof(p database.Pipeline, a report.About, locked *database.Ask[*Locked]) *database.Ask[*Locked] {
	const q = `
		SELECT EXISTS (
			SELECT FROM report_images i JOIN uploads u ON u.id = i.upload_id
			WHERE i.report_id = r.id AND i.kind = 'resolution' AND i.deleted_at IS NULL AND i.hidden IS NULL AND u.state = 'processed'
			  AND i.created_at >= coalesce((SELECT max(h.created_at) FROM report_status_history h WHERE h.report_id = r.id AND h.old_status = 'fixed'), '-infinity')),
			coalesce((SELECT value -> 'fixed_needs_picture' @> to_jsonb(r.issue_type) FROM app_settings WHERE key = 'settings'), false)
		FROM reports r WHERE r.id = ` + report.IDSQL
	found := database.AskOptional(p, pgx.RowToStructByPos[proof], q, a.Args()...)
	return database.Derive(func() *Locked {
		h := locked.Get()
		if f := found.Get(); f != nil {
			h.proof = *f
		}
		return h
	})
}

// check is nil where the report may be marked as fixed with a note. Else it is a 422 that names what is missing.
func (p proof) check(note string) error {
	switch {
	case p.PictureNeeded && !p.Pictured:
		return problem.InvalidField("images", "a picture of the repair is required for this issue type: send one of the kind resolution first")
	case !p.Pictured && note == "":
		return problem.InvalidField("note", "required for fixed, or a picture of the repair of the kind resolution")
	}
	return nil
}
