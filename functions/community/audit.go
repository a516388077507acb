package community

import (
	"context"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/outbox"
)

// auditOfficial records that somebody spoke for an agency or the operators; not what they said.
func auditOfficial(ctx context.Context, tx *outbox.Tx, c Comment) error {
	return audit.Record(ctx, tx, audit.Entry{
		Action: "comment.add", Entity: "comment", EntityID: c.ID.String(), After: map[string]any{"report_id": c.ReportID},
	})
}

// auditRemoval records that staff removed somebody else's comment; not what it said.
func auditRemoval(ctx context.Context, tx *outbox.Tx, comment string, reportID uuid.UUID) error {
	return audit.Record(ctx, tx, audit.Entry{
		Action: "comment.remove", Entity: "comment", EntityID: comment, Before: map[string]any{"report_id": reportID},
	})
}
