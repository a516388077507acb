package reports

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/reportwrite"
	"github.com/lafaekstreet/backend/shared/warning"
)

func (g *Group) registerConfirm(api *httpapi.API) {
	confirm := httpapi.Operation{
		Operation: huma.Operation{
			Method: http.MethodPost, Path: "/api/v1/reports/{id}/confirm", Tags: []string{tag}, Summary: "Say that you see the problem too",
			Description: "Once a person: a second request answers the same. The person follows the report from then on, and may dispute its repair later. " +
				"The note becomes a comment; while the report has no verdict it is left out, with a warning. " +
				"409 own_report for the reporter, 409 not_confirmable for a report that is fixed, rejected or a duplicate.",
			DefaultStatus: http.StatusOK,
		},
		Creates: true, Limit: admission.LimitFlag, Lenient: &httpapi.Lenient{AnyBody: true},
		Aliases: map[string]string{"comment": "note", "text": "note", "content": "note"},
	}
	httpapi.Register(api, confirm.WithProblems(reportwrite.Problems()...).WithProblems(errNotConfirmable.With("duplicate_of", new(problem.ExampleID())), errOwnReport), g.confirm)
}

type confirmInput struct {
	report.RefInput
	Body *struct {
		_    struct{} `schema:"ReportConfirm"`
		Note *string  `json:"note,omitempty" maxLength:"1000" doc:"Becomes a comment. What is longer is cut" example:"The hole is deeper since the rain."`
	} `required:"false"`
}

type confirmOutput struct{ Body Confirmed }

// Confirmed says how many people confirmed a report.
type Confirmed struct {
	ConfirmationsCount int               `json:"confirmations_count" example:"3"`
	CommentID          *uuid.UUID        `json:"comment_id,omitempty" doc:"Of the note"`
	Receipt            *ledger.Receipt   `json:"receipt,omitempty" doc:"Of the comment that the note became"`
	Warnings           []warning.Warning `json:"warnings,omitempty" doc:"What of the request was not kept; left out if everything was"`
}

// note is the note of the request, without white space around it.
func (in *confirmInput) note() string {
	if in.Body == nil || in.Body.Note == nil {
		return ""
	}
	return strings.TrimSpace(database.Text(*in.Body.Note))
}

// confirmState is what a confirmation depends on besides the report.
type confirmState struct {
	Count    int
	Before   bool       // the caller confirmed it before
	Hidden   bool       // report.HiddenSQL
	Noted    bool       // the caller has written the same comment on it
	Name     string     // of the caller
	Original *uuid.UUID // of a duplicate, if everybody may see it
}

func askConfirmState(p database.Pipeline, about report.About, caller uuid.UUID, note string) *database.Ask[confirmState] {
	const q = `SELECT r.confirmations_count, EXISTS (SELECT FROM report_confirmations c WHERE c.report_id = r.id AND c.user_id = u.id), ` + report.HiddenSQL + `,
			EXISTS (SELECT FROM report_comments c WHERE c.report_id = r.id AND c.author_id = u.id AND c.content = $4), u.full_name,
			(SELECT o.id FROM reports o WHERE o.id = r.duplicate_of AND o.deleted_at IS NULL AND o.status <> 'rejected')
		FROM reports r, users u WHERE u.id = $3 AND r.id = ` + report.IDSQL
	return database.AskRow(p, pgx.RowToStructByPos[confirmState], q, about.Args(caller, note)...).Missing(report.ErrNotFound)
}

func (g *Group) confirm(ctx context.Context, in *confirmInput) (*confirmOutput, error) {
	caller, note := identity.Must(ctx), in.note()
	about, err := in.ID.About()
	if err != nil {
		return nil, err
	}
	out := &confirmOutput{}
	var h *reportwrite.Locked
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		var s confirmState
		if h, s, err = lockToConfirm(ctx, tx, about, caller, note); err != nil {
			return err
		}
		if out.Body, err = addConfirmation(ctx, tx, h, s, caller, note); err != nil {
			return err
		}
		out.Body.Receipt, out.Body.Warnings = h.Mark(), warning.FromContext(ctx).List()
		return httpapi.RecordAnswer(ctx, tx, http.StatusOK, out.Body)
	})
	if err != nil {
		return nil, err
	}
	if h.LastEntry() != nil {
		out.Body.Receipt = h.Receipt(ctx, g.receipts, caller)
	}
	return out, nil
}

// lockToConfirm locks a report that the caller may confirm, and reads what a confirmation depends on.
func lockToConfirm(ctx context.Context, tx *outbox.Tx, about report.About, caller identity.Caller, note string) (*reportwrite.Locked, confirmState, error) {
	locked, state := reportwrite.Lock(tx, about), askConfirmState(tx, about, caller.UserID, note)
	if err := tx.Flush(ctx); err != nil {
		return nil, confirmState{}, fmt.Errorf("lock report to confirm it: %w", err)
	}
	h := locked.Get()
	if err := h.VisibleTo(reportread.ViewerOf(caller)); err != nil {
		return nil, confirmState{}, err
	}
	switch {
	case h.ReportedBy(caller):
		return nil, confirmState{}, errOwnReport
	case state.Get().Before: // also after it was fixed
	case h.Status == report.Fixed, h.Status == report.Rejected, h.Status == report.Duplicate:
		return nil, confirmState{}, errNotConfirmable.Param("status", string(h.Status)).With("duplicate_of", state.Get().Original)
	}
	return h, state.Get(), nil
}

// addConfirmation writes the confirmation of the caller, who follows the report from then on. The second time it changes nothing.
func addConfirmation(ctx context.Context, tx *outbox.Tx, h *reportwrite.Locked, s confirmState, caller identity.Caller, note string) (Confirmed, error) {
	out := Confirmed{ConfirmationsCount: s.Count}
	if s.Before {
		if note != "" && !s.Noted {
			warning.FromContext(ctx).Add("note", warning.NotTaken)
		}
		return out, nil
	}
	out.ConfirmationsCount++
	tx.Queue(`INSERT INTO report_confirmations (report_id, user_id) VALUES ($1, $2)`, h.ID, caller.UserID)
	tx.Queue(`UPDATE reports SET confirmations_count = confirmations_count + 1 WHERE id = $1`, h.ID)
	tx.Queue(followSQL, h.ID, caller.UserID)
	if note == "" {
		return out, nil
	}
	if s.Hidden {
		warning.FromContext(ctx).Add("note", warning.NotTaken)
		return out, nil
	}
	id := h.Comment(tx, note, report.ActorOf(caller))
	out.CommentID = &id
	return out, h.TellComment(ctx, tx, reportwrite.CommentNotice{ID: id, Author: caller.UserID, Name: s.Name, Content: note})
}
