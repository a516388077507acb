package reportwrite

import (
	"context"

	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
)

// Uphold keeps a rejected report rejected, for the reason of the person who has looked at it again. That is no change of
// status; where the reporter had appealed, it is their answer, and they are told. Reports are appealed once, and so
// answered once.
func (h *Held) Uphold(ctx context.Context, w *outbox.Work, reason string, appealed bool) error {
	w.Later(`UPDATE reports SET rejection_reason = $2 WHERE id = $1`, h.ID, reason)
	if !appealed {
		return nil
	}
	return h.Tell(ctx, w, notification.ReportRejected, "upheld:"+h.ID.String(), map[string]string{
		notification.ParamReportNumber: h.Number, notification.ParamReason: sentence(reason)})
}
