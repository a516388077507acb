package monitoring

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/opendata"
	"github.com/lafaekstreet/backend/shared/problem"
)

func (g *Group) registerStatistics(api *httpapi.API) {
	op := func(path, summary string) httpapi.Operation {
		return httpapi.Operation{Operation: huma.Operation{
			Method: http.MethodGet, Path: "/api/v1/reports/stats/" + path, Tags: []string{name}, Summary: summary,
			Description: "Exact, and up to date after every change.",
		}}
	}
	httpapi.Register(api, op("summary", "Figures of the whole system"), g.summary)
	httpapi.Register(api, op("by-type", "Figures by issue type"), g.byType)
	httpapi.Register(api, op("by-municipality", "Figures by municipality, all 14"), g.byMunicipality)
	httpapi.Register(api, op("by-district", "Figures by administrative post"), g.byDistrict)
	httpapi.Register(api, op("by-agency", "Figures by agency, all of them"), g.byAgency)
	httpapi.Register(api, op("trends", "Reports created, fixed and rejected in each period"), g.trends)
}

type summaryOutput struct{ Body *opendata.StatisticsSummary }

func (g *Group) summary(ctx context.Context, _ *struct{}) (*summaryOutput, error) {
	s, err := opendata.ReadSummary(ctx, g.db, g.clock.Now())
	if err != nil {
		return nil, err
	}
	return &summaryOutput{Body: s}, nil
}

type listOf[T any] struct{ Body []T }

// list answers with a list that is never null.
func list[T any](rows []T, err error) (*listOf[T], error) {
	if err != nil {
		return nil, err
	}
	if rows == nil {
		rows = []T{}
	}
	return &listOf[T]{Body: rows}, nil
}

func (g *Group) byType(ctx context.Context, _ *struct{}) (*listOf[opendata.ByType], error) {
	return list(opendata.ReadByType(ctx, g.db))
}

func (g *Group) byMunicipality(ctx context.Context, _ *struct{}) (*listOf[opendata.ByMunicipality], error) {
	return list(opendata.ReadByMunicipality(ctx, g.db))
}

type districtInput struct {
	Municipality string `query:"municipality" maxLength:"100" doc:"Code or name, in any spelling; all when left out" example:"Dili"`
}

func (g *Group) byDistrict(ctx context.Context, in *districtInput) (*listOf[opendata.ByDistrict], error) {
	code := ""
	if in.Municipality != "" {
		found, ok, err := g.places.Code(ctx, in.Municipality)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, problem.InvalidField("municipality", "no municipality goes by that name")
		}
		code = found
	}
	return list(opendata.ReadByDistrict(ctx, g.db, code))
}

func (g *Group) byAgency(ctx context.Context, in *opendata.Days) (*listOf[opendata.ByAgency], error) {
	return list(opendata.ReadByAgency(ctx, g.db, g.clock.Now(), *in))
}

type trendsInput struct {
	Period string `query:"period" enum:"day,week,month" default:"day"`
	Days   int    `query:"days" minimum:"1" maximum:"3660" default:"30" doc:"How far back, in days"`
}

func (g *Group) trends(ctx context.Context, in *trendsInput) (*listOf[opendata.Trend], error) {
	return list(opendata.ReadTrends(ctx, g.db, g.clock.Now(), opendata.Period(in.Period), in.Days))
}
