package reports

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/warning"
)

func (g *Group) registerCreateBatch(api *httpapi.API) {
	op := httpapi.Operation{
		Operation: huma.Operation{
			Method: http.MethodPost, Path: "/api/v1/reports/batch", Tags: []string{tag}, Summary: "Create reports that were written offline",
			Description: "Up to 50 reports, each by itself: a bad item does not stop the others, and is read as POST /reports reads it. Sending an item again, in any " +
				"order or at the same time, has the effect of sending it once. The same client_id with other content is updated, " +
				"or a conflict that changes nothing: see POST /reports.",
		},
		Creates: true,
	}
	httpapi.Register(api, op.WithProblems(ledger.ErrHalted).WithItemProblems(report.Problems()...).WithItemProblems(errClientIDReused.With("report_id", problem.ExampleID()), report.ErrOutsideArea), g.createBatch)
}

type batchInput struct {
	ClientHeaders
	Body struct {
		_       struct{}                      `schema:"ReportBatch"`
		Reports []httpapi.Item[CreateRequest] `json:"reports" nullable:"false" minItems:"1" maxItems:"50" doc:"Bodies of POST /reports, best each with client_id"`
	}
}

// BatchResult is the result of one report of a batch.
type BatchResult struct {
	_          struct{}           `schema:"ReportBatchResult"`
	ClientID   *string            `json:"client_id" doc:"As sent"`
	Status     string             `json:"status" enum:"created,duplicate,updated,conflict,error" doc:"duplicate: it existed before, and report is the existing one. updated: so, and what was new was added to it; warnings say what. conflict: its client_id belongs to report, to which this content cannot be added; nothing was changed"`
	Report     *reportread.Report `json:"report,omitempty"`
	Receipt    *ledger.Receipt    `json:"receipt,omitempty" doc:"That of the report's first event"`
	ReportID   *uuid.UUID         `json:"report_id,omitempty" doc:"Of the report that has the client_id, for a conflict and for a report that was withdrawn"`
	Warnings   []warning.Warning  `json:"warnings,omitempty" doc:"What of this report was not kept; left out if everything was"`
	Code       string             `json:"code,omitempty"`
	Detail     string             `json:"detail,omitempty"`
	Errors     []problem.Field    `json:"errors,omitempty"`
	StoredHash string             `json:"stored_hash,omitempty" doc:"For a conflict: hash of the existing content (SHA-256, hex)"`
	SentHash   string             `json:"sent_hash,omitempty" doc:"For a conflict: hash of the content that was sent"`
}

type batchOutput struct {
	Body struct {
		_       struct{}      `schema:"ReportBatchResults"`
		Results []BatchResult `json:"results" doc:"In the order sent"`
	}
}

func (g *Group) createBatch(ctx context.Context, in *batchInput) (*batchOutput, error) {
	caller := identity.Must(ctx)
	spend := admission.Spend{Class: admission.LimitSync, Key: admission.UserKey + caller.UserID.String(),
		Cost: float64(len(in.Body.Reports)), Staff: caller.Role.IsStaff()}
	if budget := g.limiter.Take(ctx, spend); !budget.Allowed {
		return nil, httpapi.TooManyRequests(budget.Retry)
	}
	out := &batchOutput{}
	out.Body.Results = make([]BatchResult, len(in.Body.Reports))
	defer func() { g.returnUnused(ctx, spend, out.Body.Results) }()
	reader := newRequestReader()
	round := g.outbox.Round()
	defer round.Send(ctx) // also when a later item fails: the messages of the reports that were created
	for i, item := range in.Body.Reports {
		itemCtx := warning.NewContext(ctx, warning.NewCollector(ctx))
		result, err := g.createOne(itemCtx, round, caller, reader, item.Raw, in.ClientHeaders)
		if err != nil {
			var known *problem.Error
			if !errors.As(err, &known) || known.Kind == problem.Unavailable {
				// This item and the later ones have no result. What was created
				// stays; the phone sends the batch again.
				return nil, err
			}
			d := problem.DocumentOf(known, locale.FromContext(ctx), "", "")
			result = BatchResult{ClientID: result.ClientID, Status: "error", Code: d.Code, Detail: d.Detail, Errors: d.Errors}
		} else {
			result.Warnings = warning.FromContext(itemCtx).List()
		}
		out.Body.Results[i] = result
	}
	return out, nil
}

