package webhooks

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/comment"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/webhook"
)

// Body is what a receiver gets.
type Body struct {
	Type      webhook.Event  `json:"type"`
	Timestamp timestamp.Time `json:"timestamp"` // of the event
	Data      Data           `json:"data"`
}

// Data is what happened.
type Data struct {
	ReportID  uuid.UUID           `json:"report_id"`
	Report    *reportread.Summary `json:"report,omitempty"`    // as the event left it; absent where it was taken down
	Tombstone *report.Tombstone   `json:"tombstone,omitempty"` // of a report that was taken down
	Comment   *Comment            `json:"comment,omitempty"`   // of comment.added
}

// Comment is a comment without its author.
type Comment struct {
	ID            uuid.UUID      `json:"id"`
	Content       string         `json:"content"`
	ContentHidden bool           `json:"content_hidden,omitempty"`
	CreatedAt     timestamp.Time `json:"created_at"`
}

// bodyOf returns the body of a delivery; nil where the event is not public. What was sent before is sent again, unless
// words in it were hidden, changed by a moderator, erased or taken down since.
func (w *Worker) bodyOf(ctx context.Context, d *delivery) ([]byte, error) {
	if d.Body != nil {
		shown, err := w.stillShown(ctx, d)
		if err != nil || shown {
			return []byte(*d.Body), err
		}
	}
	made, err := w.makeBody(ctx, d)
	if err != nil || made == nil {
		return nil, err
	}
	raw, err := json.Marshal(made)
	if err != nil {
		return nil, fmt.Errorf("encode body: %w", err)
	}
	if _, err := w.outbox.DB().Exec(ctx, `UPDATE webhook_deliveries SET body = $2 WHERE id = $1`, d.ID, string(raw)); err != nil {
		return nil, fmt.Errorf("store body: %w", err)
	}
	return raw, nil
}

// makeBody makes a body from the state that the event left.
func (w *Worker) makeBody(ctx context.Context, d *delivery) (*Body, error) {
	seen, err := w.reader.Snapshot(ctx, d.ReportID, d.Snapshot)
	if err != nil {
		return nil, err
	}
	b := &Body{Type: d.Event, Timestamp: timestamp.Of(d.OccurredAt), Data: Data{ReportID: d.ReportID, Report: seen.Summary, Tombstone: seen.Removed}}
	if d.CommentID != nil {
		if seen.Removed != nil || seen.Summary.ContentPending { // such comments are for the reporter and staff
			return nil, nil
		}
		if b.Data.Comment, err = w.comment(ctx, *d.CommentID); err != nil {
			return nil, err
		}
	}
	if seen.Picture != nil {
		display, thumbnail := w.links.Picture(seen.Summary.ReportNumber, *seen.Picture, "display"), w.links.Picture(seen.Summary.ReportNumber, *seen.Picture, "thumbnail")
		b.Data.Report.ImageURL, b.Data.Report.ThumbnailURL = &display, &thumbnail
	}
	return b, nil
}

// commentGoneSQL is true where everybody may not read a comment c on a report r any more.
const commentGoneSQL = `(c.deleted_at IS NOT NULL OR ` + report.HiddenSQL + ` OR ` + report.TakenDownSQL + `)`

// comment reads a comment as everybody may see it; without its words where they may not see it any more.
func (w *Worker) comment(ctx context.Context, id uuid.UUID) (*Comment, error) {
	batch := &database.Batch{}
	found := comment.Ask(batch, reportread.Public(), id)
	gone := database.AskRow(batch, pgx.RowTo[bool], `SELECT `+commentGoneSQL+` FROM report_comments c JOIN reports r ON r.id = c.report_id WHERE c.id = $1`, id)
	if err := batch.Send(ctx, w.outbox.DB()); err != nil {
		return nil, fmt.Errorf("read comment: %w", err)
	}
	out := &Comment{ID: id, Content: found.Get().Content, ContentHidden: found.Get().ContentHidden, CreatedAt: found.Get().CreatedAt}
	if gone.Get() {
		out.Content, out.ContentHidden = "", true
	}
	return out, nil
}

// stillShown reports whether everybody may read all words that a body can have, as they were written.
func (w *Worker) stillShown(ctx context.Context, d *delivery) (bool, error) {
	batch := &database.Batch{}
	words := reportread.AskWordsUnchanged(batch, report.AboutID(d.ReportID))
	const q = `SELECT NOT EXISTS (SELECT FROM report_comments c JOIN reports r ON r.id = c.report_id WHERE c.id = $1 AND (c.hidden IS NOT NULL OR c.content = '' OR ` + commentGoneSQL + `))`
	written := database.AskRow(batch, pgx.RowTo[bool], q, d.CommentID)
	if err := batch.Send(ctx, w.outbox.DB()); err != nil {
		return false, fmt.Errorf("look whether words are shown: %w", err)
	}
	return words.Get() && written.Get(), nil
}
