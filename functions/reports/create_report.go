package reports

import (
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/upload"
)

func (g *Group) registerCreate(api *httpapi.API) {
	create := httpapi.Operation{
		Operation: huma.Operation{
			Method: http.MethodPost, Path: "/api/v1/reports", Tags: []string{tag},
			Summary: "Create a report",
			Description: "Answers at once with the report number; pictures, address, AI and ledger are processed later. A repeat of a " +
				"client_id gets the same report with status 200. Without client_id, the same person, type, place (5 decimals) " +
				"and picture within 24 hours is a repeat. Takes the same members as a multipart form with the picture as a file part.",
			DefaultStatus: http.StatusCreated,
			Responses:     map[string]*huma.Response{"200": httpapi.JSON[reportread.Report](api, "The report existed before")},
		},
		Limit: admission.LimitCreate, Creates: true, MaxBody: upload.MaxBody, Aliases: createAliases(),
		Multipart: upload.Form(createTexts()...),
	}
	upload.Describe(&create.Operation, "The members of the JSON body as fields, and the picture")
	httpapi.Register(api, create, g.createReport)
}

type createReportInput struct{ Body CreateRequest }

type createReportOutput struct {
	Status int
	ETag   string `header:"ETag"`
	Body   reportread.Report
}

// createReport answers POST /reports: 201 with a new report, or 200 with the one that the request repeats.
func (g *Group) createReport(ctx context.Context, in *createReportInput) (*createReportOutput, error) {
	caller := identity.Must(ctx)
	input, err := g.createInput(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	if file, ok, err := upload.FileFrom(ctx); err != nil || ok {
		if err != nil {
			return nil, err
		}
		up, err := g.uploads.Take(ctx, caller.UserID, file)
		if err != nil {
			return nil, err
		}
		input.uploads = append([]uuid.UUID{up.UploadID}, input.uploads...)
	}
	var answer *database.Ask[reportread.Report]
	status := http.StatusCreated
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		result, err := g.create(ctx, tx, caller, input)
		if err != nil {
			return err
		}
		if result.Repeat == nil {
			status, answer = http.StatusCreated, result.Report()
			return httpapi.RecordAnswer(ctx, tx, status, result.withPlaceholder, result.number)
		}
		there, err := g.reader.In(tx).Report(ctx, reportread.ViewerOf(caller), result.Repeat.ID)
		if err != nil {
			return err
		}
		status, answer = http.StatusOK, database.Derive(func() reportread.Report { return there })
		return httpapi.RecordAnswer(ctx, tx, status, there)
	})
	if err != nil {
		return nil, err
	}
	out := answer.Get()
	return &createReportOutput{Status: status, ETag: httpapi.VersionTag(out.Version), Body: out}, nil
}

// createInput checks a request and reads what does not need the transaction that creates the report: the transaction
// must not wait for a second connection.
func (g *Group) createInput(ctx context.Context, r CreateRequest) (CreateInput, error) {
	in, err := r.input(g.clock.Now())
	if err != nil {
		return CreateInput{}, err
	}
	limits, err := g.settings.Current(ctx)
	if err != nil {
		return CreateInput{}, err
	}
	in.maxImages = limits.EvidenceImages
	if name := in.address.Municipality; name != nil {
		code, found, err := g.municipalities.Code(ctx, *name)
		if err != nil {
			return CreateInput{}, err
		}
		if found {
			in.municipalityCode = &code
		}
	}
	return in, nil
}

// CreateResult is the result of a request: a Repeat, or a new report.
type CreateResult struct {
	Repeat *Repeat // nil for a new report

	// Of a new report:
	number          database.Late
	withPlaceholder reportread.Report     // with a placeholder for its number
	givenNumber     *database.Ask[string] // known after the commit
}

// Report is the new report with its number, known after the commit.
func (r CreateResult) Report() *database.Ask[reportread.Report] {
	return database.Derive(func() reportread.Report {
		out := r.withPlaceholder
		out.ReportNumber = r.givenNumber.Get()
		return out
	})
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
	if found.byClientID != nil {
		return CreateResult{Repeat: found.byClientID}, nil
	}
	pictures, err := upload.InOrder(in.uploads, found.uploads)
	if err != nil {
		return CreateResult{}, err
	}
	if repeat := found.sameContent(pictures); repeat != nil {
		return CreateResult{Repeat: repeat}, nil
	}
	if len(pictures) > in.maxImages {
		return CreateResult{}, problem.New(problem.Conflict, "image_limit").Param("max", strconv.Itoa(in.maxImages))
	}
	for _, picture := range pictures {
		if err := picture.Usable(g.clock.Now()); err != nil {
			return CreateResult{}, err
		}
	}
	return g.insert(ctx, tx, c, in, found, pictures)
}
