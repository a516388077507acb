package staff

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/locale"
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
			Description: "The items are changed one after the other. An item that fails has an error in the result; the others are changed all the same.",
		},
		Roles: identity.Staff(), Creates: true,
	}
	httpapi.Register(api, op, g.changeStatuses)
}

// BulkItem is one change of status.
type BulkItem struct {
	_               struct{}   `additionalProperties:"true"`
	ReportID        report.Ref `json:"report_id" doc:"Id or report number" example:"LS-2026-000123"`
	Status          string     `json:"status" example:"verified"`
	Note            *string    `json:"note,omitempty" maxLength:"2000" doc:"Told to the reporter and public; that of a rejection is for the reporter and staff alone"`
	ReasonCode      *string    `json:"reason_code,omitempty" doc:"Demanded for rejected" example:"irrelevant"`
	DuplicateOf     *string    `json:"duplicate_of,omitempty" doc:"Id or report number of the original"`
	ExpectedVersion *int       `json:"expected_version,omitempty"`
}

// BulkResult is the result of one BulkItem.
type BulkResult struct {
	ReportID report.Ref      `json:"report_id" doc:"As sent"`
	Status   string          `json:"status" enum:"ok,error"`
	Version  *int            `json:"version,omitempty"`
	Code     string          `json:"code,omitempty"`
	Detail   string          `json:"detail,omitempty"`
	Errors   []problem.Field `json:"errors,omitempty" doc:"The faulty inputs of the item"`
	Allowed  []report.Status `json:"allowed,omitempty"`
	Receipt  *ledger.Receipt `json:"receipt,omitempty" doc:"Of the change"`
	// Warnings is what of the item was not kept.
	Warnings []warning.Warning `json:"warnings,omitempty" doc:"What of the item was not kept; left out if everything was"`
}

type bulkInput struct {
	Body struct {
		_     struct{}   `additionalProperties:"true"`
		Items []BulkItem `json:"items" minItems:"1" maxItems:"100"`
	}
}

type bulkOutput struct {
	Body struct {
		Results []BulkResult `json:"results"`
	}
}

func (g *Group) changeStatuses(ctx context.Context, in *bulkInput) (*bulkOutput, error) {
	out := &bulkOutput{}
	out.Body.Results = make([]BulkResult, len(in.Body.Items))
	round := g.outbox.Round()
	defer round.Send(ctx) // also if a later item ends the request
	for i, item := range in.Body.Items {
		itemCtx := warning.NewContext(ctx, warning.NewCollector(ctx))
		result := BulkResult{ReportID: item.ReportID, Status: "ok"}
		h, err := g.changeStatus(itemCtx, round, item)
		if err == nil {
			result.Version, result.Receipt = &h.Version, h.Receipt(ctx, g.receipts, identity.Must(ctx))
			result.Warnings = warning.FromContext(itemCtx).List()
		} else {
			var known *problem.Error
			if !errors.As(err, &known) || known.Kind == problem.Unavailable {
				return nil, err // the items before this one stay changed
			}
			d := problem.DocumentOf(known, locale.FromContext(ctx), "")
			result = BulkResult{ReportID: item.ReportID, Status: "error", Code: d.Code, Detail: d.Detail, Errors: d.Errors}
			result.Allowed, _ = known.Extra["allowed"].([]report.Status)
		}
		out.Body.Results[i] = result
	}
	return out, nil
}

// changeStatus changes the status of one report, which it returns.
func (g *Group) changeStatus(ctx context.Context, round *outbox.Round, item BulkItem) (*reportwrite.Locked, error) {
	to, ok := report.ParseStatus(item.Status)
	if !ok {
		return nil, problem.InvalidField("status", "not a status")
	}
	about, err := item.ReportID.About()
	if err != nil {
		return nil, err
	}
	m := reportwrite.Move{Report: about, To: to, By: report.ActorOf(identity.Must(ctx)), Renditions: g.renditions, Expect: reportwrite.Expect{Version: item.ExpectedVersion}}
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
