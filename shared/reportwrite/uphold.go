package reportwrite

import (
	"context"

	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
)

// Uphold keeps a rejected report rejected, for the reason of the person who has looked at it again. That is no change of
// status; where the reporter had appealed, it is their answer, and they are told. Reports are appealed once, and so
// answered once.
func (h *Locked) Uphold(ctx context.Context, tx *outbox.Tx, reason string, appealed bool) error {
	tx.Queue(`UPDATE reports SET rejection_reason = $2 WHERE id = $1`, h.ID, reason)
	if !appealed {
		return nil
	}
	return h.Tell(ctx, tx, notification.ReportRejected, "upheld:"+h.ID.String(), map[string]string{
		notification.ParamReportNumber: h.Number, notification.ParamReason: sentence(reason)})
}
