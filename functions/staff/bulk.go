package staff

import (
	"context"
	"errors"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportwrite"
	"github.com/lafaekstreet/backend/shared/warning"
)

// BulkResult is the result of one item of a request that changes several reports.
type BulkResult struct {
	ReportID string          `json:"report_id" doc:"As sent" example:"LS-2026-000123"`
	Status   string          `json:"status" enum:"ok,error"`
	Version  *int            `json:"version,omitempty"`
	Code     string          `json:"code,omitempty"`
	Detail   string          `json:"detail,omitempty"`
	Errors   []problem.Field `json:"errors,omitempty" doc:"The faulty inputs of the item"`
	Allowed  []report.Status `json:"allowed,omitempty"`
	Receipt  *ledger.Receipt `json:"receipt,omitempty" doc:"Of the change; left out where nothing changed"`
	// Warnings is what of the item was not kept.
	Warnings []warning.Warning `json:"warnings,omitempty" doc:"What of the item was not kept; left out if everything was"`
}

type bulkOutput struct {
	Body struct {
		_       struct{}     `schema:"BulkResults"`
		Results []BulkResult `json:"results" doc:"In the order of the items"`
	}
}

// changeEach changes the reports of the items one after the other, each in a transaction of its own. An item that cannot be read or
// whose change fails is an error in its result. An error of the request itself leaves the items before it changed. At the end,
// each agency is told in one mail of the reports that it got, where there are many.
func changeEach[T any](ctx context.Context, g *Group, items []httpapi.Item[T],
	change func(ctx context.Context, round *outbox.Round, item T) (*reportwrite.Locked, error)) (*bulkOutput, error) {
	out := &bulkOutput{}
	out.Body.Results = make([]BulkResult, len(items))
	reader, round := httpapi.NewItemReader[T](), g.outbox.Round()
	defer round.Send(ctx) // also if a later item ends the request
	var told []queue.StaffNotice
	for i, raw := range items {
		ctx := warning.NewContext(ctx, warning.NewCollector(ctx))
		item, named, err := readItem(reader, raw)
		var h *reportwrite.Locked
		if err == nil {
			h, err = change(ctx, round, item)
		}
		out.Body.Results[i] = BulkResult{ReportID: named, Status: "ok"}
		if err := out.Body.Results[i].fill(ctx, g, h, err); err != nil {
			return nil, err // the items before this one stay changed
		}
		if h != nil && err == nil && h.Told() != nil {
			told = append(told, *h.Told())
		}
	}
	if err := g.tellGathered(ctx, round, told); err != nil {
		return nil, err
	}
	return out, nil
}

// readItem reads an item. It also returns the report that the item names, as sent; "" for none.
func readItem[T any](reader *httpapi.ItemReader[T], raw httpapi.Item[T]) (T, string, error) {
	var none T
	value, err := reader.Parse(raw.Raw)
	if err != nil {
		return none, "", err
	}
	members, _ := value.(map[string]any) // nil for an item that is no object
	named, _ := members["report_id"].(string)
	reader.Respell(value)
	item, err := reader.Decode(value)
	return item, named, err
}

// fill writes what became of an item: the changed report h, or why there is none. It returns an error that is not the item's own.
func (r *BulkResult) fill(ctx context.Context, g *Group, h *reportwrite.Locked, failure error) error {
	if failure == nil {
		r.Version, r.Receipt, r.Warnings = &h.Version, h.Receipt(ctx, g.receipts, identity.Must(ctx)), warning.FromContext(ctx).List()
		return nil
	}
	var known *problem.Error
	if !errors.As(failure, &known) || known.Kind == problem.Unavailable {
		return failure
	}
	d := problem.DocumentOf(known, locale.FromContext(ctx), "", "")
	r.Status, r.Code, r.Detail, r.Errors = "error", d.Code, d.Detail, d.Errors
	r.Allowed, _ = known.Extra["allowed"].([]report.Status)
	return nil
}

// tellGathered tells each agency that got many reports of all of them at once.
func (g *Group) tellGathered(ctx context.Context, round *outbox.Round, told []queue.StaffNotice) error {
	if len(told) == 0 {
		return nil
	}
	return round.Do(ctx, func(tx *outbox.Tx) error { return reportwrite.TellGathered(ctx, tx, told) })
}
