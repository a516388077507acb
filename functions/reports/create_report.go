package reports

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportcreate"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/upload"
	"github.com/lafaekstreet/backend/shared/warning"
)

func (g *Group) registerCreate(api *httpapi.API) {
	forever := api.English("page.public_for_ever") // a person has to know before filing
	create := httpapi.Operation{
		Operation: huma.Operation{
			Method: http.MethodPost, Path: "/api/v1/reports", Tags: []string{tag},
			Summary: "Create a report",
			Description: "Answers at once with the report number; pictures, address, AI and ledger are processed later. A repeat of a " +
				"client_id gets the same report with status 200. If it has a picture that is new and a place is free, or other words while the report is " +
				"pending and has no verdict, they are added, and warnings name them. If type, place, words or picture differ and cannot be added, nothing is: 409 client_id_reused " +
				"with report_id. What was sent under the client_id before, first or later, counts as the same; time, accuracy and device do not count. " +
				"Without client_id, the same person, type, words, place (5 decimals) and picture within 24 hours is a repeat; another picture is another report. Only the place is required. Another member that cannot be read, or a picture that cannot be attached, is " +
				"left out and named in warnings. Takes the same members as a multipart form with the picture as a file part. " + forever,
			DefaultStatus: http.StatusCreated,
			Responses:     map[string]*huma.Response{"200": httpapi.JSON[reportread.Report](api, "The report existed before")},
		},
		Limit: admission.LimitCreate, Creates: true, MaxBody: upload.MaxBody, Aliases: createAliases(), Lenient: createLenient(),
		Multipart: upload.Form(createTexts()...),
	}
	upload.Describe(&create.Operation, "ReportForm", "The members of the JSON body as fields, and the picture",
		append(createTexts(), "latitude", "longitude", "location_accuracy", "created_offline", "is_anonymous")...)
	httpapi.Register(api, create.WithProblems(upload.TakeProblems()...).WithProblems(errClientIDReused.With("report_id", problem.ExampleID()), errReportRemoved, ledger.ErrHalted, report.ErrOutsideArea), g.createReport)
}

// ClientHeaders are headers of requests that create reports.
type ClientHeaders struct {
	// ClientTime is the time of the phone's clock when it sends the request.
	ClientTime string `header:"X-Client-Time" doc:"The time of the phone's clock now. If the clock is wrong by more than 2 minutes, captured_at is corrected by as much" example:"2026-11-21T08:30:05Z"`
	Web        string `header:"X-LafaekStreet" doc:"Pages of a browser send it. The source of the report is then web"`
}

type createReportInput struct {
	ClientHeaders
	Body CreateRequest
}

// source is how the report of a request with these headers came in.
func (h ClientHeaders) source() report.Source {
	if h.Web != "" {
		return report.SourceWeb
	}
	return report.SourceApp
}

type createReportOutput struct {
	Status int
	ETag   string `header:"ETag"`
	Body   reportread.Report
}

// createReport answers POST /reports: 201 with a new report, or 200 with the one that the request repeats.
func (g *Group) createReport(ctx context.Context, in *createReportInput) (*createReportOutput, error) {
	caller := identity.Must(ctx)
	input, err := g.createInput(ctx, in.Body, in.ClientHeaders)
	if err != nil {
		return nil, err
	}
	if err := g.takeFiles(ctx, caller.UserID, &input); err != nil {
		return nil, err
	}
	var out reportread.Report
	var created *CreateResult // nil for a repeat
	status := http.StatusCreated
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		result, err := g.create(ctx, tx, caller, input)
		if err != nil {
			return err
		}
		warnings := warning.FromContext(ctx).List()
		if created = nil; result.Repeat == nil {
			result.withPlaceholder.Warnings = warnings
			status, created = http.StatusCreated, &result
			return httpapi.RecordAnswer(ctx, tx, status, result.withPlaceholder, result.number)
		}
		if out, err = g.reader.In(tx).Report(ctx, reportread.ViewerOf(caller), result.Repeat.ID); err != nil {
			return err
		}
		if result.Repeat.Withdrawn {
			return out.Removed.Gone()
		}
		status, out.Warnings = http.StatusOK, warnings
		return httpapi.RecordAnswer(ctx, tx, status, out)
	})
	if err != nil {
		return nil, err
	}
	if created != nil {
		out = created.report(ctx, g.receipts)
	}
	return &createReportOutput{Status: status, ETag: httpapi.VersionTag(out.Version), Body: out}, nil
}