// returnUnused gives back the budget of the items that created no report.
func (g *Group) returnUnused(ctx context.Context, spent admission.Spend, results []BatchResult) {
	for _, r := range results {
		if r.Status == "created" {
			spent.Cost--
		}
	}
	if spent.Cost > 0 {
		g.limiter.Return(ctx, []admission.Spend{spent})
	}
}

// createOne creates the report of one item. The result has the client_id also if it fails.
func (g *Group) createOne(ctx context.Context, round *outbox.Round, c identity.Caller, reader *requestReader, raw json.RawMessage, headers ClientHeaders) (BatchResult, error) {
	request, sent, err := reader.read(ctx, raw)
	if err != nil {
		return BatchResult{ClientID: sent}, err
	}
	input, err := g.createInput(ctx, request, headers)
	if err != nil {
		return BatchResult{ClientID: sent}, err
	}
	var out BatchResult
	var created *CreateResult // nil for a repeat
	var repeat *Repeat
	err = round.Do(ctx, func(tx *outbox.Tx) error {
		out, created = BatchResult{}, nil
		result, err := g.create(ctx, tx, c, input)
		repeat = result.Repeat
		switch {
		case err != nil:
			return err
		case repeat == nil:
			created = &result
			return nil
		}
		out, err = g.repeated(ctx, tx, c, *repeat)
		return err
	})
	switch {
	case errors.Is(err, errClientIDReused) && repeat != nil:
		out, err = g.conflict(ctx, c, input, repeat)
	case err == nil && created != nil:
		report := created.report(ctx, g.receipts)
		out = BatchResult{Status: "created", Report: &report}
	}
	out.ClientID = sent
	if out.Report != nil { // the receipt is in the item alone
		out.Receipt, out.Report.Receipt = out.Report.Receipt, nil
	}
	return out, err
}

// repeated is the result of an item that repeats a report.
func (g *Group) repeated(ctx context.Context, tx *outbox.Tx, c identity.Caller, r Repeat) (BatchResult, error) {
	if r.Withdrawn { // the phone has nothing more to send
		d := problem.DocumentOf(errReportRemoved, locale.FromContext(ctx), "", "")
		return BatchResult{Status: "duplicate", ReportID: &r.ID, Code: d.Code, Detail: d.Detail}, nil
	}
	there, err := g.reader.In(tx).Report(ctx, reportread.ViewerOf(c), r.ID)
	if err != nil {
		return BatchResult{}, err
	}
	out := BatchResult{Status: "duplicate", Report: &there}
	if r.Updated {
		out.Status = "updated"
	}
	return out, nil
}

// conflict is the result of an item whose client_id has a report with other content, which cannot be changed to it.
func (g *Group) conflict(ctx context.Context, c identity.Caller, in CreateInput, r *Repeat) (BatchResult, error) {
	d := problem.DocumentOf(errClientIDReused, locale.FromContext(ctx), "", "")
	out := BatchResult{Status: "conflict", ReportID: &r.ID, Code: d.Code, Detail: d.Detail,
		StoredHash: hex.EncodeToString(r.first), SentHash: hex.EncodeToString(in.ContentHash[:])}
	there, err := g.reader.Report(ctx, reportread.ViewerOf(c), r.ID)
	if err != nil {
		return BatchResult{}, err
	}
	out.Report = &there
	return out, nil
}

// requestReader reads the items of a batch, with the schema of POST /reports. It is not safe for concurrent use.
type requestReader struct {
	*httpapi.ItemReader[CreateRequest]
	lenient *httpapi.Lenient
}

func newRequestReader() *requestReader {
	return &requestReader{ItemReader: httpapi.NewItemReader[CreateRequest](), lenient: createLenient()}
}

// read reads an item, and its client_id as the phone wrote it, with which the phone compares the result; nil where it is
// neither text nor number.
func (r *requestReader) read(ctx context.Context, raw json.RawMessage) (CreateRequest, *string, error) {
	item, err := r.Parse(raw)
	if err != nil {
		return CreateRequest{}, nil, err
	}
	members, _ := item.(map[string]any) // nil for an item that is no object
	httpapi.Rename(members, createAliases())
	var sent *string
	switch id := members["client_id"].(type) {
	case string:
		sent = &id
	case json.Number:
		text := id.String()
		sent = &text
	}
	r.Respell(item)
	r.Tolerate(r.lenient, item, warning.FromContext(ctx))
	request, err := r.Decode(item)
	return request, sent, err
}
