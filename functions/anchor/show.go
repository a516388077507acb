package anchor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
)

const (
	// showPage is the most events of one transaction, maxPages the most pages of one round.
	showPage = 500
	maxPages = 40
)

// shown is a message whose reports do not all show its state yet.
type shown struct {
	ID    uuid.UUID
	State ledger.MessageState
	Size  int64
	From  int64 // the reports of earlier events show it
}

// show brings reports.blockchain_status up to the messages, page by page, and tells the reporters of reports that the ledger
// has confirmed. A round that ends in between is continued by the next.
func (r *round) show(ctx context.Context) error {
	for range maxPages {
		const next = `
SELECT id, state, size, shown FROM log_messages WHERE shown < size AND state IN ('submitted', 'reached', 'confirmed', 'failed') ORDER BY id LIMIT 1`
		rows, _ := r.DB.Query(ctx, next)
		s, err := pgx.CollectOneRow(rows, pgx.RowToStructByPos[shown])
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look for states to show: %w", err)
		}
		if err := r.Outbox.Do(ctx, func(tx *outbox.Tx) error { return showOn(ctx, tx, s) }); err != nil {
			return ignoreLost(err)
		}
	}
	r.wakeAt(r.Clock.Now().Add(time.Second))
	return nil
}

// showOn does one page of s.
func showOn(ctx context.Context, tx *outbox.Tx, s shown) error {
	to := min(s.From+showPage, s.Size)
	// The order of the ids prevents deadlocks. A statement of its own: the next sees what the holders of the locks committed.
	const lock = `
SELECT FROM reports WHERE id IN (SELECT report_id FROM ledger_events WHERE log_index >= $1 AND log_index < $2) ORDER BY id FOR NO KEY UPDATE`
	if _, err := tx.Exec(ctx, lock, s.From, to); err != nil {
		return fmt.Errorf("lock reports: %w", err)
	}
	status, instead := statusFor(s.State)
	const update = `
UPDATE reports r SET blockchain_status = $3
WHERE r.id IN (SELECT report_id FROM ledger_events WHERE log_index >= $1 AND log_index < $2) AND r.blockchain_status = ANY($4)
  AND (SELECT n.log_index FROM ledger_events n WHERE n.report_id = r.id ORDER BY n.seq DESC LIMIT 1) < $5`
	if _, err := tx.Exec(ctx, update, s.From, to, status, instead, s.Size); err != nil {
		return fmt.Errorf("show ledger status on reports: %w", err)
	}
	if s.State == ledger.MessageConfirmed {
		if err := notifyReporters(ctx, tx, s.From, to); err != nil {
			return err
		}
	}
	const mark = `UPDATE log_messages SET shown = $4 WHERE id = $1 AND state = $2 AND shown = $3`
	tag, err := tx.Exec(ctx, mark, s.ID, s.State, s.From, to)
	if err != nil {
		return fmt.Errorf("mark reports shown: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return errLeaseLost
	}
	return nil
}

// statusFor is what reports show for a message's state, and which statuses it takes the place of. A report with an event that
// the message does not cover keeps its status.
func statusFor(state ledger.MessageState) (report.LedgerStatus, []report.LedgerStatus) {
	switch state {
	case ledger.MessageConfirmed:
		return report.LedgerConfirmed, []report.LedgerStatus{report.LedgerQueued, report.LedgerSubmitting, report.LedgerSubmitted, report.LedgerFailed}
	case ledger.MessageFailed:
		return report.LedgerFailed, []report.LedgerStatus{report.LedgerQueued, report.LedgerSubmitting, report.LedgerSubmitted}
	}
	return report.LedgerSubmitted, []report.LedgerStatus{report.LedgerQueued, report.LedgerSubmitting, report.LedgerFailed}
}

// notifyReporters notifies the reporters of the reports that were submitted by the events. Those that an earlier version had
// confirmed were told then.
func notifyReporters(ctx context.Context, tx *outbox.Tx, from, to int64) error {
	const query = `
SELECT r.id, r.user_id, r.report_number FROM ledger_events e JOIN reports r ON r.id = e.report_id
WHERE e.log_index >= $1 AND e.log_index < $2 AND e.event_type = 'REPORT_SUBMITTED' AND r.user_id IS NOT NULL AND r.deleted_at IS NULL
  AND NOT EXISTS (SELECT FROM ledger_anchors a JOIN ledger_submissions s ON s.id = a.submission_id WHERE a.event_id = e.id AND s.state = 'confirmed')`
	rows, _ := tx.Query(ctx, query, from, to)
	type confirmed struct {
		Report, User uuid.UUID
		Number       string
	}
	reports, err := pgx.CollectRows(rows, pgx.RowToStructByPos[confirmed])
	if err != nil {
		return fmt.Errorf("find confirmed reports: %w", err)
	}
	for _, r := range reports {
		n := notification.New{UserID: r.User, Type: notification.BlockchainConfirmed, EventKey: "blockchain:" + r.Report.String(),
			ReportID: r.Report, Params: map[string]string{notification.ParamReportNumber: r.Number}, Quiet: true}
		if err := notification.Add(ctx, tx, n); err != nil {
			return err
		}
	}
	return nil
}
