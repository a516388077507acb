package reportread

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/report"
)

// Snapshot is a report as an event left it, as everybody may see it. Its Summary has no reporter and no addresses of pictures.
type Snapshot struct {
	Summary *Summary          // nil where everybody may not see the report
	Removed *report.Tombstone // nil where it was not taken down
	Picture *uuid.UUID        // the first picture that everybody may see now; nil for none
}

// wordsShownNowSQL is true while everybody may read the words of a report r.
const wordsShownNowSQL = report.ShownSQL + ` AND ` + report.WordsShownSQL + ` AND NOT ` + report.TakenDownSQL + ` AND NOT ` + report.ErasedSQL

// AskWordsUnchanged reads whether everybody may read the words of a report now, and no moderator has changed them.
func AskWordsUnchanged(p database.Pipeline, a report.About) *database.Ask[bool] {
	return database.AskRow(p, pgx.RowTo[bool], `SELECT `+wordsShownNowSQL+` AND r.original_words IS NULL FROM reports r WHERE r.id = `+report.IDSQL, a.Args()...)
}

// firstPictureSQL is the first picture of a report r that everybody may see.
const firstPictureSQL = `(SELECT ri.id FROM report_images ri JOIN uploads p ON p.id = ri.upload_id
	WHERE ri.report_id = r.id AND ri.deleted_at IS NULL AND ri.kind = 'evidence' AND p.state = 'processed' AND ` + report.PublicPictureSQL + `
	ORDER BY ri.created_at, ri.id LIMIT 1)`

// Snapshot reads a report from the columns of its row that were stored with an event (webhook.Emit). A column that was not stored has its
// present value; so have all if columns is nil. Words that everybody may not read any more are left out then, its pictures too, and its
// place has 3 decimals. Words that a moderator changed are those of now: what the reporter wrote may say what nobody should read.
func (r *Reader) Snapshot(ctx context.Context, id uuid.UUID, columns json.RawMessage) (Snapshot, error) {
	const q = `SELECT ` + summaryColumns + `, false, coalesce((SELECT ` + wordsShownNowSQL + ` FROM reports r WHERE r.id = $1), false), ` + firstPictureSQL + `
		FROM (SELECT s.* FROM reports o CROSS JOIN jsonb_populate_record(o,
			coalesce($2::jsonb, '{}') || CASE WHEN o.original_words IS NULL THEN '{}' ELSE jsonb_build_object('title', o.title, 'description', o.description, 'original_words', '{}'::jsonb) END) s
			WHERE o.id = $1) r` + summaryJoins
	rows, err := r.db.Query(ctx, q, id, columns)
	if err != nil {
		return Snapshot{}, fmt.Errorf("read snapshot: %w", err)
	}
	row, err := pgx.CollectExactlyOneRow(rows, scanPast)
	if err != nil {
		return Snapshot{}, fmt.Errorf("read snapshot: %w", err)
	}
	out := Snapshot{Removed: row.Removed}
	if row.Removed != nil {
		return out, nil
	}
	row.personID, row.image = nil, nil
	row.ContentHidden = row.ContentHidden || !row.readable && !row.hidden
	summary, err := r.present(ctx, Public(), &row.summaryRow)
	if err != nil {
		return Snapshot{}, err
	}
	out.Summary = &summary
	switch {
	case !row.readable:
		summary.Latitude, summary.Longitude, summary.LocationAccuracy = report.ShownPlace(summary.Latitude), report.ShownPlace(summary.Longitude), nil
		summary.Blurhash = nil
	case !row.hidden:
		out.Picture = row.picture
	}
	return out, nil
}

// pastRow is a report as an event left it.
type pastRow struct {
	summaryRow
	readable bool // everybody may read its words now
	picture  *uuid.UUID
}

func scanPast(row pgx.CollectableRow) (*pastRow, error) {
	s := &pastRow{}
	return s, row.Scan(append(s.targets(), &s.readable, &s.picture)...)
}
