package reports

import (
	"context"
	"net/http"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportwrite"
)

func (g *Group) registerHideWords(api *httpapi.API) {
	hide := changeOperation(http.MethodPost, "/hide", "Hide the words of a report", "Others than the reporter and staff then see the label of its "+
		"type, and content_hidden. The reporter is told why. Open flags of the report are settled as right. Words that a moderator has hidden already stay so.")
	hide.Roles, hide.Aliases, hide.Lenient = identity.Moderators(), reportwrite.HideAliases(), &httpapi.Lenient{Strict: reportwrite.HideStrict()}
	httpapi.Register(api, hide.WithProblems(reportwrite.Problems()...), g.hideWords)
	show := changeOperation(http.MethodPost, "/unhide", "Show the words of a report again", "The reporter is told. Where flags had hidden the words, it is "+
		"as if the flags were dismissed.")
	show.Roles = identity.Moderators()
	httpapi.Register(api, show.WithProblems(reportwrite.Problems()...), g.showWords)
	dismiss := changeOperation(http.MethodPost, "/flags/dismiss", "Dismiss the flags of a report", "Its open flags are settled as wrong, and what they "+
		"hid is shown again. Flags hide nothing of it before the reporter changes its words or adds a picture.")
	dismiss.Roles = identity.Moderators()
	httpapi.Register(api, dismiss.WithProblems(reportwrite.Problems()...), g.dismissFlags)
}

type hideWordsInput struct {
	report.RefInput
	reportwrite.HideInput
}

func (g *Group) hideWords(ctx context.Context, in *hideWordsInput) (*reportOutput, error) {
	x, err := in.Hiding(report.ActorOf(identity.Must(ctx)))
	if err != nil {
		return nil, err
	}
	return g.moderate(ctx, in.ID, in.IfMatch, in.Expect(httpapi.IfMatch(in.IfMatch)), func(tx *outbox.Tx, h *reportwrite.Locked) error { return h.HideWords(ctx, tx, x) })
}

type showWordsInput struct {
	report.RefInput
	reportwrite.ShowInput
}

func (g *Group) showWords(ctx context.Context, in *showWordsInput) (*reportOutput, error) {
	return g.moderate(ctx, in.ID, in.IfMatch, in.Expect(httpapi.IfMatch(in.IfMatch)), func(tx *outbox.Tx, h *reportwrite.Locked) error {
		return h.ShowWords(ctx, tx, report.ActorOf(identity.Must(ctx)), in.Note())
	})
}

func (g *Group) dismissFlags(ctx context.Context, in *showWordsInput) (*reportOutput, error) {
	return g.moderate(ctx, in.ID, in.IfMatch, in.Expect(httpapi.IfMatch(in.IfMatch)), func(tx *outbox.Tx, h *reportwrite.Locked) error {
		return h.DismissFlags(ctx, tx, report.ActorOf(identity.Must(ctx)), in.Note())
	})
}

// moderate makes a change by a moderator and answers with the changed report.
func (g *Group) moderate(ctx context.Context, ref report.Ref, ifMatch string, expect reportwrite.Expect, do func(tx *outbox.Tx, h *reportwrite.Locked) error) (*reportOutput, error) {
	return g.change(ctx, ref, ifMatch, reportwrite.Change{Expect: expect, Do: do})
}
