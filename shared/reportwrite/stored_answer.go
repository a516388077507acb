package reportwrite

import (
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
)

// emptyAnswers empties the answers that are stored under an Idempotency-Key for whoever disputed a repair, when an event hides
// something of the report or takes it down: a repeated request would get the words and pictures again. The rows stay, so that
// the request is not carried out a second time; it gets 410 "answer_erased". Other stored answers that have a report are those
// of its reporter and of staff, who still see it.
func (h *Locked) emptyAnswers(tx *outbox.Tx, event ledger.Type) {
	if event != ledger.Hidden && event != ledger.Withdrawn && (event != ledger.StatusMoved || h.Status != report.Rejected && h.Status != report.Pending) {
		return
	}
	const q = `
		UPDATE idempotency_keys k SET response = '', status = 410 FROM report_disputes d
		 WHERE d.report_id = $1 AND d.user_id IS DISTINCT FROM $2 AND k.owner = d.user_id::text AND k.status IS NOT NULL
		   AND position(convert_to($1::uuid::text, 'UTF8') IN k.response) > 0`
	tx.Queue(q, h.ID, h.UserID)
}
