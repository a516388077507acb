package reports

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/idempotency"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
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
			Responses:     map[string]*huma.Response{"200": httpapi.JSON[report.Report](api, "The report was there before")},
			Middlewares:   huma.Middlewares{upload.Form(draftAliases(), draftTexts()...)},
		},
		Limit: httpapi.LimitCreate, Creates: true, MaxBody: upload.MaxBody, Aliases: draftAliases(),
	}
	upload.Describe(&create.Operation, "The members of the JSON body as fields, and the picture")
	httpapi.Register(api, create, g.create)
}

type createInput struct{ Body Draft }

type createOutput struct {
	Status int
	ETag   string `header:"ETag"`
	Body   report.Report
}

func (g *Group) create(ctx context.Context, in *createInput) (*createOutput, error) {
	caller := identity.Must(ctx)
	f, err := in.Body.understand(g.clock.Now())
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
	out := &createOutput{Status: http.StatusCreated}
	err = g.outbox.Do(ctx, func(w *outbox.Work) error {
		done, err := g.file(ctx, w, caller, f)
		if err != nil {
			return err
		}
		if done.repeat {
			out.Status = http.StatusOK
		}
		if out.Body, err = g.reader.In(w).Report(ctx, report.ViewerOf(caller), done.id); err != nil {
			return err
		}
		return idempotency.Record(ctx, w, out.Status, out.Body)
	})
	if err != nil {
		return nil, err
	}
	out.ETag = httpapi.VersionTag(out.Body.Version)
	return out, nil
}
