package staff

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportwrite"
	"github.com/lafaekstreet/backend/shared/warning"
)

func (g *Group) registerBulk(api *httpapi.API) {
	op := httpapi.Operation{
		Operation: huma.Operation{
			Method: http.MethodPost, Path: "/api/v1/staff/reports/bulk-status", Tags: []string{name},
			Summary:     "Change the status of up to 100 reports",
			Description: "The items are changed one after the other. An item that fails, or cannot be read, has an error in the result; the others are changed all the same.",
		},
		Roles: identity.Staff(), Creates: true,
	}
	httpapi.Register(api, op.WithItemProblems(reportwrite.TransitionProblems()...).WithItemProblems(reportwrite.DuplicateProblems()...).WithProblems(ledger.ErrHalted).WithItemProblems(report.Problems()...), g.changeStatuses)
}

// BulkItem is one change of status.
type BulkItem struct {
	_               struct{}   `schema:"BulkStatusItem" additionalProperties:"true"`
	ReportID        report.Ref `json:"report_id" doc:"Id or report number" example:"LS-2026-000123"`
	Status          string     `json:"status" words:"status" example:"verified"`
	Note            *string    `json:"note,omitempty" maxLength:"2000" doc:"Told to the reporter and public; that of a rejection is for the reporter and staff alone"`
	ReasonCode      *string    `json:"reason_code,omitempty" words:"reason_code" doc:"Demanded for rejected" example:"irrelevant"`
	DuplicateOf     *string    `json:"duplicate_of,omitempty" doc:"Id or report number of the original"`
	ExpectedVersion *int       `json:"expected_version,omitempty"`
}

type bulkInput struct {
	Body struct {
		_     struct{}                 `schema:"BulkStatus"`
		Items []httpapi.Item[BulkItem] `json:"items" nullable:"false" minItems:"1" maxItems:"100"`
	}
}

func (g *Group) changeStatuses(ctx context.Context, in *bulkInput) (*bulkOutput, error) {
	gathered := len(in.Body.Items) >= reportwrite.MinGathered
	return changeEach(ctx, g, in.Body.Items, func(ctx context.Context, round *outbox.Round, item BulkItem) (*reportwrite.Locked, error) {
		return g.changeStatus(ctx, round, item, gathered)
	})
}

// changeStatus changes the status of one report, which it returns.
func (g *Group) changeStatus(ctx context.Context, round *outbox.Round, item BulkItem, gathered bool) (*reportwrite.Locked, error) {
	to, ok := report.ParseStatus(item.Status)
	if !ok {
		return nil, problem.InvalidField("status", "not a status")
	}
	about, err := item.ReportID.About()
	if err != nil {
		return nil, err
	}
	m := reportwrite.Move{Report: about, To: to, By: report.ActorOf(identity.Must(ctx)), Renditions: g.renditions, Expect: reportwrite.Expect{Version: item.ExpectedVersion}, Gathered: gathered}
	if item.Note != nil {
		m.Note = *item.Note
	}
	if m.Reason, err = reportwrite.ReasonOf(to, item.ReasonCode, warning.FromContext(ctx)); err != nil {
		return nil, err
	}
	if item.DuplicateOf != nil {
		original, err := report.Ref(*item.DuplicateOf).About()
		if err != nil {
			return nil, problem.InvalidField("duplicate_of", "no such report")
		}
		m.DuplicateOf = &original
	}
	var h *reportwrite.Locked
	err = round.Do(ctx, func(tx *outbox.Tx) error {
		h, err = reportwrite.Transition(ctx, tx, m)
		return err
	})
	return h, err
}
