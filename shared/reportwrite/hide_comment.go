package reportwrite

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
)

// ErrNoComment is the 404 for a comment that the report does not have, or that was removed.
var ErrNoComment = problem.New(problem.NotFound, "comment_not_found")

// LockedComment is a comment whose row the transaction has locked, after that of its report.
type LockedComment struct {
	ID        uuid.UUID
	Author    *uuid.UUID      // nil once erased
	Hidden    report.HiddenBy // "" while it is shown
	Moderated bool            // a moderator has shown it again, or dismissed its flags
}

// LockComment locks a comment of a report. The pipeline fails with ErrNoComment where there is none.
func LockComment(p database.Pipeline, about report.About, id uuid.UUID) *database.Ask[LockedComment] {
	const q = `SELECT id, author_id, coalesce(hidden, ''), moderated_at IS NOT NULL FROM report_comments
		WHERE id = $3 AND deleted_at IS NULL AND report_id = ` + report.IDSQL + ` FOR UPDATE`
	return database.AskRow(p, pgx.RowToStructByPos[LockedComment], q, about.Args(id)...).Missing(ErrNoComment)
}

// HideComment hides a comment, appends the event, tells its author and upholds its open flags. Where a moderator has hidden it
// already, it only settles the flags.
func (h *Locked) HideComment(ctx context.Context, tx *outbox.Tx, c *LockedComment, x Hiding) error {
	if x.how() == report.HiddenByModerator {
		h.settleFlags(tx, report.FlagUpheld, x.By, ofComment, &c.ID)
	}
	if c.Hidden == report.HiddenByModerator {
		return nil
	}
	was := c.Hidden
	c.Hidden = x.how()
	tx.Queue(`UPDATE report_comments SET hidden = $2, hidden_reason = $3 WHERE id = $1`, c.ID, c.Hidden, x.Reason)
	x.Event(tx, h)
	if err := x.Audit(ctx, tx, "comment", c.ID, was); err != nil {
		return err
	}
	variant := notification.CommentHidden
	if c.Hidden == report.HiddenByFlags {
		variant = notification.CommentFlagged
	}
	return h.tellAuthor(ctx, tx, c, x.Params(h, variant), x.By)
}

// ShowComment shows a comment again, appends the event and tells its author. Flags do not hide it again: a comment never
// changes. It changes nothing where the comment is shown.
func (h *Locked) ShowComment(ctx context.Context, tx *outbox.Tx, c *LockedComment, by report.Actor, note string) error {
	if c.Hidden == "" {
		return nil
	}
	h.settleFlags(tx, report.FlagDismissed, by, ofComment, &c.ID)
	was := c.Hidden
	c.Hidden = ""
	tx.Queue(`UPDATE report_comments SET hidden = NULL, hidden_reason = NULL, moderated_at = now() WHERE id = $1`, c.ID)
	h.Event(tx, ledger.Event{Type: ledger.Hidden, Note: note}, by)
	if err := auditShown(ctx, tx, "comment", c.ID, was, note); err != nil {
		return err
	}
	return h.tellAuthor(ctx, tx, c, h.edited(notification.CommentShown), by)
}

// tellAuthor notifies the author of a comment, unless the author is the actor.
func (h *Locked) tellAuthor(ctx context.Context, tx *outbox.Tx, c *LockedComment, params map[string]string, by report.Actor) error {
	if c.Author == nil || by.UserID != nil && *by.UserID == *c.Author {
		return nil
	}
	return notification.Add(ctx, tx, notification.New{UserID: *c.Author, Type: notification.ReportEdited, EventKey: newEdit(), ReportID: h.ID, Params: params})
}
