package reports

import (
	"context"
	"net/http"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportwrite"
)

func (g *Group) registerWithdraw(api *httpapi.API) {
	httpapi.Register(api, changeOperation(http.MethodDelete, "", "Withdraw a report",
		"By the reporter while it is pending, and by administrators with a reason_code; the reporter is then told. It is no longer "+
			"shown; the ledger still says that it existed.").WithProblems(reportwrite.Problems()...).WithProblems(errForbidden, errNotEditable, identity.ErrSecondFactor), g.withdrawReport)
}

type withdrawInput struct {
	report.RefInput
	IfMatch    string `header:"If-Match" doc:"Only when the report is still as this ETag"`
	ReasonCode string `query:"reason_code" maxLength:"40" doc:"As in the body, for clients whose DELETE has none"`
	Note       string `query:"note" maxLength:"2000" doc:"As in the body"`
	Body       *struct {
		_          struct{} `schema:"ReportWithdraw"`
		ReasonCode *string  `json:"reason_code,omitempty" words:"reason_code" doc:"Demanded of an administrator: irrelevant, offensive, personal_data, duplicate_spam, unsafe or other" example:"personal_data"`
		Note       *string  `json:"note,omitempty" maxLength:"2000" doc:"Told to the reporter; demanded for the reason other"`
		Reason     *string  `json:"reason,omitempty" maxLength:"2000" doc:"Why the reporter withdraws it; kept for staff"`
	} `required:"false"`
}

// removal is the reason why a report is withdrawn or removed.
type removal struct {
	code report.ReasonCode // empty where the reporter withdraws it
	note string
}

// removal is what the request says. The body counts before the query.
func (in *withdrawInput) removal() (removal, error) {
	word, note := &in.ReasonCode, &in.Note
	if b := in.Body; b != nil {
		if b.ReasonCode != nil {
			word = b.ReasonCode
		}
		if b.Reason != nil {
			note = b.Reason
		}
		if b.Note != nil {
			note = b.Note
		}
	}
	code, err := reportwrite.ReadReason(word)
	return removal{code: code, note: clean(note)}, err
}

func (g *Group) withdrawReport(ctx context.Context, in *withdrawInput) (*reportwrite.RemovedOutput, error) {
	about, err := in.ID.About()
	if err != nil {
		return nil, err
	}
	why, err := in.removal()
	if err != nil {
		return nil, err
	}
	caller := identity.Must(ctx)
	var h *reportwrite.Locked
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		if h, err = lockVisible(ctx, tx, about, in.IfMatch); err != nil {
			return err
		}
		if err := mayTakeAway(h, caller); err != nil {
			return err
		}
		if h.ReportedBy(caller) && h.Status == report.Pending {
			why.code = "" // withdrawn
		} else if err := reportwrite.CheckReason(why.code, why.note); err != nil {
			return err
		}
		return g.tombstone(ctx, tx, h, caller, why)
	})
	if err != nil {
		return nil, err
	}
	message := "message.report_removed"
	if why.code == "" {
		message = "message.report_withdrawn"
	}
	return reportwrite.Removed(ctx, message, h.Receipt(ctx, g.receipts, caller)), nil
}

// mayTakeAway refuses callers who may not withdraw the report or take a picture off it.
func mayTakeAway(h *reportwrite.Locked, c identity.Caller) error {
	if h.ReportedBy(c) && h.Status == report.Pending {
		return nil
	}
	admin, err := c.IsAdmin()
	switch {
	case err != nil:
		return err
	case admin:
		return nil
	case h.ReportedBy(c):
		return errNotEditable
	}
	return errForbidden
}

// tombstone hides a report from everybody, appends the withdrawal to the ledger, and tells the reporter and the reporters
// of its duplicates.
func (g *Group) tombstone(ctx context.Context, tx *outbox.Tx, h *reportwrite.Locked, c identity.Caller, why removal) error {
	const remove = `UPDATE reports SET deleted_at = now(), reason_code = nullif($2, ''), removal_note = nullif($3, ''), removed_at = now(), removed_by = $4, version = version + 1,
		updated_at = now() WHERE id = $1`
	by := report.RemovedByAdmin
	if why.code == "" {
		by = report.RemovedByReporter
	}
	tx.Queue(remove, h.ID, why.code, why.note, by)
	actor := actorOn(c, h)
	if why.code != "" {
		actor = report.ActorOf(c) // also of an own report: the administrator removes it, and gives a reason
	}
	g.renditions.DiscardOfReport(tx, h.ID)
	h.SettleAllFlags(tx, actor)
	if err := h.ReviewDuplicates(ctx, tx, &c.UserID); err != nil {
		return err
	}
	if err := h.TellRemoved(ctx, tx, why.code, why.note, c.UserID); err != nil {
		return err
	}
	const count = `UPDATE users SET reports_count = greatest(0, reports_count - 1),
		fixed_reports_count = greatest(0, fixed_reports_count - $2) WHERE id = $1`
	fixed := 0
	if h.Status == report.Fixed {
		fixed = 1
	}
	tx.Queue(count, h.UserID, fixed)
	tx.Queue(`DELETE FROM report_followers WHERE via_report = $1`, h.ID)
	event := ledger.Event{Type: ledger.Withdrawn, Note: why.note, ReasonCode: string(why.code)}
	h.Event(tx, event, actor)
	if why.code == "" {
		return nil
	}
	return audit.Record(ctx, tx, audit.Entry{Action: "report.withdraw", Entity: "report", EntityID: h.ID.String(),
		Before: map[string]any{"status": h.Status}, After: map[string]any{"reason_code": why.code, "note": why.note}})
}
