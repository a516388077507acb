package community

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/reportwrite"
)

type removeInput struct {
	report.RefInput
	CommentID string `path:"c_id" format:"uuid"`
}

func (g *Group) removeComment(ctx context.Context, in *removeInput) (*reportwrite.RemovedOutput, error) {
	about, err := in.ID.About()
	if err != nil {
		return nil, err
	}
	caller := identity.Must(ctx)
	var entry *ledger.NewEntry
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		reportread.ViewerOf(caller).MayChange(tx, about)
		by := report.ActorOf(caller)
		chain := ledger.AskChain(tx, about, by.AgencyID)
		locked := database.AskRow(tx, pgx.RowToStructByPos[removedComment], removedQuery, about.Args(in.CommentID)...).Missing(reportwrite.ErrNoComment)
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("lock comment: %w", err)
		}
		c := locked.Get()
		mine := c.Author != nil && *c.Author == caller.UserID
		if !mine && caller.Role != identity.Moderator && caller.Role != identity.Admin {
			return errForbidden
		}
		if c.Reporter != nil && *c.Reporter == caller.UserID {
			by = report.Actor{Kind: report.ActorCitizen, UserID: &caller.UserID}
		}
		if !mine {
			if err := recordRemoval(ctx, tx, in.CommentID, c.Report); err != nil {
				return err
			}
		}
		tx.Queue(`UPDATE report_comments SET deleted_at = now() WHERE id = $1`, in.CommentID)
		reportwrite.SettleFlagsOfComment(tx, c.Report, c.ID, by)
		tx.Queue(`UPDATE reports SET comments_count = greatest(0, comments_count - 1) WHERE id = $1`, c.Report)
		e := ledger.Event{Type: ledger.Uncommented, At: c.At, CommentSeq: c.Seq, Actor: ledger.Actor{Kind: string(by.Kind), AgencyID: by.AgencyID}}
		if c.Seq == 0 {
			e.CommentID = c.ID
		}
		entry, err = chain.Get().Append(ctx, tx, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	return reportwrite.Removed(ctx, "message.comment_removed", g.receipts.Of(ctx, entry, "", false)), nil
}

// removedComment is a comment that is to be removed.
type removedComment struct {
	ID               uuid.UUID
	Author, Reporter *uuid.UUID
	Report           uuid.UUID
	Seq              int // of the event that added it; 0 for a comment of an earlier version
	At               time.Time
}

const removedQuery = `SELECT c.id, c.author_id, r.user_id, c.report_id, coalesce(c.seq, 0), now() FROM report_comments c JOIN reports r ON r.id = c.report_id
	WHERE c.id = $3 AND c.deleted_at IS NULL AND c.report_id = ` + report.IDSQL + ` FOR UPDATE OF c`

// recordRemoval records that staff removed somebody else's comment; not what it said.
func recordRemoval(ctx context.Context, tx *outbox.Tx, comment string, reportID uuid.UUID) error {
	return audit.Record(ctx, tx, audit.Entry{
		Action: "comment.remove", Entity: "comment", EntityID: comment, Before: map[string]any{"report_id": reportID},
	})
}
