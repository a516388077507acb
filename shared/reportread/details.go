package reportread

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/report"
)

// Details is what a Summary leaves out and other systems ask for, as everybody may see it.
type Details struct {
	Picture *uuid.UUID // the first picture of evidence
	MovedAt *time.Time // when the report got its present status; nil where no row of the history says so
	Note    *string    // of the move to the present status
}

// FullDetails is Details with more of each report.
type FullDetails struct {
	Details
	Anonymous bool
	Pictures  []Photo        // oldest first
	First     *ledger.Logged // the report's first event, without a salt; nil where not everybody may read it
}

// Photo is a picture that everybody may see.
type Photo struct {
	ID        uuid.UUID
	Kind      string
	Width     int
	Height    int
	CreatedAt time.Time
}

// publicNoteSQL is the note of a step h of a report r as everybody may read it: as Viewer.steps says.
const publicNoteSQL = `CASE WHEN h.new_status <> 'rejected' AND ` + report.ShownSQL + `
	AND NOT EXISTS (SELECT FROM ai_analyses n WHERE n.report_id = h.report_id AND n.created_at = h.created_at AND n.stage = 'override') THEN h.note END`

// publicPhotosSQL joins the pictures ri of reports r that everybody may see, with their uploads p.
const publicPhotosSQL = ` FROM report_images ri JOIN uploads p ON p.id = ri.upload_id
	WHERE ri.report_id = r.id AND ri.deleted_at IS NULL AND p.state = 'processed' AND ` + report.PublicPictureSQL + ` AND ` + report.ShownSQL

const detailsQuery = `SELECT r.id, i.id, s.created_at, s.note, r.is_anonymous
	FROM reports r
	LEFT JOIN LATERAL (SELECT ri.id` + publicPhotosSQL + ` AND ri.kind = 'evidence' ORDER BY ri.created_at, ri.id LIMIT 1) i ON true
	LEFT JOIN LATERAL (SELECT h.created_at, ` + publicNoteSQL + ` AS note FROM report_status_history h
		WHERE h.report_id = r.id AND h.new_status = r.status ORDER BY h.created_at DESC, h.id DESC LIMIT 1) s ON true
	WHERE r.id = ANY($1) AND r.deleted_at IS NULL AND r.status <> 'rejected'`

const photosQuery = `SELECT r.id, i.id, i.kind, i.width, i.height, i.created_at
	FROM reports r CROSS JOIN LATERAL (SELECT ri.id, ri.kind, coalesce(p.width, 0) AS width, coalesce(p.height, 0) AS height, ri.created_at` + publicPhotosSQL + `) i
	WHERE r.id = ANY($1) AND r.deleted_at IS NULL AND r.status <> 'rejected' ORDER BY i.created_at, i.id`

type detailsRow struct {
	ID        uuid.UUID
	Picture   *uuid.UUID
	MovedAt   *time.Time
	Note      *string
	Anonymous bool
}

type photoRow struct {
	Report uuid.UUID
	Photo
}

// Details reads the details of reports by their ids. With full it also reads all pictures and the first event of each. What everybody
// may not see is not in the result.
func (r *Reader) Details(ctx context.Context, ids []uuid.UUID, full bool) (map[uuid.UUID]FullDetails, error) {
	var photos *database.Ask[[]photoRow]
	var first *database.Ask[map[uuid.UUID]ledger.Logged]
	batch := &database.Batch{}
	batch.Queue(useIndexes)
	details := database.AskRows(batch, pgx.RowToStructByPos[detailsRow], detailsQuery, ids)
	if full {
		photos = database.AskRows(batch, pgx.RowToStructByPos[photoRow], photosQuery, ids)
		first = ledger.AskFirst(batch, ids)
	}
	if err := batch.Send(ctx, r.db); err != nil {
		return nil, fmt.Errorf("read details: %w", err)
	}
	out := make(map[uuid.UUID]FullDetails, len(ids))
	for _, d := range details.Get() {
		out[d.ID] = FullDetails{Details: Details{d.Picture, d.MovedAt, d.Note}, Anonymous: d.Anonymous}
	}
	if full {
		addFull(out, photos.Get(), first.Get())
	}
	return out, nil
}

// addFull adds pictures and first events to the details of reports.
func addFull(all map[uuid.UUID]FullDetails, photos []photoRow, first map[uuid.UUID]ledger.Logged) {
	for _, p := range photos {
		d := all[p.Report]
		d.Pictures = append(d.Pictures, p.Photo)
		all[p.Report] = d
	}
	for id, event := range first {
		d := all[id]
		d.First = &event
		all[id] = d
	}
}
