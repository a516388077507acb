package public

import (
	"context"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/statistics"
)

func (p *Public) registerStatistics(a *httpapi.API) {
	path := "/api/v1/public/stats/"
	httpapi.Register(a, read(path+"summary", "Figures of the whole system", "Days, weeks and months are those of Dili."), p.summary)
	httpapi.Register(a, read(path+"by-type", "Figures by issue type", "The most frequent first."), p.byType)
	httpapi.Register(a, read(path+"by-municipality", "Figures by municipality", "All 14, also those without a report."), p.byMunicipality)
	httpapi.Register(a, read(path+"by-district", "Figures by administrative post", "Of one municipality or of all."), p.byDistrict)
	httpapi.Register(a, read(path+"trends", "Figures over time", "Reports filed, fixed and rejected in each period, oldest first."), p.trends)
}

type output[T any] struct{ Body T }

func (p *Public) summary(ctx context.Context, _ *struct{}) (*output[statistics.Summary], error) {
	s, err := statistics.ReadSummary(ctx, p.db, p.clock.Now())
	if err != nil {
		return nil, err
	}
	return &output[statistics.Summary]{*s}, nil
}

func (p *Public) byType(ctx context.Context, _ *struct{}) (*output[[]statistics.ByType], error) {
	all, err := statistics.ReadByType(ctx, p.db)
	return &output[[]statistics.ByType]{all}, err
}

func (p *Public) byMunicipality(ctx context.Context, _ *struct{}) (*output[[]statistics.ByMunicipality], error) {
	all, err := statistics.ReadByMunicipality(ctx, p.db)
	return &output[[]statistics.ByMunicipality]{all}, err
}

type districtInput struct {
	Municipality string `query:"municipality" maxLength:"100" doc:"Code or name, under any spelling; all when left out" example:"TL-DI"`
}

func (p *Public) byDistrict(ctx context.Context, in *districtInput) (*output[[]statistics.ByDistrict], error) {
	code := ""
	if in.Municipality != "" {
		known, ok, err := p.places.Code(ctx, in.Municipality)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, problem.InvalidField("municipality", "no municipality goes by that name")
		}
		code = known
	}
	all, err := statistics.ReadByDistrict(ctx, p.db, code)
	return &output[[]statistics.ByDistrict]{all}, err
}

type trendInput struct {
	Period statistics.Period `query:"period" enum:"day,week,month" default:"day"`
	Days   int               `query:"days" minimum:"1" maximum:"1830" default:"30" doc:"How far back, in days"`
}

func (p *Public) trends(ctx context.Context, in *trendInput) (*output[[]statistics.Trend], error) {
	all, err := statistics.ReadTrends(ctx, p.db, p.clock.Now(), in.Period, in.Days)
	return &output[[]statistics.Trend]{all}, err
}
