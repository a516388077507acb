package reportwrite

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
)

// record writes the history, the ledger event, the audit entry and the notifications of a move from another status.
func (m Move) record(ctx context.Context, tx *outbox.Tx, h *Locked, from report.Status) error {
	event := History(tx, h.ID, &from, m.To, m.By, m.Note)
	if err := h.Event(ctx, tx, ledger.Event{Type: ledger.StatusMoved, At: h.At, OldStatus: string(from)}, m.By); err != nil {
		return err
	}
	if m.By.UserID != nil {
		err := audit.Record(ctx, tx, audit.Entry{Action: "report.status", Entity: "report", EntityID: h.ID.String(),
			Before: map[string]any{"status": from}, After: map[string]any{"status": m.To, "duplicate_of": h.DuplicateOf}})
		if err != nil {
			return err
		}
	}
	params := map[string]string{notification.ParamReportNumber: h.Number, notification.ParamStatus: string(m.To)}
	if m.Note != "" {
		params[notification.ParamReason] = sentence(m.Note)
	}
	if m.To == report.Duplicate {
		params["original_number"] = h.original.Number
	}
	return h.Notify(ctx, tx, notificationType(m.To), "status:"+event.String(), params)
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
	case report.Rejected:
		return notification.ReportRejected
	case report.Fixed:
		return notification.ReportFixed
	case report.Duplicate:
		return notification.ReportDuplicate
	}
	return notification.ReportStatusChanged
}

// History adds a row to a report's status history and returns the row's id; from is nil for a new report.
func History(tx *outbox.Tx, id uuid.UUID, from *report.Status, to report.Status, by report.Actor, note string) uuid.UUID {
	row := database.NewID()
	const q = `
		INSERT INTO report_status_history (id, report_id, old_status, new_status, actor_kind, actor_id, agency_id, note)
		VALUES ($1, $2, $3, $4, $5, $6, $7, nullif($8, ''))`
	tx.Queue(q, row, id, from, to, by.Kind, by.UserID, by.AgencyID, note)
	return row
}

// Notify notifies a report's author and, where it is an original, the reporters of its duplicates, but nobody in except.
func (h *Locked) Notify(ctx context.Context, tx *outbox.Tx, t notification.Type, eventKey string, params map[string]string, except ...uuid.UUID) error {
	people := slices.Clone(h.followers)
	if h.UserID != nil {
		people = append(people, *h.UserID)
	}
	slices.SortFunc(people, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	for _, person := range slices.Compact(people) {
		if slices.Contains(except, person) {
			continue
		}
		n := notification.New{UserID: person, Type: t, EventKey: eventKey, ReportID: h.ID, Params: params}
		if err := notification.Add(ctx, tx, n); err != nil {
			return err
		}
	}
	return nil
}
