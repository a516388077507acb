package staff

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/reportread"
)

// The function admin has no right to read pictures, so this route is here.
func (g *Group) registerListOfPerson(api *httpapi.API) {
	httpapi.Register(api, httpapi.Operation{
		Operation: huma.Operation{
			Method: http.MethodGet, Path: "/api/v1/admin/users/{id}/reports", Tags: []string{name}, Summary: "List the reports of a person",
			Description: "In every state; those that were rejected, withdrawn or removed have the member removed.",
		},
		Roles: []identity.Role{identity.Admin}, SecondFactor: true, Cache: httpapi.Never, Aliases: page.Aliases(),
	}.WithProblems(reportread.ErrPersonNotFound), g.listOfPerson)
}

type personInput struct {
	ID string `path:"id" format:"uuid"`
	reportread.Query
}

type personOutput struct{ Body reportread.Page }

func (g *Group) listOfPerson(ctx context.Context, in *personInput) (*personOutput, error) {
	id, err := uuid.Parse(in.ID)
	if err != nil {
		return nil, err
	}
	p, err := g.reader.ListOfPerson(ctx, reportread.ViewerOf(identity.Must(ctx)), in.Query, id)
	if err != nil {
		return nil, err
	}
	return &personOutput{Body: p}, nil
}
