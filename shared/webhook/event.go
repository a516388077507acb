// Package webhook has the events of reports that receivers outside are told of, and the secrets that sign the calls. The functions
// that change reports store a delivery for each receiver; the worker webhooks makes the calls.
package webhook

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
)

// Event is what happened, as receivers read it in "type".
type Event string

// The events.
const (
	ReportCreated       Event = "report.created"
	ReportVerified      Event = "report.verified"
	ReportStatusChanged Event = "report.status_changed" // to a status that has no event of its own, or for whoever does not take that
	ReportAssigned      Event = "report.assigned"
	ReportRemoved       Event = "report.removed" // rejected, withdrawn, or removed by an administrator
	ReportDisputed      Event = "report.disputed"
	CommentAdded        Event = "comment.added"
)

// Events lists all of them.
func Events() []Event {
	return []Event{ReportCreated, ReportVerified, ReportStatusChanged, ReportAssigned, ReportRemoved, ReportDisputed, CommentAdded}
}

// ParseEvent reads an event, ignoring case and separators. It is false for an unknown word.
func ParseEvent(word string) (Event, bool) {
	plain := strings.NewReplacer(" ", "", "-", "", "_", "", ".", "")
	for _, e := range Events() {
		if strings.EqualFold(plain.Replace(word), plain.Replace(string(e))) {
			return e, true
		}
	}
	return "", false
}

// Happening is something that happened to a report.
type Happening struct {
	ReportID uuid.UUID
	// CommentID is the comment of CommentAdded.
	CommentID *uuid.UUID
	At        time.Time
	// Names are the events that it is, the most special one first. A webhook that takes several of them gets the first.
	Names []Event
}

// privateColumns of reports are not needed to say what everybody may see. original_words is kept as a mark: it says that a
// moderator changed the words.
const privateColumns = `'{position,user_id,client_id,content_hash,accepted_hashes,device_info,dropped_uploads,original_words,removal_note,appeal_reason,assigned_user_id}'::text[]`

// Emit stores a delivery for each webhook that takes a happening, with the state in which the transaction leaves the report, and
// sends the messages to the worker after the commit. It reads nothing: the statement runs in the round trip of the commit, and
// without a webhook it does nothing. A webhook that is being deleted is waited for, and gets no delivery: FOR KEY SHARE.
func Emit(tx *outbox.Tx, h Happening) {
	const insert = `
		INSERT INTO webhook_deliveries (id, webhook_id, report_id, comment_id, event_type, occurred_at, snapshot)
		SELECT gen_random_uuid(), w.id, r.id, $4,
			(SELECT name FROM unnest($2::text[]) WITH ORDINALITY AS t (name, place) WHERE name = ANY (w.events) ORDER BY place LIMIT 1), $3,
			to_jsonb(r) - ` + privateColumns + ` || CASE WHEN r.original_words IS NULL THEN '{}' ELSE '{"original_words": {}}'::jsonb END
		FROM webhooks w JOIN reports r ON r.id = $1 WHERE w.enabled AND w.events && $2::text[] ORDER BY w.id FOR KEY SHARE OF w
		RETURNING jsonb_build_object('webhook_id', webhook_id)`
	tx.SendSetLast(queue.Webhooks, insert, h.ReportID, h.Names, h.At, h.CommentID)
}
