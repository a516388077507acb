package reportwrite

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/upload"
)

// ErrNoPicture is the 404 for a picture that the report does not have, or that was removed.
var ErrNoPicture = problem.New(problem.NotFound, "image_not_found")

// LockedPicture is a picture whose rows the transaction has locked, after that of its report.
type LockedPicture struct {
	ID         uuid.UUID // of the picture in its report
	Upload     uuid.UUID
	Hidden     report.HiddenBy // "" while it is shown
	Boxes      []report.Box    // what is black, or is being made black
	State      upload.State
	StaleFrom  *int // see upload.Renditions.DeleteStale
	Generation int
}

// LockPicture locks a picture of a report. The pipeline fails with ErrNoPicture where there is none.
func LockPicture(p database.Pipeline, about report.About, id uuid.UUID) *database.Ask[LockedPicture] {
	const q = `SELECT i.id, u.id, coalesce(i.hidden, ''), coalesce(i.boxes, '[]'), u.state, u.stale_from, u.generation
		FROM report_images i JOIN uploads u ON u.id = i.upload_id
		WHERE i.id = $3 AND i.deleted_at IS NULL AND i.report_id = ` + report.IDSQL + ` FOR NO KEY UPDATE OF i, u`
	return database.AskRow(p, pgx.RowToStructByPos[LockedPicture], q, about.Args(id)...).Missing(ErrNoPicture)
}

// HidePicture hides a picture and moves its renditions out of public reach, appends the event and tells the reporter. Where a
// moderator has hidden it already, it only deletes what of the renditions is left of before.
func (h *Locked) HidePicture(ctx context.Context, tx *outbox.Tx, r *upload.Renditions, p *LockedPicture, x Hiding) (*upload.Moving, error) {
	if p.Hidden == report.HiddenByModerator {
		return r.DeleteStale(tx, p.Upload, p.StaleFrom, p.Generation), nil
	}
	was := p.Hidden
	p.Hidden = x.how()
	tx.Queue(`UPDATE report_images SET hidden = $2, hidden_reason = $3 WHERE id = $1`, p.ID, p.Hidden, x.Reason)
	h.pictureModerated(tx, x.By)
	moving := r.Move(tx, p.ID)
	x.Event(tx, h)
	if err := x.Audit(ctx, tx, "image", p.ID, was); err != nil {
		return nil, err
	}
	return moving, h.tellReporter(ctx, tx, notification.ReportEdited, newEdit(), x.Params(h, notification.PictureHidden), x.By.UserID)
}

// pictureModerated counts a change by a moderator. Open flags are right, unless they hid something that the moderator has not
// decided about yet.
func (h *Locked) pictureModerated(tx *outbox.Tx, by report.Actor) {
	if h.WordsHidden != report.HiddenByFlags && !h.picturesFlagged {
		h.settleFlags(tx, report.FlagUpheld, by, ofReport, nil)
	}
	h.Version++
	tx.Queue(`UPDATE reports SET version = version + 1, updated_at = now() WHERE id = $1`, h.ID)
}

// ShowPicture shows a picture again, black where it was redacted, appends the event and tells the reporter. Flags hide it again
// only after the report changed. It changes nothing where the picture is shown.
func (h *Locked) ShowPicture(ctx context.Context, tx *outbox.Tx, p *LockedPicture, by report.Actor, note string) error {
	if p.Hidden == "" {
		return nil
	}
	was := p.Hidden
	p.Hidden = ""
	h.Version++
	tx.Queue(`UPDATE report_images SET hidden = NULL, hidden_reason = NULL WHERE id = $1`, p.ID)
	tx.Queue(`UPDATE reports SET moderated_at = now(), version = version + 1, updated_at = now() WHERE id = $1`, h.ID)
	h.Event(tx, ledger.Event{Type: ledger.Hidden, Note: note}, by)
	if err := auditShown(ctx, tx, "image", p.ID, was, note); err != nil {
		return err
	}
	return h.tellReporter(ctx, tx, notification.ReportEdited, newEdit(), h.edited(notification.PictureShown), by.UserID)
}

// RedactPicture has parts of a picture made black, for good: boxes, which are cut to the picture, and those of earlier redactions.
// Until the images worker has done it nobody is shown the picture. The event is appended and the reporter told. Where all of the
// boxes are asked for already, it only deletes what of the renditions is left of before, and asks the worker again if the picture
// is not made yet. It fails with 409 "image_not_ready" for a
// picture that was not processed, with 422 for more than report.MaxBoxes boxes.
func (h *Locked) RedactPicture(ctx context.Context, tx *outbox.Tx, r *upload.Renditions, p *LockedPicture, x Hiding, boxes []report.Box) (*upload.Moving, error) {
	if p.State != upload.Processed && p.State != upload.Redacting {
		return nil, ErrPictureNotReady.With("image_status", p.State)
	}
	all := slices.Clone(p.Boxes)
	for _, box := range boxes {
		if !slices.Contains(all, box) {
			all = append(all, box)
		}
	}
	switch {
	case len(all) == len(p.Boxes) && p.State == upload.Redacting:
		// The worker may have lost the message, or have failed too often.
		return r.DeleteStale(tx, p.Upload, p.StaleFrom, p.Generation), tx.Send(ctx, queue.Images, queue.RedactMessage{UploadID: p.Upload})
	case len(all) == len(p.Boxes):
		return r.DeleteStale(tx, p.Upload, p.StaleFrom, p.Generation), nil
	case len(all) > report.MaxBoxes:
		return nil, problem.InvalidField("boxes", "a picture has at most 50")
	}
	raw, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	tx.Queue(`UPDATE report_images SET boxes = $2::jsonb WHERE id = $1`, p.ID, string(raw))
	h.pictureModerated(tx, x.By)
	moving := r.Redact(tx, p.ID)
	x.Event(tx, h)
	err = audit.Record(ctx, tx, audit.Entry{Action: "image.redact", Entity: "image", EntityID: p.ID.String(),
		Before: map[string]any{"boxes": p.Boxes}, After: map[string]any{"boxes": all, "reason_code": x.Reason, "note": x.Note}})
	if err != nil {
		return nil, err
	}
	p.Boxes, p.State = all, upload.Redacting
	if err := tx.Send(ctx, queue.Images, queue.RedactMessage{UploadID: p.Upload}); err != nil {
		return nil, err
	}
	return moving, h.tellReporter(ctx, tx, notification.ReportEdited, newEdit(), x.Params(h, notification.PictureRedacted), x.By.UserID)
}
