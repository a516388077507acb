package reports

import (
	"cmp"
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/reportwrite"
	"github.com/lafaekstreet/backend/shared/upload"
	"github.com/lafaekstreet/backend/shared/warning"
)

const (
	evidence   = reportwrite.Evidence
	resolution = "resolution"
	dispute    = "dispute" // shows that the repair is not done
	// maxResolution is the number of pictures of the repair that a report can have.
	maxResolution = 5
)

func (g *Group) registerAddImage(api *httpapi.API) {
	const path = "/api/v1/reports/{id}/images"
	add := httpapi.Operation{
		Operation: huma.Operation{
			Method: http.MethodPost, Path: path, Tags: []string{tag}, Summary: "Add a picture to a report",
			Description: "evidence: by the reporter while the report is pending, verified or in progress, and by staff. Nobody else sees it before its verdict. resolution, a picture of the repair: by staff. " +
				"Send a form with the file, or the id of an upload. A picture that was refused, expired or never arrived takes no place. " +
				"The new picture replaces it, and replaces one whose bytes have not come yet where there is no other place.",
			DefaultStatus: http.StatusCreated,
		},
		Limit: admission.LimitUpload, Creates: true, MaxBody: upload.MaxBody, Multipart: upload.Form("kind", "upload_id"),
		Lenient: &httpapi.Lenient{Strict: []string{"upload_id"}},
	}
	upload.Describe(&add.Operation, "ImageForm", "The picture, and what it shows", "kind")
	httpapi.Register(api, add.WithProblems(reportwrite.Problems()...).WithProblems(upload.AttachProblems()...).WithProblems(upload.TakeProblems()...).WithProblems(errFileMissing, errForbidden, errImageLimit, errNotEditable, reportwrite.ErrNotYourAgency), g.addImage)
}

type addImageInput struct {
	report.RefInput
	Body struct {
		_        struct{} `schema:"ImageCreate"`
		UploadID *string  `json:"upload_id,omitempty" format:"uuid"`
		Kind     *string  `json:"kind,omitempty" enum:"evidence,resolution" doc:"Default evidence"`
	}
}

type imageOutput struct{ Body reportread.Image }

func (g *Group) addImage(ctx context.Context, in *addImageInput) (*imageOutput, error) {
	caller := identity.Must(ctx)
	kind := evidence
	if in.Body.Kind != nil {
		kind = *in.Body.Kind
	}
	if kind == resolution && !caller.Role.IsStaff() {
		return nil, errForbidden
	}
	spent, err := g.ownEvents(ctx, in.ID)
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
	var h *reportwrite.Locked
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		var picture upload.Locked
		if h, picture, err = g.lockToAdd(ctx, tx, caller, spent, kind, most, uploadID); err != nil {
			return err
		}
		if out.Body, err = g.attachImage(ctx, tx, h, kind, picture); err != nil {
			return err
		}
		out.Body.Receipt, out.Body.Warnings = h.Mark(), warning.FromContext(ctx).List()
		return httpapi.RecordAnswer(ctx, tx, http.StatusCreated, out.Body)
	})
	if err != nil {
		return nil, err
	}
	out.Body.Receipt = h.Receipt(ctx, g.receipts, caller)
	return out, nil
}

// lockToAdd locks a report and an upload that becomes one of its pictures, and removes the pictures that the new one
// replaces. It fails if the caller may not edit the report, or if the report has the most pictures of that kind already.
func (g *Group) lockToAdd(ctx context.Context, tx *outbox.Tx, c identity.Caller, spent *ownEvents, kind string, most int, uploadID uuid.UUID) (*reportwrite.Locked, upload.Locked, error) {
	var there *database.Ask[[]attachedPicture]
	var uploads *database.Ask[[]upload.Locked]
	h, err := lockVisible(ctx, tx, spent.about, "", spent.ask, func(p database.Pipeline) {
		there = askPictures(p, spent.about)
		uploads = upload.Lock(p, upload.OfPerson(c.UserID), []uuid.UUID{uploadID})
	})
	if err != nil {
		return nil, upload.Locked{}, err
	}
	if err := cmp.Or(mayAddImage(c, h, kind), spent.check(h)); err != nil {
		return nil, upload.Locked{}, err
	}
	replaced, ok := placesOf(there.Get(), kind, most, g.clock.Now()).take(1)
	if !ok {
		return nil, upload.Locked{}, errImageLimit.Param("max", strconv.Itoa(most))
	}
	pictures, err := upload.InOrder([]uuid.UUID{uploadID}, uploads.Get())
	if err != nil {
		return nil, upload.Locked{}, err
	}
	removeImages(tx, replaced)
	return h, pictures[0], nil
}

