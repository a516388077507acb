package reportwrite

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
)

// ClaimAtOnce is the most reports of which one Claim makes a person the reporter.
const ClaimAtOnce = 50

// WaitsForSQL is true while a report of a contact c waits for the person u, who confirmed the address that staff were given.
const WaitsForSQL = `c.email = u.email AND c.claimed_at IS NULL AND u.email_verified_at IS NOT NULL AND u.suspended_at IS NULL AND u.deleted_at IS NULL`

// Claim makes a person the reporter of at most ClaimAtOnce reports that staff filed for their address, which the account has
// confirmed, and returns how many. The reports are anonymous from then on: nobody asked the person whether others may read the name. Each report has an event that says so. The pictures become the person's too. It takes three
// round trips, or one where no report waits.
func Claim(ctx context.Context, o *outbox.Outbox, user uuid.UUID) (int, error) {
	var claimed []report.Status
	err := o.Do(ctx, func(tx *outbox.Tx) error {
		var role identity.Role
		ids, err := lockWaiting(ctx, tx, user, &claimed, &role)
		if err != nil || len(ids) == 0 {
			return err
		}
		giveTo(tx, user, ids, claimed)
		chains := make([]*database.Ask[*ledger.Chain], len(ids))
		for i, id := range ids {
			chains[i] = ledger.AskChain(tx, report.AboutID(id), nil)
		}
		if err := tx.Flush(ctx); err != nil {
			return err
		}
		for _, chain := range chains {
			event := ledger.Event{Type: ledger.Amended, Actor: ledger.Actor{Kind: string(report.ActorCitizen)}}
			if _, err := chain.Get().Append(ctx, tx, event); err != nil {
				return err
			}
		}
		return audit.RecordAs(ctx, tx, user, role, audit.Entry{Action: "report.claim", Entity: "user", EntityID: user.String(), After: map[string]any{"reports": ids}})
	})
	if err != nil {
		return 0, fmt.Errorf("claim reports: %w", err)
	}
	return len(claimed), nil
}

// waiting is a report that waits for its reporter.
type waiting struct {
	ID     uuid.UUID
	Status report.Status
}

// lockWaiting locks the person, the reports that wait for them and their contacts.
func lockWaiting(ctx context.Context, tx *outbox.Tx, user uuid.UUID, statuses *[]report.Status, role *identity.Role) ([]uuid.UUID, error) {
	person := database.AskOptional(tx, pgx.RowTo[identity.Role], `SELECT role FROM users WHERE id = $1 FOR NO KEY UPDATE`, user)
	const q = `
		SELECT r.id, r.status FROM users u JOIN report_contacts c ON ` + WaitsForSQL + ` JOIN reports r ON r.id = c.report_id
		 WHERE u.id = $1 AND r.user_id IS NULL AND r.deleted_at IS NULL ORDER BY r.id LIMIT $2 FOR NO KEY UPDATE OF r, c`
	found := database.AskRows(tx, pgx.RowToStructByPos[waiting], q, user, ClaimAtOnce)
	if err := tx.Flush(ctx); err != nil {
		return nil, err
	}
	*statuses = nil
	if person.Get() == nil {
		return nil, nil
	}
	*role = *person.Get()
	var ids []uuid.UUID
	for _, w := range found.Get() {
		ids, *statuses = append(ids, w.ID), append(*statuses, w.Status)
	}
	return ids, nil
}

// giveTo writes the reporter of the reports.
func giveTo(p database.Pipeline, user uuid.UUID, ids []uuid.UUID, statuses []report.Status) {
	fixed := 0
	for _, s := range statuses {
		if s == report.Fixed {
			fixed++
		}
	}
	p.Queue(`UPDATE reports SET user_id = $1, is_anonymous = true, version = version + 1, updated_at = now() WHERE id = ANY($2)`, user, ids)
	p.Queue(`UPDATE report_contacts SET claimed_at = now() WHERE report_id = ANY($1)`, ids)
	const pictures = `
		UPDATE uploads SET user_id = $1 WHERE id IN (SELECT upload_id FROM report_images WHERE report_id = ANY($2) AND kind = 'evidence')`
	p.Queue(pictures, user, ids)
	p.Queue(`UPDATE users SET reports_count = reports_count + $2, fixed_reports_count = fixed_reports_count + $3 WHERE id = $1`, user, len(ids), fixed)
}
