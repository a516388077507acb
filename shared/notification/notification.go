// Package notification tells people what happened: one in-app row a person and
// event, and from it mail and push. A row holds what happened, not a text: the
// text is made when it is read, in the reader's language.
package notification

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
)

// Type is what a notification is about; its text is the wire form.
type Type string

// The types of notifications.
const (
	ReportReceived      Type = "report_received"
	ReportVerified      Type = "report_verified"
	ReportRejected      Type = "report_rejected"
	ReportStatusChanged Type = "report_status_changed"
	ReportFixed         Type = "report_fixed"
	ReportAssigned      Type = "report_assigned"
	ReportDuplicate     Type = "report_duplicate"
	CommentAdded        Type = "comment_added"
	BlockchainConfirmed Type = "blockchain_confirmed"
	Announcement        Type = "announcement"
)

// Types lists all of them.
func Types() []Type {
	return []Type{ReportReceived, ReportVerified, ReportRejected, ReportStatusChanged, ReportFixed, ReportAssigned,
		ReportDuplicate, CommentAdded, BlockchainConfirmed, Announcement}
}

// New is something one person is to be told.
type New struct {
	UserID uuid.UUID
	Type   Type
	// EventKey names what happened, once for all time: "status:<history id>",
	// "comment:<comment id>". Adding the same event again for the same person does nothing.
	EventKey string
	ReportID uuid.UUID // uuid.Nil when it is about no report
	// Params fill the texts; see Text for the names it reads.
	Params map[string]string
	// Quiet keeps it to the in-app list: neither mailed nor pushed to anybody.
	Quiet bool
}

// Add writes the in-app row and, unless it is quiet, the message that has it
// delivered by mail and push, in the unit of work of what happened. It does nothing for an event the
// person was told before, and nothing for an erased account. A notification about a report carries its number.
// It runs with the next statement of w, or its commit.
func Add(_ context.Context, tx *outbox.Tx, n New) error {
	params := n.Params
	if params == nil {
		params = map[string]string{}
	}
	raw, err := json.Marshal(params)
	if err != nil {
		return fmt.Errorf("encode notification: %w", err)
	}
	id := database.NewID()
	const insert = `
		INSERT INTO notifications (id, user_id, type, event_key, report_id, params)
		SELECT $1, u.id, $3, $4, r.id, $6::jsonb || CASE WHEN r.id IS NULL THEN '{}' ELSE jsonb_build_object('report_number', r.report_number) END
		FROM users u LEFT JOIN reports r ON r.id = $5
		WHERE u.id = $2 AND u.deleted_at IS NULL
		ON CONFLICT (user_id, event_key) DO NOTHING RETURNING id`
	report := uuid.NullUUID{UUID: n.ReportID, Valid: n.ReportID != uuid.Nil}
	args := []any{id, n.UserID, string(n.Type), n.EventKey, report, string(raw)}
	if n.Quiet {
		tx.Queue(insert, args...)
		return nil
	}
	return tx.SendIf(queue.Notify, queue.NotifyMessage{NotificationID: &id}, insert, args...)
}
