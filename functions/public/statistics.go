package public

import (
	"context"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/opendata"
	"github.com/lafaekstreet/backend/shared/problem"
)

func (p *Public) registerStatistics(a *httpapi.API) {
	path := "/api/v1/public/stats/"
	httpapi.Register(a, read(path+"summary", "Figures of the whole system", "Days, weeks and months are those of Dili."), p.summary)
	httpapi.Register(a, read(path+"by-type", "Figures by issue type", "The most frequent first."), p.byType)
	httpapi.Register(a, read(path+"by-municipality", "Figures by municipality", "All 14, also those without a report."), p.byMunicipality)
	httpapi.Register(a, read(path+"by-district", "Figures by administrative post", "Of one municipality or of all."), p.byDistrict)
	httpapi.Register(a, read(path+"by-agency", "Figures by agency", "All agencies, by code. from and to bound the day on which a report was created."), p.byAgency)
	httpapi.Register(a, read(path+"trends", "Figures over time", "Reports created, fixed and rejected in each period, oldest first."), p.trends)
}

type output[T any] struct{ Body T }

func (p *Public) summary(ctx context.Context, _ *struct{}) (*output[opendata.StatisticsSummary], error) {
	s, err := opendata.ReadSummary(ctx, p.db, p.clock.Now())
	if err != nil {
		return nil, err
	}
	return &output[opendata.StatisticsSummary]{*s}, nil
}

func (p *Public) byType(ctx context.Context, _ *struct{}) (*output[[]opendata.ByType], error) {
	all, err := opendata.ReadByType(ctx, p.db)
	return &output[[]opendata.ByType]{all}, err
}

func (p *Public) byMunicipality(ctx context.Context, _ *struct{}) (*output[[]opendata.ByMunicipality], error) {
	all, err := opendata.ReadByMunicipality(ctx, p.db)
	return &output[[]opendata.ByMunicipality]{all}, err
}

type districtInput struct {
	Municipality string `query:"municipality" maxLength:"100" doc:"Code or name, in any spelling; all when left out" example:"TL-DI"`
}

func (p *Public) byDistrict(ctx context.Context, in *districtInput) (*output[[]opendata.ByDistrict], error) {
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
	all, err := opendata.ReadByDistrict(ctx, p.db, code)
	return &output[[]opendata.ByDistrict]{all}, err
}

type trendInput struct {
	Period opendata.Period `query:"period" enum:"day,week,month" default:"day"`
	Days   int             `query:"days" minimum:"1" maximum:"1830" default:"30" doc:"How far back, in days"`
}

func (p *Public) trends(ctx context.Context, in *trendInput) (*output[[]opendata.Trend], error) {
	all, err := opendata.ReadTrends(ctx, p.db, p.clock.Now(), in.Period, in.Days)
	return &output[[]opendata.Trend]{all}, err
}

func (p *Public) byAgency(ctx context.Context, in *opendata.Days) (*output[[]opendata.ByAgency], error) {
	all, err := opendata.ReadByAgency(ctx, p.db, p.clock.Now(), *in)
	return &output[[]opendata.ByAgency]{all}, err
}
