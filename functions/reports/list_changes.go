package reports

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/reportread"
)

func (g *Group) registerListChanges(api *httpapi.API) {
	op := httpapi.Operation{Operation: huma.Operation{
		Method: http.MethodGet, Path: "/api/v1/reports/changes", Tags: []string{tag}, Summary: "Follow the changes of reports",
		Description: "Without since: all reports that the caller may see, in parts. Then what changed, and what went out of the caller's sight, " +
			"since the answer whose next is sent as since. Nothing is left out, also where it was committed late; one report may come twice. " +
			"A since of another database (after a restore), of another account or of another role is 410 since_unknown: begin again without it.",
	}}
	op.Aliases = map[string]string{"page_size": "limit", "per_page": "limit", "cursor": "since"}
	httpapi.Register(api, op.WithProblems(reportread.ErrSinceUnknown), g.listChanges)
}

type changesInput struct {
	Since string `query:"since" maxLength:"100" doc:"next of the answer before; absent the first time"`
	Mine  bool   `query:"mine" doc:"Only the caller's own reports"`
	Limit int    `query:"limit" default:"100" minimum:"1" maximum:"200" doc:"Reports in one answer"`
}

type changesOutput struct{ Body reportread.Changes }

func (g *Group) listChanges(ctx context.Context, in *changesInput) (*changesOutput, error) {
	out, err := g.reader.Changes(ctx, reportread.ViewerOf(identity.Must(ctx)), reportread.ChangesQuery{Since: in.Since, Mine: in.Mine, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return &changesOutput{Body: out}, nil
}
