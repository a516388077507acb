package reports

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportwrite"
)

func (g *Group) registerFlag(api *httpapi.API) {
	op := httpapi.Operation{
		Operation: huma.Operation{
			Method: http.MethodPost, Path: "/api/v1/reports/{id}/flag", Tags: []string{tag}, Summary: "Say that a report should not be shown",
			Description: "Moderators see it in the queue flagged. Once several people have said so (flags_to_hide), its words and pictures are hidden until a " +
				"moderator has looked. A second flag of the same person changes nothing.",
			DefaultStatus: http.StatusAccepted,
		},
		Limit: admission.LimitFlag, Aliases: reportwrite.FlagAliases(), Lenient: &httpapi.Lenient{Strict: reportwrite.FlagStrict()},
	}
	httpapi.Register(api, op.WithProblems(reportwrite.Problems()...).WithProblems(reportwrite.ErrOwnContent), g.flagReport)
}

type flagInput struct {
	report.RefInput
	reportwrite.FlagInput
}

func (g *Group) flagReport(ctx context.Context, in *flagInput) (*reportwrite.FlaggedOutput, error) {
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
	f.By, f.ToHide, f.Renditions = identity.Must(ctx).UserID, limits.FlagsToHide, g.renditions
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		var state *database.Ask[reportwrite.FlagState]
		h, err := lockVisible(ctx, tx, about, "", func(p database.Pipeline) {
			state = reportwrite.AskFlagState(p, about, nil, f.By, limits)
		})
		if err != nil {
			return err
		}
		f.State = state.Get()
		return h.Flag(ctx, tx, f)
	})
	if err != nil {
		return nil, err
	}
	return reportwrite.Flagged(ctx), nil
}
