package public

import (
	"context"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
)

func (p *Public) registerReports(a *httpapi.API) {
	list := read("/api/v1/public/reports", "List reports", "Newest first. Never a rejected or withdrawn report, nor the reporter of an anonymous one.")
	list.Aliases = page.Aliases()
	httpapi.Register(a, list, p.list)
	httpapi.Register(a, read("/api/v1/public/reports/{id}", "Read a report", "By id or report number.").WithProblems(report.Problems()...), p.one)
}

type listInput struct{ reportread.Query }

type listOutput struct{ Body reportread.Page }

func (p *Public) list(ctx context.Context, in *listInput) (*listOutput, error) {
	found, err := p.reader.List(ctx, reportread.Public(), in.Query)
	if err != nil {
		return nil, err
	}
	return &listOutput{found}, nil
}

type reportOutput struct{ Body reportread.Report }

func (p *Public) one(ctx context.Context, in *report.RefInput) (*reportOutput, error) {
	found, err := p.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &reportOutput{found}, nil
}

func (p *Public) find(ctx context.Context, ref report.Ref) (reportread.Report, error) {
	return p.reader.ReportNamed(ctx, reportread.Public(), ref)
}
