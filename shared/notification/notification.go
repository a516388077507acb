// Package notification adds notifications: one row for each person and event, shown
// in the app and delivered by mail and push. A row holds the type and parameters of
// the event. The text is made when it is read, in the reader's language.
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

// Type is the kind of event; its value is used in JSON and in the database.
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

// New is a notification to add for one person.
type New struct {
	UserID uuid.UUID
	Type   Type
	// EventKey identifies the event: "status:<history id>", "comment:<comment id>".
	// Adding the same event again for the same person does nothing.
	EventKey string
	ReportID uuid.UUID // uuid.Nil if it is about no report
	// Params are put into the texts; see Text for the names it reads.
	Params map[string]string
	// Quiet notifications are shown in the app only; no mail or push message is sent.
	Quiet bool
}

// Add queues the insert of a notification in tx, and unless it is quiet the message to
// the notify queue. Both take effect with the commit of tx. Nothing is added if the
// person has a notification of this event already, or if the account was deleted. The
// parameters of a notification about a report include the report's number.
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
