package reportwrite

import (
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
)

// tellContact mails the person for whom staff filed the report what its reporter would be told. Nobody is mailed where the report
// has a reporter, where there is no address, or where the person ended these mails.
func (h *Locked) tellContact(tx *outbox.Tx, n notification.New) error {
	if h.UserID != nil || n.Quiet {
		return nil
	}
	m := queue.ContactMail{ReportID: h.ID, Type: string(n.Type), EventKey: n.EventKey, Params: n.Params}
	const wants = `SELECT 1 FROM report_contacts WHERE report_id = $1 AND email IS NOT NULL AND muted_at IS NULL AND claimed_at IS NULL`
	return tx.SendIf(queue.Notify, queue.NotifyMessage{Contact: &m}, wants, h.ID)
}
