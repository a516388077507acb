package reports

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/idempotency"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ids"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/upload"
)

const (
	evidence   = "evidence"
	resolution = "resolution"
	// maxResolution is how many pictures of the repair a report takes.
	maxResolution = 5
)

func (g *Group) registerImages(api *httpapi.API) {
	const path = "/api/v1/reports/{id}/images"
	add := httpapi.Operation{
		Operation: huma.Operation{
			Method: http.MethodPost, Path: path, Tags: []string{tag}, Summary: "Add a picture to a report",
			Description: "evidence by its reporter while it is pending, and by staff; resolution, of the repair, by staff. " +
				"As a form with the file, or by the id of an upload.",
			DefaultStatus: http.StatusCreated, Errors: []int{http.StatusForbidden, http.StatusConflict},
			Middlewares: huma.Middlewares{upload.Form(nil, "kind", "upload_id")},
		},
		Limit: httpapi.LimitUpload, Creates: true, MaxBody: upload.MaxBody,
	}
	upload.Describe(&add.Operation, "The picture, and kind")
	httpapi.Register(api, add, g.addImage)

	remove := httpapi.Operation{Operation: huma.Operation{
		Method: http.MethodDelete, Path: path + "/{img_id}", Tags: []string{tag}, Summary: "Remove a picture from a report",
		Description: "By its reporter while the report is pending, and by administrators.",
		Errors:      []int{http.StatusForbidden, http.StatusConflict},
	}}
	httpapi.Register(api, remove, g.removeImage)

	show := httpapi.Operation{
		Operation: huma.Operation{
			Method: http.MethodGet, Path: path + "/{img_id}/{rendition}", Tags: []string{tag}, Summary: "See a picture",
			Description: "Leads to an address that is good for at least an hour.", DefaultStatus: http.StatusFound,
		},
		Cache: httpapi.Never,
	}
	httpapi.Register(api, show, g.rendition)
}

type addImageInput struct {
	RefInput
	Body struct {
		_        struct{} `additionalProperties:"true"`
		UploadID *string  `json:"upload_id,omitempty" format:"uuid"`
		Kind     *string  `json:"kind,omitempty" enum:"evidence,resolution" doc:"Default evidence"`
	}
}

type imageOutput struct{ Body report.Image }

