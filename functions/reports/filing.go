package reports

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/upload"
)

func (g *Group) registerFiling(api *httpapi.API) {
	create := httpapi.Operation{
		Operation: huma.Operation{
			Method: http.MethodPost, Path: "/api/v1/reports", Tags: []string{tag},
			Summary: "File a report",
			Description: "Answers with the report number at once; picture, address, AI and ledger follow. A repeat of a " +
				"client_id gets the same report with status 200. Without client_id, the same person, type, place (5 decimals) " +
				"and picture within 24 hours is a repeat. Takes the same members as a multipart form with the picture as a file part.",
			DefaultStatus: http.StatusCreated,
			Responses:     map[string]*huma.Response{"200": httpapi.JSON[reportread.Report](api, "The report was there before")},
		},
		Limit: admission.LimitCreate, Creates: true, MaxBody: upload.MaxBody, Aliases: draftAliases(),
		Multipart: upload.Form(draftTexts()...),
	}
	upload.Describe(&create.Operation, "The members of the JSON body as fields, and the picture")
	httpapi.Register(api, create, g.create)
}

type createInput struct{ Body Draft }

type createOutput struct {
	Status int
	ETag   string `header:"ETag"`
	Body   reportread.Report
	report *reportread.Report // becomes Body once it has a number
}

func (g *Group) create(ctx context.Context, in *createInput) (*createOutput, error) {
	caller := identity.Must(ctx)
	f, err := g.prepare(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	if file, ok := upload.FileFrom(ctx); ok {
		up, err := g.desk.Take(ctx, caller.UserID, file)
		if err != nil {
			return nil, err
		}
		f.uploads = append([]uuid.UUID{up.UploadID}, f.uploads...)
	}
	var out *createOutput
	err = g.outbox.Do(ctx, func(w *outbox.Work) error {
		done, err := g.file(ctx, w, caller, f)
		if err != nil {
			return err
		}
		if !done.repeat {
			out = &createOutput{Status: http.StatusCreated, report: done.report}
			return httpapi.RecordFilled(ctx, w, out.Status, done.report, numberOf(done.id))
		}
		there, err := g.reader.In(w).Report(ctx, reportread.ViewerOf(caller), done.id)
		if err != nil {
			return err
		}
		out = &createOutput{Status: http.StatusOK, report: &there}
		return httpapi.RecordAnswer(ctx, w, out.Status, there)
	})
	if err != nil {
		return nil, err
	}
	out.Body, out.ETag = *out.report, httpapi.VersionTag(out.report.Version)
	return out, nil
}

// prepare is a draft understood, with all that is known without the transaction of its filing: that one must not wait
// for a second connection.
func (g *Group) prepare(ctx context.Context, d Draft) (filing, error) {
	f, err := d.understand(g.clock.Now())
	if err != nil {
		return filing{}, err
	}
	limits, err := g.settings.Current(ctx)
	if err != nil {
		return filing{}, err
	}
	f.maxImages = limits.EvidenceImages
	if name := f.address[4]; name != nil {
		code, known, err := g.municipalities.Code(ctx, *name)
		if err != nil {
			return filing{}, err
		}
		if known {
			f.municipalityCode = &code
		}
	}
	return f, nil
}

// numberOf is the blank of an answer that shows a new report.
func numberOf(id uuid.UUID) httpapi.Blank {
	return httpapi.Blank{Member: "report_number", Marker: report.Unnumbered, Query: `SELECT report_number FROM reports WHERE id = $6`, Arg: id}
}
