package reports

import (
	"context"
	"maps"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
)

func (g *Group) registerRead(api *httpapi.API) {
	get := func(path, summary, description string) httpapi.Operation {
		return httpapi.Operation{Operation: huma.Operation{
			Method: http.MethodGet, Path: "/api/v1/reports" + path, Tags: []string{tag}, Summary: summary, Description: description,
		}}
	}
	list := get("", "List reports", "Of all people, newest first. Only the author and staff see rejected ones.")
	list.Aliases = page.Aliases()
	httpapi.Register(api, list, g.list)

	mine := get("/my-reports", "List the caller's own reports", "With the same filters, and the number of reports in each status. With following=true those that the caller follows instead.")
	mine.Aliases = page.Aliases()
	httpapi.Register(api, mine, g.mine)

	near := get("/nearby", "List reports around a point", "Nearest first, at most 50 km away.")
	near.Aliases = pointAliases()
	httpapi.Register(api, near, g.near)

	httpapi.Register(api, get("/{id}", "Read a report", "By id or report number. ETag names its version for If-Match.").WithProblems(report.Problems()...), g.one)
}

func pointAliases() map[string]string {
	out := map[string]string{"lat": "latitude", "lng": "longitude", "lon": "longitude"}
	maps.Copy(out, map[string]string{"radius_m": "radius_meters", "page_size": "limit"})
	return out
}

type listInput struct{ reportread.Query }

type listOutput struct{ Body reportread.Page }

func (g *Group) list(ctx context.Context, in *listInput) (*listOutput, error) {
	p, err := g.reader.List(ctx, reportread.ViewerOf(identity.Must(ctx)), in.Query)
	if err != nil {
		return nil, err
	}
	return &listOutput{Body: p}, nil
}

type mineInput struct {
	reportread.Query
	Following bool `query:"following" doc:"true lists the reports that the caller follows; status_counts stay those of the caller's own"`
}

type mineOutput struct {
	Body struct {
		_ struct{} `schema:"MyReportPage"`
		reportread.Page
		StatusCounts map[report.Status]int `json:"status_counts" doc:"All of the caller's reports by status, whatever the filters"`
	}
}

func (g *Group) mine(ctx context.Context, in *mineInput) (*mineOutput, error) {
	caller, list := identity.Must(ctx), g.reader.ListOwn
	if in.Following {
		list = g.reader.ListFollowed
	}
	p, counts, err := list(ctx, reportread.ViewerOf(caller), in.Query, caller.UserID)
	if err != nil {
		return nil, err
	}
	out := &mineOutput{}
	out.Body.Page, out.Body.StatusCounts = p, counts
	return out, nil
}

type nearInput struct {
	Latitude     float64 `query:"latitude" required:"true" minimum:"-90" maximum:"90" doc:"Degrees, WGS 84 (alias: lat)" example:"-8.5569"`
	Longitude    float64 `query:"longitude" required:"true" minimum:"-180" maximum:"180" doc:"Aliases: lng, lon" example:"125.5603"`
	Radius       float64 `query:"radius" default:"5" exclusiveMinimum:"0" maximum:"50" doc:"Kilometres"`
	RadiusMeters float64 `query:"radius_meters" minimum:"0" maximum:"50000" doc:"Metres; instead of radius"`
	Limit        int     `query:"limit" default:"50" minimum:"1" maximum:"200"`
	Status       string  `query:"status" doc:"One or several, comma-separated"`
	IssueType    string  `query:"issue_type" doc:"One or several, comma-separated"`
}

type nearOutput struct{ Body reportread.NearPage }

func (g *Group) near(ctx context.Context, in *nearInput) (*nearOutput, error) {
	if !report.ValidPoint(in.Latitude, in.Longitude) { // NaN passes the bounds of the schema
		return nil, problem.InvalidField("latitude", "outside the range of coordinates")
	}
	meters := in.RadiusMeters
	if meters == 0 {
		meters = in.Radius * 1000
	}
	if !(meters > 0 && meters <= 50_000) {
		return nil, problem.InvalidField("radius", "above 0 and at most 50 km")
	}
	p, err := g.reader.Near(ctx, reportread.ViewerOf(identity.Must(ctx)), reportread.Around{
		Latitude: in.Latitude, Longitude: in.Longitude, Meters: meters, Limit: in.Limit, Status: in.Status, IssueType: in.IssueType,
	})
	if err != nil {
		return nil, err
	}
	return &nearOutput{Body: p}, nil
}

type reportOutput struct {
	ETag string `header:"ETag"`
	Body reportread.Report
}

func (g *Group) one(ctx context.Context, in *report.RefInput) (*reportOutput, error) {
	r, err := g.reader.ReportNamed(ctx, reportread.ViewerOf(identity.Must(ctx)), in.ID)
	if err != nil {
		return nil, err
	}
	return &reportOutput{ETag: httpapi.VersionTag(r.Version), Body: r}, nil
}
