package reportwrite

import (
	"context"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
)

// Comment adds a comment that is the note of another change of the report, with its event, and returns its id. by is its author;
// it may not be the AI. Nobody is notified: see TellComment.
func (h *Locked) Comment(tx *outbox.Tx, content string, by report.Actor) uuid.UUID {
	id := database.NewID()
	seq := h.Event(tx, ledger.Event{Type: ledger.Commented, Comment: &ledger.Comment{ID: id, Author: *by.UserID, Content: content}}, by)
	tx.Queue(`INSERT INTO report_comments (id, report_id, author_id, content, is_official, seq) VALUES ($1, $2, $3, $4, $5, $6)`,
		id, h.ID, by.UserID, content, by.Kind != report.ActorCitizen, seq)
	tx.Queue(`UPDATE reports SET comments_count = comments_count + 1 WHERE id = $1`, h.ID)
	return id
}

// maxExcerpt is how many characters of a comment a notification carries.
const maxExcerpt = 140

// CommentNotice is what readers are told of a comment.
type CommentNotice struct {
	ID, Author uuid.UUID
	Name       string // of the author
	Content    string
	Quiet      bool // told in the app only
}

// TellComment notifies the reporter and the followers of a comment, except its author.
func (h *Locked) TellComment(ctx context.Context, tx *outbox.Tx, c CommentNotice) error {
	return h.notify(ctx, tx, notification.New{Type: notification.CommentAdded, EventKey: "comment:" + c.ID.String(), Params: h.commentParams(c), Quiet: c.Quiet}, c.Author)
}

// TellReporterComment notifies the reporter alone of a comment: those of a report without a verdict are for nobody else.
func (h *Locked) TellReporterComment(ctx context.Context, tx *outbox.Tx, c CommentNotice) error {
	return h.NotifyReporter(ctx, tx, notification.CommentAdded, "comment:"+c.ID.String(), h.commentParams(c), c.Author)
}

func (h *Locked) commentParams(c CommentNotice) map[string]string {
	if h.IsAnonymous && h.UserID != nil && *h.UserID == c.Author {
		c.Name = "—" // the author of an anonymous report stays anonymous
	}
	if runes := []rune(c.Content); len(runes) > maxExcerpt {
		c.Content = string(runes[:maxExcerpt]) + "…"
	}
	return map[string]string{notification.ParamReportNumber: h.Number, "author": c.Name, "comment": c.Content}
}
