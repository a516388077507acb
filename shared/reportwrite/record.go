package reportwrite

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/report"
)

// write writes the history, the ledger event and the audit entry of a move from another status. It returns the row of the history.
func (m Move) write(ctx context.Context, tx *outbox.Tx, h *Locked, from report.Status) (uuid.UUID, error) {
	seq := h.Event(tx, ledger.Event{Type: ledger.StatusMoved, OldStatus: string(from), Note: m.Note, ReasonCode: string(m.Reason)}, m.By)
	event := History(tx, h.ID, &from, m.To, m.By, m.Note, seq)
	if m.By.UserID == nil {
		return event, nil
	}
	return event, audit.Record(ctx, tx, audit.Entry{Action: "report.status", Entity: "report", EntityID: h.ID.String(),
		Before: map[string]any{"status": from}, After: map[string]any{"status": m.To, "duplicate_of": h.DuplicateOf, "agency_id": h.AssignedAgency, "reason_code": m.Reason}})
}

// record is write, and notifies of the move.
func (m Move) record(ctx context.Context, tx *outbox.Tx, h *Locked, from report.Status) error {
	event, err := m.write(ctx, tx, h, from)
	if err != nil {
		return err
	}
	if m.To == report.Rejected {
		note := m.Note
		if m.By.Kind == report.ActorAI { // its note says what the reason code says
			note = ""
		}
		params := reasonParams(h, m.Reason, note)
		params[notification.ParamStatus] = string(m.To)
		if h.Appealed {
			params[notification.ParamVariant] = string(notification.Final)
		}
		if err := h.tellReporter(ctx, tx, notification.ReportRejected, "status:"+event.String(), params, m.By.UserID); err != nil {
			return err
		}
		if err := h.tellGone(tx, notification.ReportRejected, "status:"+event.String(), m.Reason, m.By.UserID); err != nil {
			return err
		}
		return h.ReviewDuplicates(ctx, tx, m.By.UserID)
	}
	if err := m.tellAlerts(ctx, tx, h, from); err != nil {
		return err
	}
	params := map[string]string{notification.ParamReportNumber: h.Number, notification.ParamStatus: string(m.To)}
	if m.Note != "" && !m.Internal {
		params[notification.ParamNote] = sentence(m.Note)
	}
	if m.To == report.Duplicate {
		params["original_number"] = h.original.Number
	}
	return h.Notify(ctx, tx, notificationType(m.To), "status:"+event.String(), params, actorsOf(m.By.UserID)...)
}

// tellAlerts asks notify to tell the people whose alerts the report is within that it got its verdict, or was fixed. There can be
// very many of them, so the transaction does not look for them.
func (m Move) tellAlerts(ctx context.Context, tx *outbox.Tx, h *Locked, from report.Status) error {
	var event notification.AlertEvent
	switch {
	case from == report.Pending && m.To == report.Verified:
		event = notification.AlertNew
	case m.To == report.Fixed:
		event = notification.AlertFixed
	default:
		return nil
	}
	return tx.Send(ctx, queue.Notify, queue.NotifyMessage{Alert: &queue.AlertMessage{ReportID: h.ID, Event: string(event)}})
}

// sentence adds a full stop to a text that has no end mark: in a notification another sentence follows it.
func sentence(text string) string {
	for _, end := range []string{".", "!", "?", "…"} {
		if strings.HasSuffix(text, end) {
			return text
		}
	}
	return text + "."
}

func notificationType(to report.Status) notification.Type {
	switch to {
	case report.Verified:
		return notification.ReportVerified
	case report.Fixed:
		return notification.ReportFixed
	case report.Duplicate:
		return notification.ReportDuplicate
	}
	return notification.ReportStatusChanged
}

