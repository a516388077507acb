package reportwrite

import "github.com/lafaekstreet/backend/shared/outbox"

// ReviewDuplicates has a person look at the duplicates of a report that goes out of sight, with the next statement of
// w: nobody works on a duplicate, so that whoever rejects or withdraws the original would hide them all with it.
// Their status is for a moderator to change (rule); until then they wait in the queue as needs_review.
func (h *Locked) ReviewDuplicates(tx *outbox.Tx) {
	const q = `UPDATE reports SET ai_status = 'needs_review', version = version + 1, updated_at = now()
		WHERE duplicate_of = $1 AND deleted_at IS NULL`
	tx.Queue(q, h.ID)
}
