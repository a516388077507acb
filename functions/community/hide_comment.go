package community

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/comment"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/reportwrite"
)

func (g *Group) registerHideComment(api *httpapi.API) {
	moderation := func(path, summary, description string) httpapi.Operation {
		return httpapi.Operation{Operation: huma.Operation{
			Method: http.MethodPost, Path: "/api/v1/reports/{id}/comments/{c_id}" + path, Tags: []string{name}, Summary: summary, Description: description,
		}, Roles: identity.Moderators()}
	}
	hide := moderation("/hide", "Hide a comment", "Others than its author and staff then see that it is there, without its words. The author is told why. Its open flags are settled as right.")
	hide.Aliases, hide.Lenient = reportwrite.HideAliases(), &httpapi.Lenient{Strict: reportwrite.HideStrict()}
	httpapi.Register(api, hide.WithProblems(reportwrite.Problems()...).WithProblems(reportwrite.ErrNoComment), g.hideComment)
	httpapi.Register(api, moderation("/unhide", "Show a comment again", "The author is told. Its open flags are settled as wrong.").WithProblems(reportwrite.Problems()...).WithProblems(reportwrite.ErrNoComment), g.showComment)
	httpapi.Register(api, moderation("/flags/dismiss", "Dismiss the flags of a comment", "Its open flags are settled as wrong, and where they hid it, it is shown again. Flags do not hide it any more.").WithProblems(reportwrite.Problems()...).WithProblems(reportwrite.ErrNoComment), g.dismissFlags)
	flag := httpapi.Operation{
		Operation: huma.Operation{
			Method: http.MethodPost, Path: "/api/v1/reports/{id}/comments/{c_id}/flag", Tags: []string{name}, Summary: "Say that a comment should not be shown",
			Description: "As for a report: POST …/flag.", DefaultStatus: http.StatusAccepted,
		},
		Limit: admission.LimitFlag, Aliases: reportwrite.FlagAliases(), Lenient: &httpapi.Lenient{Strict: reportwrite.FlagStrict()},
	}
	httpapi.Register(api, flag.WithProblems(reportwrite.Problems()...).WithProblems(reportwrite.ErrNoComment, reportwrite.ErrOwnContent), g.flagComment)
}

// CommentInput names a comment of a report in a path.
type CommentInput struct {
	report.RefInput
	CommentID uuid.UUID `path:"c_id" format:"uuid"`
}

type hideCommentInput struct {
	CommentInput
	reportwrite.HideInput
}

type showCommentInput struct {
	CommentInput
	reportwrite.ShowInput
}

type flagCommentInput struct {
	CommentInput
	reportwrite.FlagInput
}

func (g *Group) hideComment(ctx context.Context, in *hideCommentInput) (*commentOutput, error) {
	x, err := in.Hiding(report.ActorOf(identity.Must(ctx)))
	if err != nil {
		return nil, err
	}
	return g.moderate(ctx, in.CommentInput, in.Expect(httpapi.IfMatch(in.IfMatch)), func(tx *outbox.Tx, h *reportwrite.Locked, c *reportwrite.LockedComment) error {
		return h.HideComment(ctx, tx, c, x)
	})
}

func (g *Group) showComment(ctx context.Context, in *showCommentInput) (*commentOutput, error) {
	return g.moderate(ctx, in.CommentInput, in.Expect(httpapi.IfMatch(in.IfMatch)), func(tx *outbox.Tx, h *reportwrite.Locked, c *reportwrite.LockedComment) error {
		return h.ShowComment(ctx, tx, c, report.ActorOf(identity.Must(ctx)), in.Note())
	})
}

func (g *Group) dismissFlags(ctx context.Context, in *showCommentInput) (*commentOutput, error) {
	return g.moderate(ctx, in.CommentInput, in.Expect(httpapi.IfMatch(in.IfMatch)), func(tx *outbox.Tx, h *reportwrite.Locked, c *reportwrite.LockedComment) error {
		return h.DismissCommentFlags(ctx, tx, c, report.ActorOf(identity.Must(ctx)), in.Note())
	})
}

// moderate makes a change of a comment by a moderator and answers with the changed comment, which it reads in the round trip of
// the commit.
func (g *Group) moderate(ctx context.Context, in CommentInput, expect reportwrite.Expect,
	do func(tx *outbox.Tx, h *reportwrite.Locked, c *reportwrite.LockedComment) error) (*commentOutput, error) {
	about, err := in.ID.About()
	if err != nil {
		return nil, err
	}
	caller := identity.Must(ctx)
	v := reportread.ViewerOf(caller)
	var h *reportwrite.Locked
	var after *database.Ask[comment.Comment]
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		locked := reportwrite.LockForChange(tx, about, report.ActorOf(caller))
		found := reportwrite.LockComment(tx, about, in.CommentID)
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("lock comment: %w", err)
		}
		c := found.Get()
		h = locked.Get()
		if err := expect.Check(h); err != nil {
			return err
		}
		if err := do(tx, h, &c); err != nil {
			return err
		}
		after = comment.Ask(tx, v, in.CommentID)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &commentOutput{Status: http.StatusOK, Body: after.Get()}
	if h.LastEntry() != nil {
		out.Body.Receipt = h.Receipt(ctx, g.receipts, caller)
	}
	return out, nil
}

func (g *Group) flagComment(ctx context.Context, in *flagCommentInput) (*reportwrite.FlaggedOutput, error) {
	about, err := in.ID.About()
	if err != nil {
		return nil, err
	}
	f, err := in.Flag()
	if err != nil {
		return nil, err
	}
	limits, err := g.settings.Current(ctx)
	if err != nil {
		return nil, err
	}
	caller := identity.Must(ctx)
	f.By, f.ToHide = caller.UserID, limits.FlagsToHide
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		locked := reportwrite.Lock(tx, about)
		readable := reportread.ViewerOf(caller).MayRead(tx, about)
		found := reportwrite.LockComment(tx, about, in.CommentID)
		state := reportwrite.AskFlagState(tx, about, &in.CommentID, f.By, limits)
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("lock comment to flag it: %w", err)
		}
		if !readable.Get() { // its comments are for the reporter and staff
			return reportwrite.ErrNoComment
		}
		c := found.Get()
		f.Comment, f.State = &c, state.Get()
		return locked.Get().Flag(ctx, tx, f)
	})
	if err != nil {
		return nil, err
	}
	return reportwrite.Flagged(ctx), nil
}