func (g *Group) addImage(ctx context.Context, in *addImageInput) (*imageOutput, error) {
	caller := identity.Must(ctx)
	kind := evidence
	if in.Body.Kind != nil {
		kind = *in.Body.Kind
	}
	if kind == resolution && !caller.Role.IsStaff() {
		return nil, errForbidden
	}
	id, err := in.ID.Resolve(ctx, g.db)
	if err != nil {
		return nil, err
	}
	uploadID, err := g.pictureOf(ctx, in, caller)
	if err != nil {
		return nil, err
	}
	limits, err := g.settings.Current(ctx)
	if err != nil {
		return nil, err
	}
	most := limits.EvidenceImages
	if kind == resolution {
		most = maxResolution
	}
	out := &imageOutput{}
	err = g.outbox.Do(ctx, func(w *outbox.Work) error {
		h, err := g.held(ctx, w, id, "")
		if err != nil {
			return err
		}
		if err := mayEdit(caller, h); err != nil {
			return err
		}
		image, err := g.attachImage(ctx, w, h, kind, uploadID, most)
		if err != nil {
			return err
		}
		if out.Body, err = g.reader.In(w).Image(ctx, report.ViewerOf(caller), in.ID, image); err != nil {
			return err
		}
		return idempotency.Record(ctx, w, http.StatusCreated, out.Body)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// pictureOf is the upload named, or made of the file sent.
func (g *Group) pictureOf(ctx context.Context, in *addImageInput, c identity.Caller) (uuid.UUID, error) {
	if file, ok := upload.FileFrom(ctx); ok {
		up, err := g.desk.Take(ctx, c.UserID, file)
		return up.UploadID, err
	}
	if in.Body.UploadID == nil {
		return uuid.Nil, problem.New(problem.Invalid, "file_missing")
	}
	return uuid.Parse(*in.Body.UploadID)
}

func (g *Group) attachImage(ctx context.Context, w *outbox.Work, h report.Held, kind string, uploadID uuid.UUID, most int) (uuid.UUID, error) {
	caller := identity.Must(ctx)
	var there int
	const count = `SELECT count(*) FROM report_images WHERE report_id = $1 AND kind = $2 AND deleted_at IS NULL`
	if err := w.QueryRow(ctx, count, h.ID, kind).Scan(&there); err != nil {
		return uuid.Nil, fmt.Errorf("count images: %w", err)
	}
	if there >= most {
		return uuid.Nil, problem.New(problem.Conflict, "image_limit").Param("max", strconv.Itoa(most))
	}
	held, err := upload.Hold(ctx, w, caller.UserID, []uuid.UUID{uploadID})
	if err != nil {
		return uuid.Nil, err
	}
	if err := held[0].Usable(g.clock.Now()); err != nil {
		return uuid.Nil, err
	}
	image := ids.New()
	attach(w, image, h.ID, uploadID, caller.UserID, kind)
	upload.Attach(w, []uuid.UUID{uploadID})
	judge := kind == evidence && h.Status == report.Pending
	if err := g.pictured(ctx, w, h, judge); err != nil {
		return uuid.Nil, err
	}
	if judge && held[0].State == upload.Processed {
		return image, w.Send(ctx, queue.Validate, queue.ValidateMessage{ReportID: h.ID})
	}
	return image, nil
}

// pictured notes that a report's pictures have changed. Where there is one now
// that there was none before, the AI has something to judge.
func (g *Group) pictured(ctx context.Context, w *outbox.Work, h report.Held, judge bool) error {
	const q = `
		UPDATE reports r SET version = version + 1, updated_at = now(), ai_status = CASE
			WHEN r.status <> 'pending' THEN ai_status
			WHEN NOT EXISTS (SELECT FROM report_images i WHERE i.report_id = r.id AND i.kind = 'evidence' AND i.deleted_at IS NULL) THEN 'needs_review'
			WHEN $2 AND ai_status IN ('needs_review', 'failed') THEN 'queued' ELSE ai_status END
		WHERE id = $1 RETURNING now()`
	var at time.Time
	if err := w.QueryRow(ctx, q, h.ID, judge).Scan(&at); err != nil {
		return fmt.Errorf("note pictures: %w", err)
	}
	return report.Event(ctx, w, ledger.Event{ReportID: h.ID, Type: ledger.Amended, At: at}, actorOn(identity.Must(ctx), h))
}

// ImageInput names a picture of a report in a path.
type ImageInput struct {
	RefInput
	ImageID uuid.UUID `path:"img_id" format:"uuid"`
}

func (g *Group) removeImage(ctx context.Context, in *ImageInput) (*messageOutput, error) {
	id, err := in.ID.Resolve(ctx, g.db)
	if err != nil {
		return nil, err
	}
	caller := identity.Must(ctx)
	err = g.outbox.Do(ctx, func(w *outbox.Work) error {
		h, err := g.held(ctx, w, id, "")
		if err != nil {
			return err
		}
		if caller.Role != identity.Admin {
			switch {
			case !owns(caller, h):
				return errForbidden
			case h.Status != report.Pending:
				return errNotEditable
			}
		}
		const q = `UPDATE report_images SET deleted_at = now() WHERE id = $1 AND report_id = $2 AND deleted_at IS NULL`
		tag, err := w.Exec(ctx, q, in.ImageID, id)
		if err != nil {
			return fmt.Errorf("remove image: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return problem.New(problem.NotFound, "image_not_found")
		}
		if err := g.pictured(ctx, w, h, false); err != nil || owns(caller, h) {
			return err
		}
		return audit.Record(ctx, w, audit.Entry{Action: "report.remove_image", Entity: "report", EntityID: id.String(),
			Before: map[string]any{"image_id": in.ImageID}})
	})
	if err != nil {
		return nil, err
	}
	return message(ctx, "image_removed"), nil
}

type renditionInput struct {
	ImageInput
	Rendition string `path:"rendition" enum:"display,thumbnail"`
}

type redirectOutput struct {
	Location string `header:"Location"`
}

func (g *Group) rendition(ctx context.Context, in *renditionInput) (*redirectOutput, error) {
	image, err := g.reader.Image(ctx, report.ViewerOf(identity.Must(ctx)), in.ID, in.ImageID)
	if err != nil {
		return nil, err
	}
	url := image.ImageURL
	if in.Rendition == string(upload.Thumbnail) {
		url = image.ThumbnailURL
	}
	if url == nil {
		return nil, problem.New(problem.NotFound, "image_not_ready").With("status", image.Status)
	}
	return &redirectOutput{Location: *url}, nil
}
