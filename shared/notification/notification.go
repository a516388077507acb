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
	ReportRemoved       Type = "report_removed" // by an administrator
	ReportEdited        Type = "report_edited"  // by staff; a Variant says what
	ReportStatusChanged Type = "report_status_changed"
	ReportFixed         Type = "report_fixed"
	ReportDisputed      Type = "report_disputed" // somebody says that it is not fixed
	ReportAssigned      Type = "report_assigned"
	ReportOverdue       Type = "report_overdue"
	ReportDuplicate     Type = "report_duplicate"
	CommentAdded        Type = "comment_added"
	BlockchainConfirmed Type = "blockchain_confirmed"
	Alert               Type = "alert" // a report at a place of which the person wants to hear
	Announcement        Type = "announcement"
)

// Types lists all of them.
func Types() []Type {
	return []Type{ReportReceived, ReportVerified, ReportRejected, ReportRemoved, ReportEdited, ReportStatusChanged, ReportFixed, ReportDisputed,
		ReportAssigned, ReportOverdue, ReportDuplicate, CommentAdded, BlockchainConfirmed, Alert, Announcement}
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
// parameters of a notification about a report include the report's number and the names of
// the agency that has it at that moment.
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
		SELECT $1, u.id, $3, $4, r.id, ` + reportParamsSQL + ` || $6::jsonb
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

// reportParamsSQL is the parameters that follow from a report r: its number and the names of its agency. Where there is no
// report it is empty.
const reportParamsSQL = `CASE WHEN r.id IS NULL THEN '{}' ELSE jsonb_build_object('report_number', r.report_number) || coalesce((
	SELECT jsonb_build_object('agency', a.name, 'agency_tet', a.name_tet, 'agency_pt', a.name_pt) FROM agencies a WHERE a.id = r.assigned_agency_id), '{}') END`

// AddToFollowers is Add for everybody who follows the report of n (report_follows), but nobody in except. n.UserID is not
// used. One statement adds them all, whatever their number.
func AddToFollowers(tx *outbox.Tx, n New, except ...uuid.UUID) error {
	raw, err := json.Marshal(n.Params)
	if err != nil {
		return fmt.Errorf("encode notification: %w", err)
	}
	const insert = `
		INSERT INTO notifications (id, user_id, type, event_key, report_id, params)
		SELECT gen_random_uuid(), u.id, $2, $3, r.id, ` + reportParamsSQL + ` || $4::jsonb
		FROM report_follows f JOIN users u ON u.id = f.user_id JOIN reports r ON r.id = f.report_id
		WHERE f.report_id = $1 AND u.deleted_at IS NULL AND u.id <> ALL($5::uuid[])
		ORDER BY u.id
		ON CONFLICT (user_id, event_key) DO NOTHING`
	if except == nil {
		except = []uuid.UUID{}
	}
	args := []any{n.ReportID, string(n.Type), n.EventKey, string(raw), except}
	if n.Quiet {
		tx.Queue(insert, args...)
		return nil
	}
	tx.SendSet(queue.Notify, insert+` RETURNING jsonb_build_object('notification_id', id)`, args...)
	return nil
}

// AddEach is Add for several people and events, in one statement. Quiet of its elements is not used.
func AddEach(tx *outbox.Tx, all []New, quiet bool) error {
	if len(all) == 0 {
		return nil
	}
	var (
		people, reports = make([]uuid.UUID, len(all)), make([]uuid.NullUUID, len(all))
		types, keys     = make([]string, len(all)), make([]string, len(all))
		params          = make([]string, len(all))
	)
	for i, n := range all {
		raw, err := json.Marshal(n.Params)
		if err != nil {
			return fmt.Errorf("encode notification: %w", err)
		}
		people[i], types[i], keys[i], params[i] = n.UserID, string(n.Type), n.EventKey, string(raw)
		reports[i] = uuid.NullUUID{UUID: n.ReportID, Valid: n.ReportID != uuid.Nil}
	}
	const insert = `
		INSERT INTO notifications (id, user_id, type, event_key, report_id, params)
		SELECT gen_random_uuid(), u.id, x.type, x.key, r.id, ` + reportParamsSQL + ` || x.params::jsonb
		FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[]) x (person, type, key, report, params)
		JOIN users u ON u.id = x.person AND u.deleted_at IS NULL LEFT JOIN reports r ON r.id = x.report
		ON CONFLICT (user_id, event_key) DO NOTHING`
	args := []any{people, types, keys, reports, params}
	if quiet {
		tx.Queue(insert, args...)
		return nil
	}
	tx.SendSet(queue.Notify, insert+` RETURNING jsonb_build_object('notification_id', id)`, args...)
	return nil
}