// mayAddImage is nil where the caller may add a picture of that kind: staff, and the reporter while the report takes evidence.
func mayAddImage(c identity.Caller, h *reportwrite.Locked, kind string) error {
	if kind == evidence && h.ReportedBy(c) && h.TakesEvidence() {
		return nil
	}
	return mayEdit(c, h)
}

// pictureOf returns the upload that the request names, or a new one with the file of the request.
func (g *Group) pictureOf(ctx context.Context, in *addImageInput, c identity.Caller) (uuid.UUID, error) {
	if file, ok, err := upload.FileFrom(ctx); err != nil || ok {
		if err != nil {
			return uuid.Nil, err
		}
		up, err := g.uploads.Take(ctx, upload.OfPerson(c.UserID), file)
		return up.UploadID, err
	}
	if in.Body.UploadID == nil {
		return uuid.Nil, errFileMissing
	}
	return uuid.Parse(*in.Body.UploadID)
}

func (g *Group) attachImage(ctx context.Context, tx *outbox.Tx, h *reportwrite.Locked, kind string, picture upload.Locked) (reportread.Image, error) {
	if err := picture.Usable(g.clock.Now()); err != nil {
		return reportread.Image{}, err
	}
	caller, image := identity.Must(ctx), reportread.NewImage{ID: database.NewID(), Locked: picture}
	reportwrite.AttachImage(tx, image.ID, h.ID, picture.ID, &caller.UserID, kind)
	upload.Attach(tx, []uuid.UUID{picture.ID})
	if h.ReportedBy(caller) && h.Moderated { // a moderator has not seen this picture
		tx.Queue(`UPDATE reports SET moderated_at = NULL WHERE id = $1`, h.ID)
	}
	if !h.ReportedBy(caller) {
		err := audit.Record(ctx, tx, audit.Entry{Action: "report.add_image", Entity: "report", EntityID: h.ID.String(),
			After: map[string]any{"image_id": image.ID, "kind": kind}})
		if err != nil {
			return reportread.Image{}, err
		}
		if err := h.TellEdited(ctx, tx, notification.PictureAdded, caller.UserID); err != nil {
			return reportread.Image{}, err
		}
	}
	g.picturesChanged(ctx, tx, h, kind == evidence && h.Status == report.Pending)
	if kind == evidence && picture.State == upload.Processed { // also on a verified report: nobody else sees it before its verdict
		if err := tx.Send(ctx, queue.Validate, queue.ValidateMessage{ReportID: h.ID}); err != nil {
			return reportread.Image{}, err
		}
	}
	return g.reader.NewImage(ctx, image, kind, h.At)
}

// picturesChanged updates a report after a change of its pictures. With judge, a report that waits for a person goes to
// the AI again.
func (g *Group) picturesChanged(ctx context.Context, tx *outbox.Tx, h *reportwrite.Locked, judge bool) {
	const q = `
		UPDATE reports r SET version = version + 1, updated_at = now(), ai_status = CASE
			WHEN r.status IN ('verified', 'in_progress', 'fixed') AND ai_status = 'needs_review' AND NOT EXISTS (SELECT FROM report_images i
				WHERE i.report_id = r.id AND i.verdict = 'unsure' AND i.kind <> 'resolution' AND i.deleted_at IS NULL) THEN 'completed'
			WHEN r.status <> 'pending' THEN ai_status
			WHEN NOT EXISTS (SELECT FROM report_images i WHERE i.report_id = r.id AND i.kind = 'evidence' AND i.deleted_at IS NULL) THEN 'needs_review'
			WHEN $2 AND ai_status IN ('needs_review', 'failed') THEN 'queued' ELSE ai_status END
		WHERE id = $1`
	tx.Queue(q, h.ID, judge)
	h.Event(tx, ledger.Event{Type: ledger.Amended}, actorOn(identity.Must(ctx), h))
}