// History adds a row to a report's status history and returns the row's id; from is nil for a new report. seq is the event
// that vouches for the row.
func History(tx *outbox.Tx, id uuid.UUID, from *report.Status, to report.Status, by report.Actor, note string, seq int) uuid.UUID {
	row := database.NewID()
	const q = `
		INSERT INTO report_status_history (id, report_id, old_status, new_status, actor_kind, actor_id, agency_id, note, seq)
		VALUES ($1, $2, $3, $4, $5, $6, $7, nullif($8, ''), $9)`
	tx.Queue(q, row, id, from, to, by.Kind, by.UserID, by.AgencyID, note, seq)
	return row
}

// Notify notifies a report's author, everybody who follows it and, where it is an original, the reporters of its duplicates,
// but nobody in except. Whoever acts gets no notice of it, so except has the actor.
func (h *Locked) Notify(ctx context.Context, tx *outbox.Tx, t notification.Type, eventKey string, params map[string]string, except ...uuid.UUID) error {
	return h.notify(ctx, tx, notification.New{Type: t, EventKey: eventKey, Params: params}, except...)
}

// notify is Notify with the members of n; it sets the person and the report, and the variant for who is not the author.
func (h *Locked) notify(ctx context.Context, tx *outbox.Tx, n notification.New, except ...uuid.UUID) error {
	n.ReportID = h.ID
	others := n
	others.Params = followed(n.Type, n.Params)
	people := map[uuid.UUID]notification.New{}
	for _, f := range h.followers {
		people[f.User] = others
	}
	if h.UserID != nil {
		people[*h.UserID] = n
	}
	for _, person := range slices.SortedFunc(maps.Keys(people), func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }) {
		if slices.Contains(except, person) {
			continue
		}
		one := people[person]
		one.UserID = person
		if err := notification.Add(ctx, tx, one); err != nil {
			return err
		}
	}
	if err := h.tellContact(tx, n); err != nil {
		return err
	}
	return notification.AddToFollowers(tx, others, except...) // who was told above is not told again
}

// followed returns params with the variant for readers who did not make the report, where the type has one.
func followed(t notification.Type, params map[string]string) map[string]string {
	if !slices.Contains(notification.Variants(t), notification.Followed) {
		return params
	}
	out := maps.Clone(params)
	out[notification.ParamVariant] = string(notification.Followed)
	return out
}

// tellGone tells those who follow the report that it was taken down, and for which reason. What was written about it is for
// its reporter alone.
func (h *Locked) tellGone(tx *outbox.Tx, t notification.Type, eventKey string, code report.ReasonCode, actor *uuid.UUID) error {
	except := actorsOf(actor)
	if h.UserID != nil {
		except = append(except, *h.UserID)
	}
	return notification.AddToFollowers(tx, notification.New{Type: t, EventKey: eventKey, ReportID: h.ID, Params: followed(t, reasonParams(h, code, ""))}, except...)
}

// NotifyReporter is Notify of the author alone.
func (h *Locked) NotifyReporter(ctx context.Context, tx *outbox.Tx, t notification.Type, eventKey string, params map[string]string, actor uuid.UUID) error {
	return h.tellReporter(ctx, tx, t, eventKey, params, &actor)
}

// tellReporter notifies the author alone, unless the author is the actor.
func (h *Locked) tellReporter(ctx context.Context, tx *outbox.Tx, t notification.Type, eventKey string, params map[string]string, actor *uuid.UUID) error {
	n := notification.New{Type: t, EventKey: eventKey, ReportID: h.ID, Params: params}
	switch {
	case h.UserID == nil:
		return h.tellContact(tx, n)
	case actor != nil && *actor == *h.UserID:
		return nil
	}
	n.UserID = *h.UserID
	return notification.Add(ctx, tx, n)
}

// actorsOf is the list of an actor; empty for the AI.
func actorsOf(actor *uuid.UUID) []uuid.UUID {
	if actor == nil {
		return nil
	}
	return []uuid.UUID{*actor}
}

func reasonParams(h *Locked, code report.ReasonCode, note string) map[string]string {
	params := map[string]string{notification.ParamReportNumber: h.Number, notification.ParamReason: string(code)}
	if note != "" {
		params[notification.ParamNote] = sentence(note)
	}
	return params
}
