package reports

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportwrite"
)

func (g *Group) registerRemoveImage(api *httpapi.API) {
	remove := httpapi.Operation{Operation: huma.Operation{
		Method: http.MethodDelete, Path: "/api/v1/reports/{id}/images/{img_id}", Tags: []string{tag}, Summary: "Remove a picture from a report",
		Description: "By the reporter while the report is pending, and by administrators.",
	}}
	httpapi.Register(api, remove.WithProblems(reportwrite.Problems()...).WithProblems(errForbidden, reportwrite.ErrNoPicture, errNotEditable, identity.ErrSecondFactor), g.removeImage)
}

// ImageInput names a picture of a report in a path.
type ImageInput struct {
	report.RefInput
	ImageID uuid.UUID `path:"img_id" format:"uuid"`
}

func (g *Group) removeImage(ctx context.Context, in *ImageInput) (*reportwrite.RemovedOutput, error) {
	caller := identity.Must(ctx)
	spent, err := g.ownEvents(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	var h *reportwrite.Locked
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		var there *database.Ask[bool]
		const look = `SELECT EXISTS (SELECT FROM report_images WHERE id = $3 AND deleted_at IS NULL AND report_id = ` + report.IDSQL + `)`
		h, err = lockVisible(ctx, tx, spent.about, "", spent.ask, func(p database.Pipeline) {
			there = database.AskRow(p, pgx.RowTo[bool], look, spent.about.Args(in.ImageID)...)
		})
		if err != nil {
			return err
		}
		if err := mayTakeAway(h, caller); err != nil {
			return err
		}
		if !there.Get() {
			return reportwrite.ErrNoPicture
		}
		if err := spent.check(h); err != nil {
			return err
		}
		tx.Queue(`UPDATE report_images SET deleted_at = now() WHERE id = $1`, in.ImageID)
		g.renditions.Discard(tx, in.ImageID)
		g.picturesChanged(ctx, tx, h, false)
		if h.Status == report.Pending { // the verdict about the other pictures may have waited for this one
			if err := tx.Send(ctx, queue.Validate, queue.ValidateMessage{ReportID: h.ID}); err != nil {
				return err
			}
		}
		if h.ReportedBy(caller) {
			return nil
		}
		if err := h.TellEdited(ctx, tx, notification.PictureRemoved, caller.UserID); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "report.remove_image", Entity: "report", EntityID: h.ID.String(),
			Before: map[string]any{"image_id": in.ImageID}})
	})
	if err != nil {
		return nil, err
	}
	return reportwrite.Removed(ctx, "message.image_removed", h.Receipt(ctx, g.receipts, caller)), nil
}
