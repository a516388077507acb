package upgrade

import (
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/report"
)

// The first version left words of people who had deleted their accounts.
const (
	blankComments = `
UPDATE report_comments c SET content = '', client_id = NULL
  FROM users u WHERE u.id = c.author_id AND u.deleted_at IS NOT NULL AND c.report_id = ANY($1) AND c.content <> ''`
	blankNotes = `
UPDATE report_status_history h SET note = NULL
  FROM users u WHERE u.id = h.actor_id AND u.deleted_at IS NOT NULL AND h.report_id = ANY($1) AND h.actor_kind = 'citizen' AND h.note IS NOT NULL`
	blankNotifications = `
UPDATE notifications n SET params = n.params || jsonb_build_object('author', '—', 'comment', '') FROM report_comments c, users u
 WHERE u.id = c.author_id AND u.deleted_at IS NOT NULL AND c.report_id = ANY($1) AND n.type = 'comment_added' AND n.event_key = 'comment:' || c.id`
	deleteSalts = `DELETE FROM report_salts WHERE report_id = ANY($1)`
)

// blank blanks comments and citizens' notes of such people in all of these reports, also where others were notified of them,
// and the words of those reports whose reporter is one.
func blank(p database.Pipeline, all, erased []uuid.UUID) error {
	p.Queue(blankComments, all)
	p.Queue(blankNotes, all)
	p.Queue(blankNotifications, all)
	if len(erased) == 0 {
		return nil
	}
	p.Queue(deleteSalts, erased)
	return report.BlankWords(p, erased)
}
