package reports

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportwrite"
)

// ownEvents are the changes that a person made to their own reports within the last day. Each is an event of the public
// ledger, which costs money, so their number is bounded. Only amendments of words and pictures, and disputes, by the reporter count;
// what staff and the AI do never does. Withdrawal, appeal and erasure are never refused for it.
type ownEvents struct {
	caller           identity.Caller
	about            report.About
	perDay, onReport int
	found            *database.Ask[spentEvents]
}

// spentEvents says when the events past each limit happened: nil while fewer than the limit were made.
type spentEvents struct {
	Day, Report *time.Time
}

// ownEvents prepares the check for a change of a report by the caller.
func (g *Group) ownEvents(ctx context.Context, ref report.Ref) (*ownEvents, error) {
	about, err := ref.About()
	if err != nil {
		return nil, err
	}
	limits, err := g.settings.Current(ctx)
	if err != nil {
		return nil, err
	}
	return &ownEvents{caller: identity.Must(ctx), about: about, perDay: limits.CitizenEventsPerDay, onReport: limits.CitizenEventsPerReport}, nil
}

// ask adds the count to the round trip that locks the report. It runs after the lock, so two changes of one report at once
// are both counted. Two changes of two reports at once may pass the limit of a day by one.
func (o *ownEvents) ask(p database.Pipeline) {
	if o.caller.Role.IsStaff() {
		return
	}
	// Only reports that changed within the day have events of the day.
	const q = `
		WITH e AS (
			SELECT e.report_id, e.created_at FROM report_changes c JOIN reports r ON r.id = c.report_id JOIN ledger_events e ON e.report_id = r.id
			WHERE c.user_id = $3 AND r.updated_at > now() - interval '1 day'
			  AND e.event_type IN ('` + string(ledger.Amended) + `', '` + string(ledger.Disputed) + `') AND e.created_at > now() - interval '1 day'
			  AND convert_from(e.payload, 'UTF8')::jsonb #>> '{changed_by,kind}' = '` + string(report.ActorCitizen) + `')
		SELECT (SELECT created_at FROM e ORDER BY created_at DESC OFFSET $4 LIMIT 1),
		       (SELECT created_at FROM e WHERE report_id = ` + report.IDSQL + ` ORDER BY created_at DESC OFFSET $5 LIMIT 1)`
	o.found = database.AskRow(p, pgx.RowToStructByPos[spentEvents], q, o.about.Args(o.caller.UserID, o.perDay-1, o.onReport-1)...)
}

// check is a 429 where the reporter has made as many changes as are allowed. Retry-After says when the oldest one that
// counts is a day old.
func (o *ownEvents) check(h *reportwrite.Locked) error {
	if o.found == nil || !h.ReportedBy(o.caller) {
		return nil
	}
	spent := o.found.Get()
	oldest := spent.Day
	if spent.Report != nil && (oldest == nil || spent.Report.After(*oldest)) {
		oldest = spent.Report
	}
	if oldest == nil {
		return nil
	}
	return httpapi.TooManyRequests(oldest.Add(24 * time.Hour).Sub(h.At))
}
