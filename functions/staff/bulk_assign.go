package staff

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/reportwrite"
)

func (g *Group) registerBulkAssign(api *httpapi.API) {
	op := httpapi.Operation{
		Operation: huma.Operation{
			Method: http.MethodPost, Path: "/api/v1/staff/reports/bulk-assign", Tags: []string{name},
			Summary: "Assign up to 100 reports",
			Description: "Each item as POST /reports/{id}/assign, one after the other. An item that fails, or cannot be read, has an error in " +
				"the result; the others are changed all the same. An agency that gets more than 5 reports is mailed once.",
		},
		Roles: identity.Staff(), Creates: true,
	}
	httpapi.Register(api, op.WithItemProblems(reportwrite.AssignProblems()...).WithProblems(ledger.ErrHalted).WithItemProblems(report.Problems()...), g.assignEach)
}

// BulkAssignItem is the assignment of one report.
type BulkAssignItem struct {
	_        struct{}   `additionalProperties:"true"`
	ReportID report.Ref `json:"report_id" doc:"Id or report number" example:"LS-2026-000123"`
	reportwrite.AssignBody
}

type bulkAssignInput struct {
	Body struct {
		_     struct{}                       `schema:"BulkAssign"`
		Items []httpapi.Item[BulkAssignItem] `json:"items" nullable:"false" minItems:"1" maxItems:"100"`
	}
}

func (g *Group) assignEach(ctx context.Context, in *bulkAssignInput) (*bulkOutput, error) {
	gathered := len(in.Body.Items) >= reportwrite.MinGathered
	return changeEach(ctx, g, in.Body.Items, func(ctx context.Context, round *outbox.Round, item BulkAssignItem) (*reportwrite.Locked, error) {
		return g.assign(ctx, round, item, gathered)
	})
}

// assign assigns one report, which it returns.
func (g *Group) assign(ctx context.Context, round *outbox.Round, item BulkAssignItem, gathered bool) (*reportwrite.Locked, error) {
	about, err := item.ReportID.About()
	if err != nil {
		return nil, err
	}
	request, err := item.Request()
	if err != nil {
		return nil, err
	}
	request.Gathered = gathered
	caller := identity.Must(ctx)
	by := report.ActorOf(caller)
	var h *reportwrite.Locked
	err = round.Do(ctx, func(tx *outbox.Tx) error {
		locked, found := reportwrite.LockForChange(tx, about, by), request.Ask(tx, about)
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("lock report to assign it: %w", err)
		}
		h = locked.Get()
		if err := h.VisibleTo(reportread.ViewerOf(caller)); err != nil {
			return err
		}
		if err := (reportwrite.Expect{Version: item.ExpectedVersion}).Check(h); err != nil {
			return err
		}
		return h.AssignAs(ctx, tx, request, found.Get(), by)
	})
	return h, err
}
