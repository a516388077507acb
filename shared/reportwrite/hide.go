package reportwrite

import (
	"context"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
)

// Hiding asks to keep words, a picture or a comment from others than staff and the author.
type Hiding struct {
	By     report.Actor // report.System() for flags
	Reason report.ReasonCode
	// Note is for staff: it is in the audit log. The author reads it where Reason is other, which says nothing without it.
	Note string
}

// check is a 422 that names what is missing.
func (x Hiding) check() error {
	switch {
	case x.Reason == "":
		return problem.InvalidField("reason_code", "required: why it is hidden")
	case x.Reason == report.ReasonOther && x.Note == "":
		return problem.InvalidField("note", "required for the reason other")
	}
	return nil
}

// how says who hides.
func (x Hiding) how() report.HiddenBy {
	if x.By.Kind == report.System().Kind {
		return report.HiddenByFlags
	}
	return report.HiddenByModerator
}

// Event appends the event of the hiding, after all that it changes.
func (x Hiding) Event(tx *outbox.Tx, h *Locked) {
	h.Event(tx, ledger.Event{Type: ledger.Hidden, ReasonCode: string(x.Reason), Note: x.Note}, x.By)
}

// Params are the parameters of what the author of the hidden thing is told.
func (x Hiding) Params(h *Locked, variant notification.Variant) map[string]string {
	note := ""
	if x.Reason == report.ReasonOther {
		note = x.Note
	}
	out := reasonParams(h, x.Reason, note)
	out[notification.ParamVariant] = string(variant)
	return out
}

// Audit records the hiding of an entity: a "report", an "image" or a "comment".
func (x Hiding) Audit(ctx context.Context, tx *outbox.Tx, entity string, id uuid.UUID, was report.HiddenBy) error {
	return audit.Record(ctx, tx, audit.Entry{Action: entity + ".hide", Entity: entity, EntityID: id.String(),
		Before: map[string]any{"hidden": was}, After: map[string]any{"hidden": x.how(), "reason_code": x.Reason, "note": x.Note}})
}

// HideWords hides title and description, appends the event, tells the reporter and upholds the open flags of the report. Where
// a moderator has hidden them already, it only settles the flags.
func (h *Locked) HideWords(ctx context.Context, tx *outbox.Tx, x Hiding) error {
	if h.WordsHidden == report.HiddenByModerator {
		h.settleFlags(tx, report.FlagUpheld, x.By, ofReport, nil)
		return nil
	}
	was := h.WordsHidden
	h.setWordsHidden(tx, x)
	h.UpholdFlags(tx, x)
	x.Event(tx, h)
	if err := x.Audit(ctx, tx, "report", h.ID, was); err != nil {
		return err
	}
	return h.tellReporter(ctx, tx, notification.ReportEdited, newEdit(), x.Params(h, notification.WordsHidden), x.By.UserID)
}

func (h *Locked) setWordsHidden(tx *outbox.Tx, x Hiding) {
	h.WordsHidden = x.how()
	h.Version++
	const q = `UPDATE reports SET words_hidden = $2, words_hidden_reason = $3, version = version + 1, updated_at = now() WHERE id = $1`
	tx.Queue(q, h.ID, h.WordsHidden, x.Reason)
}

// ShowWords shows title and description again, appends the event and tells the reporter. Flags hide them again only after
// they changed. Where flags hid them, it is DismissFlags. It changes nothing where they are shown.
func (h *Locked) ShowWords(ctx context.Context, tx *outbox.Tx, by report.Actor, note string) error {
	switch h.WordsHidden {
	case "":
		return nil
	case report.HiddenByFlags:
		return h.DismissFlags(ctx, tx, by, note)
	}
	was := h.WordsHidden
	h.WordsHidden = ""
	h.Version++
	const q = `UPDATE reports SET words_hidden = NULL, words_hidden_reason = NULL, moderated_at = now(), version = version + 1, updated_at = now()
		WHERE id = $1`
	tx.Queue(q, h.ID)
	h.Event(tx, ledger.Event{Type: ledger.Hidden, Note: note}, by)
	if err := auditShown(ctx, tx, "report", h.ID, was, note); err != nil {
		return err
	}
	return h.tellReporter(ctx, tx, notification.ReportEdited, newEdit(), h.edited(notification.WordsShown), by.UserID)
}

// auditShown records that a hidden entity is shown again.
func auditShown(ctx context.Context, tx *outbox.Tx, entity string, id uuid.UUID, was report.HiddenBy, note string) error {
	return audit.Record(ctx, tx, audit.Entry{Action: entity + ".unhide", Entity: entity, EntityID: id.String(),
		Before: map[string]any{"hidden": was}, After: map[string]any{"note": note}})
}

// newEdit is the key of a notification about an edit.
func newEdit() string { return "edited:" + database.NewID().String() }

// edited are the parameters of a notification about an edit.
func (h *Locked) edited(variant notification.Variant) map[string]string {
	return map[string]string{notification.ParamReportNumber: h.Number, notification.ParamVariant: string(variant)}
}