// takeFiles stores the pictures of a form. They come before the uploads that the request names.
func (g *Group) takeFiles(ctx context.Context, person uuid.UUID, in *CreateInput) error {
	var taken []uploadRef
	for i, file := range upload.FilesFrom(ctx) {
		field := fmt.Sprintf("file[%d]", i)
		if i >= in.limits.EvidenceImages {
			warning.FromContext(ctx).Add(field, warning.ImageLimit)
			continue
		}
		up, err := g.uploads.Take(ctx, upload.OfPerson(person), file)
		if err != nil {
			return err
		}
		taken = append(taken, uploadRef{ID: up.UploadID, Field: field})
	}
	in.uploads = append(taken, in.uploads...)
	return nil
}

// createInput checks a request and reads what does not need the transaction that creates the report: the transaction
// must not wait for a second connection. Phone is the time of the phone's clock; it may be empty.
func (g *Group) createInput(ctx context.Context, r CreateRequest, headers ClientHeaders) (CreateInput, error) {
	limits, err := g.settings.Current(ctx)
	if err != nil {
		return CreateInput{}, err
	}
	in, err := r.input(readContext{now: g.clock.Now(), phone: headers.ClientTime, area: limits.Area, warnings: warning.FromContext(ctx)})
	if err != nil {
		return CreateInput{}, err
	}
	in.limits, in.Source = limits, headers.source()
	if in.Contact = r.contact(identity.Must(ctx), warning.FromContext(ctx)); in.Contact != nil {
		in.Source = report.SourceAssisted
	}
	if name := in.Address.Municipality; name != nil {
		code, found, err := g.municipalities.Code(ctx, *name)
		if err != nil {
			return CreateInput{}, err
		}
		if found {
			in.MunicipalityCode = &code
		}
	}
	return in, nil
}

// CreateResult is the result of a request: a Repeat, or a new report.
type CreateResult struct {
	Repeat *Repeat // nil for a new report

	// Of a new report:
	number          database.Late
	withPlaceholder reportread.Report   // with a placeholder for its number, and a mark for its receipt
	inserted        reportcreate.Result // known after the commit
	assisted        bool                // staff filed it for somebody
}

// report is the new report with its number and its receipt. Call it after the commit.
func (r *CreateResult) report(ctx context.Context, receipts *ledger.Receipts) reportread.Report {
	out := r.withPlaceholder
	out.ReportNumber = r.inserted.Number.Get()
	out.Receipt = receipts.Of(ctx, r.inserted.Entry, out.ReportNumber, !r.assisted)
	return out
}

// create writes a report in tx, or finds the one that the request repeats. The create requests of one person wait for each
// other. So a request that is sent twice at the same time creates one report.
//
// One round trip reads what the decision needs; a second one writes everything and commits.
func (g *Group) create(ctx context.Context, tx *outbox.Tx, c identity.Caller, in CreateInput) (CreateResult, error) {
	found, err := lookup(ctx, tx, c, in)
	if err != nil {
		return CreateResult{}, err
	}
	w := warning.FromContext(ctx)
	pictures, repeat := known(in.uploads, found.uploads, w), found.repeat
	if repeat == nil {
		repeat = found.sameContent(pictures)
	}
	if repeat != nil {
		if repeat.otherContact {
			w.Add("on_behalf_of", warning.NotTaken)
		}
		return CreateResult{Repeat: repeat}, g.repeat(ctx, tx, in, pictures, repeat)
	}
	return g.insert(ctx, tx, c, in, found, usable(pictures, in.limits.EvidenceImages, g.clock.Now(), w))
}

// picture is an upload of the person, and the member of the request that names it.
type picture struct {
	upload.Locked
	field string
}

// known are the uploads that the person has, in the order of the request. The others are left out with a warning, which
// does not say whether they belong to somebody else.
func known(refs []uploadRef, locked []upload.Locked, w *warning.Collector) []picture {
	var out []picture
	for _, ref := range refs {
		i := slices.IndexFunc(locked, func(u upload.Locked) bool { return u.ID == ref.ID })
		if i < 0 {
			w.Add(ref.Field, warning.UploadUnknown)
			continue
		}
		out = append(out, picture{locked[i], ref.Field})
	}
	return out
}

// usable are the pictures that a new report gets: the first most of those that may be attached now. The others are left
// out with a warning.
func usable(pictures []picture, most int, now time.Time, w *warning.Collector) []upload.Locked {
	var out []upload.Locked
	for _, p := range pictures {
		var fault *problem.Error
		switch err := p.Usable(now); {
		case errors.As(err, &fault):
			w.Add(p.field, warning.Code(fault.Code)) // the codes are the same
		case len(out) == most:
			w.Add(p.field, warning.ImageLimit)
		default:
			out = append(out, p.Locked)
		}
	}
	return out
}
