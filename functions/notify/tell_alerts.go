package notify

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/report"
)

// maxTold is how many people one message tells of a report. The rest is another message.
const maxTold = 1000

// locateTries and locateDelay are how often, and after how long, a message waits for the municipality of a report.
const locateTries = 6

const locateDelay = 10 * time.Minute

// tellAlertsSQL tells the next people after $3, at most $4, whose alerts cover the report $1 and the event $2. It tells neither the
// reporter nor people whose account is deleted or suspended. It returns how many people the alerts belong to, the last of them,
// and whether the municipality of the report is unknown. A person is told of an event of a report once.
const tellAlertsSQL = `
	WITH r AS (SELECT * FROM reports r WHERE r.id = $1 AND r.deleted_at IS NULL AND CASE WHEN $2 = 'fixed' THEN r.status = 'fixed' ELSE r.status IN ('verified', 'in_progress', 'fixed') END),
	people AS (
		SELECT user_id FROM (
			SELECT a.user_id, a.issue_types, a.events FROM r JOIN alerts a ON a.municipality_code = r.municipality_code
			UNION ALL
			SELECT a.user_id, a.issue_types, a.events FROM r JOIN alerts a ON a.latitude IS NOT NULL
				AND ST_DWithin(ST_SetSRID(ST_MakePoint(a.longitude, a.latitude), 4326)::geography, r.position, 20000)
				AND ST_DWithin(ST_SetSRID(ST_MakePoint(a.longitude, a.latitude), 4326)::geography, r.position, a.radius_meters)) a
		WHERE a.user_id > $3 AND $2 = ANY(a.events) AND (a.issue_types = '{}' OR (SELECT issue_type FROM r) = ANY(a.issue_types))
		GROUP BY user_id ORDER BY user_id LIMIT $4),
	told AS (
		INSERT INTO notifications (id, user_id, type, event_key, report_id, params)
		SELECT gen_random_uuid(), u.id, 'alert', 'alert:' || $2 || ':' || r.id, r.id, jsonb_build_object('report_number', r.report_number, 'status', $5::text)
		FROM people JOIN users u ON u.id = people.user_id CROSS JOIN r
		WHERE u.deleted_at IS NULL AND u.suspended_at IS NULL AND u.id IS DISTINCT FROM r.user_id
		ON CONFLICT (user_id, event_key) DO NOTHING)
	SELECT (SELECT count(*) FROM people), (SELECT user_id FROM people ORDER BY user_id DESC LIMIT 1), EXISTS (SELECT FROM r WHERE municipality_code IS NULL)`

// toldAlerts is a row of tellAlertsSQL.
type toldAlerts struct {
	People  int
	Last    *uuid.UUID
	Unknown bool // the report's municipality
}

// tellAlerts adds notifications for the people whose alerts a report is within. They are shown in the app; the daily mail has
// them too (functions/digest). While the municipality of the report is not known, it asks again later.
func (w *Worker) tellAlerts(ctx context.Context, m queue.AlertMessage) error {
	status := report.Verified
	if m.Event == string(notification.AlertFixed) {
		status = report.Fixed
	}
	return w.outbox.Do(ctx, func(tx *outbox.Tx) error {
		found := database.AskRow(tx, pgx.RowToStructByPos[toldAlerts], tellAlertsSQL, m.ReportID, m.Event, m.After, maxTold, string(status))
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("tell of a report at a place: %w", err)
		}
		switch t := found.Get(); {
		case t.People == maxTold:
			m.After = *t.Last
			return tx.Send(ctx, queue.Notify, queue.NotifyMessage{Alert: &m})
		case t.Unknown && m.Try < locateTries:
			m.After, m.Try = uuid.Nil, m.Try+1
			return tx.SendAfter(ctx, queue.Notify, queue.NotifyMessage{Alert: &m}, locateDelay)
		}
		return nil
	})
}
