package reportwrite

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/report"
)

// TellEdited notifies the author and the followers that staff changed what the report shows: variant says what. A change
// of words or a removed picture is also mailed and pushed; other changes are shown in the app only. The author's own
// change is told to nobody.
func (h *Locked) TellEdited(ctx context.Context, tx *outbox.Tx, variant notification.Variant, actor uuid.UUID) error {
	if h.UserID != nil && *h.UserID == actor {
		return nil
	}
	params := map[string]string{notification.ParamReportNumber: h.Number, notification.ParamVariant: string(variant)}
	quiet := variant == notification.DetailsEdited || variant == notification.PictureAdded
	return h.notify(ctx, tx, notification.New{Type: notification.ReportEdited, EventKey: "edited:" + database.NewID().String(),
		Params: params, Quiet: quiet}, actor)
}

// Told is what the agency is told of the change that assigned the report; nil for none.
func (h *Locked) Told() *queue.StaffNotice { return h.told }

// tellLost tells the officials of an agency that they do not have to work on the report any more; not where one of them did it.
func (h *Locked) tellLost(ctx context.Context, tx *outbox.Tx, agency *uuid.UUID, by report.Actor) error {
	if agency == nil || by.Kind == report.ActorOfficial && same(by.AgencyID, agency) {
		return nil
	}
	item := queue.StaffItem{ReportID: h.ID, Key: fmt.Sprintf("lost:%s:%d", h.ID, h.Version)}
	return tellStaff(ctx, tx, queue.StaffNotice{Event: queue.ReportsLost, AgencyID: *agency, Items: []queue.StaffItem{item}, Except: by.UserID}, 0)
}

// MinGathered is the number of reports from which on an agency is told about all of them in one mail.
const MinGathered = 6

// TellGathered tells each agency that got MinGathered reports or more about all of them in one mail. all is what Told returned
// for reports that were assigned with Gathered.
func TellGathered(ctx context.Context, tx *outbox.Tx, all []queue.StaffNotice) error {
	byAgency := map[uuid.UUID]queue.StaffNotice{}
	for _, n := range all {
		together := byAgency[n.AgencyID]
		n.Items = append(together.Items, n.Items...)
		byAgency[n.AgencyID] = n
	}
	for _, n := range byAgency {
		for items := range slices.Chunk(n.Items, queue.MaxStaffItems) {
			if n.Items = items; len(items) < MinGathered {
				continue
			}
			if err := tellStaff(ctx, tx, n, 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// TellIrrelevant notifies the reporter that the picture image shows no problem, so others do not see it, and that another one
// may be sent. It tells nobody where the reporter cannot send one.
func (h *Locked) TellIrrelevant(ctx context.Context, tx *outbox.Tx, image uuid.UUID) error {
	if !h.TakesEvidence() {
		return nil
	}
	return h.tellReporter(ctx, tx, notification.ReportEdited, "irrelevant:"+image.String(),
		map[string]string{notification.ParamReportNumber: h.Number, notification.ParamVariant: string(notification.PictureIrrelevant)}, nil)
}

// TakesEvidence reports whether the reporter may add a picture: until the problem is fixed, or the report is closed. A
// picture that was lost must not stay missing because staff verified the report in the meantime.
func (h *Locked) TakesEvidence() bool {
	return h.Status == report.Pending || h.Status == report.Verified || h.Status == report.InProgress
}

// TellRemoved notifies the author and those who follow the report that an administrator removed it, and why.
func (h *Locked) TellRemoved(ctx context.Context, tx *outbox.Tx, code report.ReasonCode, note string, actor uuid.UUID) error {
	if err := h.tellReporter(ctx, tx, notification.ReportRemoved, "removed:"+h.ID.String(), reasonParams(h, code, note), &actor); err != nil {
		return err
	}
	return h.tellGone(tx, notification.ReportRemoved, "removed:"+h.ID.String(), code, &actor)
}

// ReviewDuplicates marks the duplicates of a report that is rejected, withdrawn or removed as needs_review, so that a
// person looks at them: nobody works on a duplicate, so the problem would otherwise be lost with its original. It tells
// their reporters, but not the actor. Only a moderator or an administrator may change their status (report.RuleFor).
func (h *Locked) ReviewDuplicates(ctx context.Context, tx *outbox.Tx, actor *uuid.UUID) error {
	const q = `UPDATE reports SET ai_status = 'needs_review', version = version + 1, updated_at = now()
		WHERE duplicate_of = $1 AND deleted_at IS NULL`
	tx.Queue(q, h.ID)
	for _, f := range h.followers {
		if actor != nil && *actor == f.User {
			continue
		}
		err := notification.Add(ctx, tx, notification.New{UserID: f.User, Type: notification.ReportStatusChanged,
			EventKey: "original_gone:" + f.Via.String() + ":" + database.NewID().String(), ReportID: f.Via,
			Params: map[string]string{notification.ParamReportNumber: f.Number, notification.ParamStatus: string(report.Duplicate),
				notification.ParamVariant: string(notification.OriginalGone), "original_number": h.Number}})
		if err != nil {
			return err
		}
	}
	return nil
}
