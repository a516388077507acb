package ledger

import (
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/webhook"
)

// webhookEvents are the events for receivers outside that e is, of a report that has a status now; the most special one first, nil
// for none. A verdict of the AI is none: the status that it moves and the assignment that it brings are events of their own.
func (e *Event) webhookEvents(status report.Status) []webhook.Event {
	switch e.Type {
	case Submitted:
		return []webhook.Event{webhook.ReportCreated}
	case StatusMoved:
		switch status {
		case report.Verified:
			return []webhook.Event{webhook.ReportVerified, webhook.ReportStatusChanged}
		case report.Rejected:
			return []webhook.Event{webhook.ReportRemoved, webhook.ReportStatusChanged}
		}
		return []webhook.Event{webhook.ReportStatusChanged}
	case Withdrawn:
		return []webhook.Event{webhook.ReportRemoved}
	case Assigned:
		return []webhook.Event{webhook.ReportAssigned}
	case Disputed:
		return []webhook.Event{webhook.ReportDisputed, webhook.ReportStatusChanged}
	case Commented:
		return []webhook.Event{webhook.CommentAdded}
	}
	return nil
}

// emit stores what receivers outside are told of e.
func (c *Chain) emit(tx *outbox.Tx, e Event) {
	names := e.webhookEvents(report.Status(c.Status))
	if names == nil {
		return
	}
	var comment *uuid.UUID
	if e.Comment != nil {
		comment = &e.Comment.ID
	}
	webhook.Emit(tx, webhook.Happening{ReportID: c.id, CommentID: comment, At: e.At, Names: names})
}
