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
		"By the reporter while it is pending, and by administrators. It is no longer shown; the ledger still says that it existed."), g.withdrawReport)
}

type withdrawInput struct {
	report.RefInput
	IfMatch string `header:"If-Match" doc:"Only when the report is still as this ETag"`
}

func (g *Group) withdrawReport(ctx context.Context, in *withdrawInput) (*httpapi.MessageOutput, error) {
	about, err := in.ID.About()
	if err != nil {
		return nil, err
	}
	caller := identity.Must(ctx)
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		h, err := lockVisible(ctx, tx, about, in.IfMatch)
		if err != nil {
			return err
		}
		switch {
		case caller.Role == identity.Admin:
		case !h.ReportedBy(caller):
			return errForbidden
		case h.Status != report.Pending:
			return errNotEditable
		}
		return g.tombstone(ctx, tx, h, caller)
	})
	if err != nil {
		return nil, err
	}
	return httpapi.Message(ctx, "message.report_withdrawn"), nil
}

// tombstone hides a report from everybody and appends the withdrawal to the ledger.
func (g *Group) tombstone(ctx context.Context, tx *outbox.Tx, h *reportwrite.Locked, c identity.Caller) error {
	tx.Queue(`UPDATE reports SET deleted_at = now(), version = version + 1, updated_at = now() WHERE id = $1`, h.ID)
	h.ReviewDuplicates(tx)
	const count = `UPDATE users SET reports_count = greatest(0, reports_count - 1),
		fixed_reports_count = greatest(0, fixed_reports_count - $2) WHERE id = $1`
	fixed := 0
	if h.Status == report.Fixed {
		fixed = 1
	}
	tx.Queue(count, h.UserID, fixed)
	tx.Queue(`DELETE FROM report_followers WHERE via_report = $1`, h.ID)
	if err := h.Event(ctx, tx, ledger.Event{Type: ledger.Withdrawn, At: h.At}, actorOn(c, h)); err != nil {
		return err
	}
	if h.ReportedBy(c) {
		return nil
	}
	return audit.Record(ctx, tx, audit.Entry{Action: "report.withdraw", Entity: "report", EntityID: h.ID.String(),
		Before: map[string]any{"status": h.Status}})
}
