package digest

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/report"
)

// alertsKept is the age of the oldest alert in a mail, for a person whose last mail is older than that or who had none.
const alertsKept = 7 * 24 * time.Hour

// subscriber is a person with alerts, and what happened at their places since the last mail.
type subscriber struct {
	reader
	wants      bool
	New, Fixed []uuid.UUID
}

// subscribersSQL reads the next persons with alerts after $3, whether they want the mail or not, with the reports of their alerts that everybody may see, from the last mail, or $4, to $5.
const subscribersSQL = `
	SELECT u.id, coalesce(u.email::text, ''), u.preferred_language, ` + wantsSQL + ` AND NOT coalesce(u.notification_prefs -> 'muted' ? 'alert', false),
	       coalesce(told.new, '{}'), coalesce(told.fixed, '{}')
	FROM (SELECT DISTINCT a.user_id FROM alerts a WHERE a.user_id > $3 ORDER BY a.user_id LIMIT $6) s
	JOIN users u ON u.id = s.user_id
	CROSS JOIN LATERAL (
		SELECT array_agg(n.report_id ORDER BY n.created_at DESC) FILTER (WHERE n.params ->> 'status' IS DISTINCT FROM $7) AS new,
		       array_agg(n.report_id ORDER BY n.created_at DESC) FILTER (WHERE n.params ->> 'status' = $7) AS fixed
		FROM notifications n JOIN reports r ON r.id = n.report_id
		WHERE n.user_id = u.id AND n.type = 'alert' AND r.deleted_at IS NULL AND r.status <> 'rejected' AND NOT ` + report.HiddenSQL + ` AND n.created_at <= $5
		  AND n.created_at > greatest($4, (SELECT max(m.created_at) FROM daily_mails m WHERE m.user_id = u.id AND m.kind = $1))) told
	ORDER BY u.id`

// mailAlerts sends each person with alerts what happened at their places since the last mail, and returns how many got a mail.
func (d *Digest) mailAlerts(ctx context.Context) (int, error) {
	until := d.clock.Now()
	sent, last := 0, uuid.Nil
	for {
		rows, err := d.db.Query(ctx, subscribersSQL, string(notification.Alerts), d.today(), last, until.Add(-alertsKept), until, people, string(report.Fixed))
		if err != nil {
			return sent, fmt.Errorf("read alerts: %w", err)
		}
		found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (subscriber, error) {
			var s subscriber
			err := row.Scan(&s.ID, &s.Email, &s.Language, &s.wants, &s.New, &s.Fixed)
			return s, err
		})
		if err != nil {
			return sent, fmt.Errorf("read alerts: %w", err)
		}
		for _, s := range found {
			last = s.ID
			var m mail.Message
			for _, part := range []mail.Section{alertSection("alert_new", s.New), alertSection("alert_fixed", s.Fixed)} {
				if part.Total > 0 {
					m.Sections = append(m.Sections, part)
				}
			}
			if !s.wants || len(m.Sections) == 0 {
				continue
			}
			did, err := d.send(ctx, notification.Alerts, s.reader, until, m)
			if err != nil {
				return sent, err
			}
			if did {
				sent++
			}
		}
		if len(found) < people {
			return sent, nil
		}
	}
}

func alertSection(title string, reports []uuid.UUID) mail.Section {
	return mail.Section{Title: title, Total: len(reports), Reports: reports[:min(len(reports), mail.MaxListed)]}
}
