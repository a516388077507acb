package report

import "github.com/danielgtaylor/huma/v2"

// Queue is a list of reports that wait for staff.
type Queue string

// The queues.
const (
	QueueNew         Queue = "new"          // open, without an agency, and not for review
	QueueNeedsReview Queue = "needs_review" // a person has to judge: see NeedsReviewSQL
	QueueFlagged     Queue = "flagged"      // somebody says that it should not be shown
	QueueAssigned    Queue = "assigned"     // open, and an agency has it
	QueueMine        Queue = "mine"         // open, and assigned to the caller
	QueueOverdue     Queue = "overdue"      // open, and past its due date, which does not wait
)

// Queues lists them.
func Queues() []Queue {
	return []Queue{QueueNew, QueueNeedsReview, QueueFlagged, QueueAssigned, QueueMine, QueueOverdue}
}

// Schema implements huma.SchemaProvider.
func (Queue) Schema(huma.Registry) *huma.Schema {
	return enumSchema("A list of reports that wait for staff", Queues())
}

// The texts below are conditions on reports r. A report that is withdrawn or removed is in no queue.
const (
	// OpenSQL is true for a report that nobody has closed.
	OpenSQL = `(r.deleted_at IS NULL AND r.status IN ('pending', 'verified', 'in_progress'))`

	// NeedsReviewSQL is true for the queue needs_review: the AI was not sure or failed, there is no picture, the reporter appealed,
	// the original of a duplicate is gone, or the AI was not sure about a later picture. A rejected report is there with an appeal only.
	NeedsReviewSQL = `(r.deleted_at IS NULL AND r.ai_status IN ('needs_review', 'failed') AND (r.status = 'pending'
		OR r.status = 'rejected' AND r.appealed_at IS NOT NULL
		OR r.status IN ('duplicate', 'verified', 'in_progress', 'fixed') AND r.ai_status = 'needs_review'))`

	// NewSQL is true for the queue new.
	NewSQL = `(` + OpenSQL + ` AND r.assigned_agency_id IS NULL AND r.ai_status <> 'needs_review' AND (r.ai_status <> 'failed' OR r.status <> 'pending'))`

	// FlaggedSQL is true for the queue flagged.
	FlaggedSQL = `(r.deleted_at IS NULL AND r.flags_count > 0 AND r.status <> 'rejected')`

	// AssignedSQL is true for the queue assigned.
	AssignedSQL = `(` + OpenSQL + ` AND r.assigned_agency_id IS NOT NULL)`

	// OverdueSQL is true for the queue overdue. A deadline waits while a report is handed back.
	OverdueSQL = `(` + OpenSQL + ` AND r.due_at < now() AND r.due_paused_at IS NULL)`

	// DueTodaySQL is true for a report that is due later today, by the calendar of Dili.
	DueTodaySQL = `(` + OpenSQL + ` AND r.due_paused_at IS NULL AND r.due_at >= now()
		AND r.due_at < (date_trunc('day', now() AT TIME ZONE 'Asia/Dili') + interval '1 day') AT TIME ZONE 'Asia/Dili')`
)
