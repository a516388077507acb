package public

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/report"
)

func (p *Public) registerReports(a *httpapi.API) {
	list := read("/api/v1/public/reports", "List reports", "Newest first. Never a rejected or withdrawn report, nor the reporter of an anonymous one.")
	list.Aliases = page.Aliases()
	httpapi.Register(a, list, p.list)
	httpapi.Register(a, read("/api/v1/public/reports/{id}", "Read a report", "By id or report number."), p.one)
}

type listInput struct{ report.Query }

type listOutput struct{ Body report.Page }

func (p *Public) list(ctx context.Context, in *listInput) (*listOutput, error) {
	found, err := p.reader.List(ctx, report.Public(), in.Query)
	if err != nil {
		return nil, err
	}
	return &listOutput{found}, nil
}

// refInput names a report in a path.
type refInput struct {
	ID report.Ref `path:"id" doc:"Id or report number" example:"LS-2026-000123"`
}

type reportOutput struct{ Body report.Report }

func (p *Public) one(ctx context.Context, in *refInput) (*reportOutput, error) {
	found, err := p.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &reportOutput{found}, nil
}

func (p *Public) find(ctx context.Context, ref report.Ref) (report.Report, error) {
	id, err := ref.Resolve(ctx, p.db)
	if err != nil {
		return report.Report{}, err
	}
	return p.reader.Report(ctx, report.Public(), id)
}

// visibleID is the id of a report the public may see.
func (p *Public) visibleID(ctx context.Context, ref report.Ref) (uuid.UUID, error) {
	id, err := ref.Resolve(ctx, p.db)
	if err != nil {
		return uuid.Nil, err
	}
	err = p.db.QueryRow(ctx, `SELECT r.id FROM reports r WHERE r.id = $1 AND `+visible, id).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return uuid.Nil, report.ErrNotFound
	}
	if err != nil {
		return uuid.Nil, fmt.Errorf("find report: %w", err)
	}
	return id, nil
}
