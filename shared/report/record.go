package report

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/ids"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
)

// record writes down that the move happened, for everybody who keeps account.
func (m Move) record(ctx context.Context, w *outbox.Work, h Held, originalNumber string, at time.Time) error {
	event := History(w, h.ID, &h.Status, m.To, m.By, m.Note)
	moved := ledger.Event{ReportID: h.ID, Type: ledger.StatusMoved, At: at, OldStatus: string(h.Status)}
	if err := Event(ctx, w, moved, m.By); err != nil {
		return err
	}
	if m.By.UserID != nil {
		err := audit.Record(ctx, w, audit.Entry{Action: "report.status", Entity: "report", EntityID: h.ID.String(),
			Before: map[string]any{"status": h.Status}, After: map[string]any{"status": m.To, "duplicate_of": m.DuplicateOf}})
		if err != nil {
			return err
		}
	}
	params := map[string]string{notification.ParamReportNumber: h.Number, notification.ParamStatus: string(m.To)}
	if m.Note != "" {
		params[notification.ParamReason] = sentence(m.Note)
	}
	if originalNumber != "" {
		params["original_number"] = originalNumber
	}
	return Tell(ctx, w, h, typeOf(m.To), "status:"+event.String(), params)
}

// sentence ends a text with a full stop, for the texts that go on after it.
func sentence(text string) string {
	for _, end := range []string{".", "!", "?", "…"} {
		if strings.HasSuffix(text, end) {
			return text
		}
	}
	return text + "."
}

func typeOf(to Status) notification.Type {
	switch to {
	case Verified:
		return notification.ReportVerified
	case Rejected:
		return notification.ReportRejected
	case Fixed:
		return notification.ReportFixed
	case Duplicate:
		return notification.ReportDuplicate
	}
	return notification.ReportStatusChanged
}

// History adds a row to a report's status history with the next statement of w, and returns its id; from is nil for the creation.
func History(w *outbox.Work, id uuid.UUID, from *Status, to Status, by Actor, note string) uuid.UUID {
	row := ids.New()
	const q = `
		INSERT INTO report_status_history (id, report_id, old_status, new_status, actor_kind, actor_id, agency_id, note)
		VALUES ($1, $2, $3, $4, $5, $6, $7, nullif($8, ''))`
	w.Later(q, row, id, from, to, by.Kind, by.UserID, by.AgencyID, note)
	return row
}

// Tell notifies a report's author and, where it is an original, the reporters
// of its duplicates; but nobody of what they did themselves.
func Tell(ctx context.Context, w *outbox.Work, h Held, t notification.Type, eventKey string, params map[string]string, except ...uuid.UUID) error {
	const q = `SELECT user_id FROM reports WHERE id = $1 AND user_id IS NOT NULL
		UNION SELECT user_id FROM report_followers WHERE report_id = $1 ORDER BY 1`
	rows, err := w.Query(ctx, q, h.ID)
	if err != nil {
		return fmt.Errorf("find who to tell: %w", err)
	}
	people, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return fmt.Errorf("find who to tell: %w", err)
	}
	for _, person := range people {
		if slices.Contains(except, person) {
			continue
		}
		n := notification.New{UserID: person, Type: t, EventKey: eventKey, ReportID: h.ID, Params: params}
		if err := notification.Add(ctx, w, n); err != nil {
			return err
		}
	}
	return nil
}

// Event appends to a report's ledger events what actor caused. Call it after the change.
func Event(ctx context.Context, w *outbox.Work, e ledger.Event, actor Actor) error {
	e.Actor = ledger.Actor{Kind: string(actor.Kind), AgencyID: actor.AgencyID}
	_, err := ledger.Append(ctx, w, e)
	return err
}
