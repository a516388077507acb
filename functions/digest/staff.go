package digest

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/reportread"
)

// listed is how many reports of a queue the digest lists.
const listed = 10

// colleague is an official or a moderator.
type colleague struct {
	reader
	Role     identity.Role
	AgencyID *uuid.UUID
}

// staffSQL reads the officials and moderators after $3 who want the digest.
const staffSQL = `SELECT u.id, u.email::text, u.preferred_language, u.role, u.agency_id FROM users u
	WHERE u.id > $3 AND (u.role = 'moderator' OR u.role = 'government_official' AND u.agency_id IS NOT NULL) AND ` + wantsSQL + `
	ORDER BY u.id LIMIT $4`

// mailStaff sends each official and moderator what waits for them, and returns how many got a mail. Who has nothing to do gets none.
func (d *Digest) mailStaff(ctx context.Context) (int, error) {
	sent, last := 0, uuid.Nil
	for {
		rows, err := d.db.Query(ctx, staffSQL, string(notification.Digest), d.today(), last, people)
		if err != nil {
			return sent, fmt.Errorf("read staff: %w", err)
		}
		found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (colleague, error) {
			var c colleague
			err := row.Scan(&c.ID, &c.Email, &c.Language, &c.Role, &c.AgencyID)
			return c, err
		})
		if err != nil {
			return sent, fmt.Errorf("read staff: %w", err)
		}
		for _, c := range found {
			did, err := d.mailColleague(ctx, c)
			if err != nil {
				return sent, err
			}
			if did {
				sent++
			}
			last = c.ID
		}
		if len(found) < people {
			return sent, nil
		}
	}
}

func (d *Digest) mailColleague(ctx context.Context, c colleague) (bool, error) {
	waits, err := reportread.ReadDigest(ctx, d.db, identity.Caller{UserID: c.ID, Role: c.Role, AgencyID: c.AgencyID}, listed)
	if err != nil || waits.Empty() {
		return false, err
	}
	var m mail.Message
	for _, s := range []mail.Section{
		{Title: "overdue", Total: waits.Counts.Overdue, Reports: waits.Overdue},
		{Title: "due_today", Total: waits.Counts.DueToday, Reports: waits.DueToday},
		{Title: "new", Total: waits.Counts.New, Reports: waits.New},
		{Title: "needs_review", Total: waits.Counts.NeedsReview, Reports: waits.NeedsReview},
	} {
		if s.Total > 0 {
			m.Sections = append(m.Sections, s)
		}
	}
	return d.send(ctx, notification.Digest, c.reader, d.clock.Now(), m)
}
