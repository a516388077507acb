package relay

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/reportwrite"
)

// claimers is the most people whose reports one run claims.
const claimers = 20

// waitingPeople finds people for whom reports wait that staff filed for their address: it was confirmed before, or the claim of a
// sign-in was interrupted.
const waitingPeople = `
	SELECT DISTINCT u.id FROM report_contacts c JOIN users u ON ` + reportwrite.WaitsForSQL + `
	  JOIN reports r ON r.id = c.report_id AND r.user_id IS NULL AND r.deleted_at IS NULL
	 WHERE c.email IS NOT NULL AND c.claimed_at IS NULL LIMIT $1`

// claimReports makes people the reporters of what staff filed for them.
func (r *Relay) claimReports(ctx context.Context) error {
	rows, err := r.db.Query(ctx, waitingPeople, claimers)
	if err != nil {
		return fmt.Errorf("find reports that wait for their reporter: %w", err)
	}
	people, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return fmt.Errorf("find reports that wait for their reporter: %w", err)
	}
	for _, person := range people {
		if _, err := reportwrite.Claim(ctx, r.outbox, person); err != nil {
			return err
		}
	}
	return nil
}
