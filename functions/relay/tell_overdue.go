package relay

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/settings"
	"github.com/lafaekstreet/backend/shared/workday"
)

// How far it was told that a report is overdue: reports.overdue_told. A new deadline or agency makes it 0.
const (
	toldNobody = 0
	toldAgency = 1
	toldAdmins = 2
)

const (
	// maxOverdue bounds the reports of one severity that one run tells of.
	maxOverdue = 500
	// overdueEvery is how often staff are told, so that an agency gets one mail an hour at most.
	overdueEvery = time.Hour
)

// overdueSQL finds and locks open reports of one severity ($1) that were due before $2 and of which $3 was told. A report without
// an agency waits for one: its deadline does not run.
const overdueSQL = `
	SELECT r.id, r.assigned_agency_id, r.assigned_user_id, r.due_at FROM reports r
	 WHERE r.deleted_at IS NULL AND r.due_at IS NOT NULL AND r.status IN ('pending', 'verified', 'in_progress') AND r.overdue_told < 2
	   AND r.overdue_told = $3 AND r.severity = $1 AND r.due_at < $2 AND r.assigned_agency_id IS NOT NULL AND r.due_paused_at IS NULL
	 ORDER BY r.due_at LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED`

// overdueReport is a row of overdueSQL.
type overdueReport struct {
	ID     uuid.UUID
	Agency uuid.UUID
	User   *uuid.UUID
	Due    time.Time
}

// tellOverdue tells, once an hour, the officials, the named person and the address of each agency which of its reports are overdue,
// and the administrators which have been so for as many working days again as the setting deadlines gives their severity. Each
// report is told of once each time; the message and the mark are stored together. An agency is told of at most 100 reports in a run.
func (r *Relay) tellOverdue(ctx context.Context) error {
	return r.outbox.Do(ctx, func(tx *outbox.Tx) error {
		now := r.clock.Now()
		first, err := tx.Once(ctx, "relay-overdue", now.Truncate(overdueEvery).Format(time.RFC3339))
		if err != nil || !first {
			return err
		}
		current, err := settings.Read(ctx, tx)
		if err != nil {
			return err
		}
		calendar := workday.NewCalendar(current.Holidays)
		var overdue, late []overdueReport
		for _, severity := range report.Severities() {
			found, err := findOverdue(ctx, tx, severity, now, toldNobody)
			if err != nil {
				return err
			}
			overdue = append(overdue, found...)
			if found, err = findOverdue(ctx, tx, severity, calendar.Before(now, current.Deadlines.For(severity)), toldAgency); err != nil {
				return err
			}
			late = append(late, found...)
		}
		for _, group := range byAgency(overdue) {
			if err := tellStaff(ctx, tx, queue.ReportsOverdue, group[0].Agency, group, toldAgency); err != nil {
				return err
			}
		}
		for group := range slices.Chunk(late, queue.MaxStaffItems) {
			if err := tellStaff(ctx, tx, queue.ReportsLate, uuid.Nil, group, toldAdmins); err != nil {
				return err
			}
		}
		return nil
	})
}

func findOverdue(ctx context.Context, tx *outbox.Tx, s report.Severity, before time.Time, told int) ([]overdueReport, error) {
	rows, err := tx.Query(ctx, overdueSQL, s, before, told, maxOverdue)
	if err != nil {
		return nil, fmt.Errorf("find overdue reports: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[overdueReport])
	if err != nil {
		return nil, fmt.Errorf("find overdue reports: %w", err)
	}
	return found, nil
}

// byAgency groups reports by their agency, of each the first queue.MaxStaffItems. The next run tells of the others.
func byAgency(all []overdueReport) [][]overdueReport {
	slices.SortStableFunc(all, func(a, b overdueReport) int { return slices.Compare(a.Agency[:], b.Agency[:]) })
	var out [][]overdueReport
	for _, x := range all {
		last := len(out) - 1
		switch {
		case last < 0 || out[last][0].Agency != x.Agency:
			out = append(out, []overdueReport{x})
		case len(out[last]) < queue.MaxStaffItems:
			out[last] = append(out[last], x)
		}
	}
	return out
}

// tellStaff sends the message about some reports and marks how far they were told.
func tellStaff(ctx context.Context, tx *outbox.Tx, event queue.StaffEvent, agency uuid.UUID, group []overdueReport, told int) error {
	n := queue.StaffNotice{Event: event, AgencyID: agency}
	ids := make([]uuid.UUID, len(group))
	for i, x := range group {
		ids[i] = x.ID
		item := queue.StaffItem{ReportID: x.ID, Key: fmt.Sprintf("%s:%s:%s:%d", event, x.ID, x.Agency, x.Due.Unix())}
		if event == queue.ReportsOverdue {
			item.UserID = x.User
		}
		n.Items = append(n.Items, item)
	}
	tx.Queue(`UPDATE reports SET overdue_told = $2 WHERE id = ANY($1)`, ids, told)
	return tx.Send(ctx, queue.Notify, queue.NotifyMessage{Staff: &n})
}
