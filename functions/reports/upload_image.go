package reports

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/upload"
	"github.com/lafaekstreet/backend/shared/warning"
)

const tag = "reports"

func (g *Group) registerUploadImage(api *httpapi.API) {
	op := httpapi.Operation{
		Operation: huma.Operation{
			Method: http.MethodPost, Path: "/api/v1/reports/pre-upload-image", Tags: []string{tag},
			Summary: "Send a picture ahead of its report, or ask where to send it",
			Description: "A form with one file stores it at once (up to 4.5 MB). JSON that describes the picture gets a " +
				"request that sends the bytes straight to storage (up to 10 MB). The picture is always re-encoded " +
				"without any metadata before anybody sees it; an upload that no report uses is deleted after 7 days.",
			DefaultStatus: http.StatusCreated,
		},
		Limit: admission.LimitUpload, Creates: true, MaxBody: upload.MaxBody, Multipart: upload.Form("content_type", "sha256"),
		Lenient: &httpapi.Lenient{Strict: []string{"content_type", "size_bytes"}},
	}
	upload.Describe(&op.Operation, "UploadForm", "The picture itself")
	httpapi.Register(api, op.WithProblems(upload.TakeProblems()...).WithProblems(errFileMissing), g.uploadImage)
}

type preUploadInput struct {
	Body struct {
		_           struct{} `schema:"UploadRequest"`
		ContentType *string  `json:"content_type,omitempty" doc:"image/jpeg, image/png or image/webp" example:"image/jpeg"`
		SizeBytes   *int64   `json:"size_bytes,omitempty" doc:"At most 10 MB; storage refuses any other size" example:"812345"`
		SHA256      *string  `json:"sha256,omitempty" doc:"Of the bytes, hex; recognizes a picture that was sent before"`
	}
}

type uploadOutput struct{ Body upload.Upload }

func (g *Group) uploadImage(ctx context.Context, in *preUploadInput) (*uploadOutput, error) {
	caller := identity.Must(ctx)
	if file, ok, err := upload.FileFrom(ctx); err != nil || ok {
		if err != nil {
			return nil, err
		}
		up, err := g.uploads.Take(ctx, upload.OfPerson(caller.UserID), file)
		if err != nil {
			return nil, err
		}
		return answerUpload(ctx, g, up)
	}
	b := in.Body
	switch {
	case b.ContentType == nil && b.SizeBytes == nil:
		return nil, errFileMissing
	case b.ContentType == nil:
		return nil, problem.InvalidField("content_type", "required")
	case b.SizeBytes == nil || *b.SizeBytes < 1:
		return nil, problem.InvalidField("size_bytes", "required, and at least 1")
	}
	intent := upload.Intent{ContentType: *b.ContentType, SizeBytes: *b.SizeBytes}
	if b.SHA256 != nil {
		intent.SHA256 = *b.SHA256
	}
	up, err := g.uploads.Issue(ctx, caller.UserID, intent)
	if err != nil {
		return nil, err
	}
	return answerUpload(ctx, g, up)
}

func answerUpload(ctx context.Context, g *Group, up upload.Upload) (*uploadOutput, error) {
	up.Warnings = warning.FromContext(ctx).List()
	b := &database.Batch{}
	if err := httpapi.RecordAnswer(ctx, b, http.StatusCreated, up); err != nil {
		return nil, err
	}
	if err := b.Send(ctx, g.db); err != nil {
		return nil, fmt.Errorf("record upload: %w", err)
	}
	return &uploadOutput{Body: up}, nil
}
