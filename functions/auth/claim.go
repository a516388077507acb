package auth

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/reportwrite"
)

// askWaiting reads whether reports wait that staff filed for the address of the person who meets condition.
func askWaiting(p database.Pipeline, condition string, value any) *database.Ask[bool] {
	query := `
		SELECT EXISTS (SELECT FROM report_contacts WHERE claimed_at IS NULL AND email = (SELECT email FROM users WHERE deleted_at IS NULL AND ` + condition + `))`
	return database.AskRow(p, pgx.RowTo[bool], query, value)
}

// askWaitingFor reads whether reports wait that staff filed for an address.
func askWaitingFor(p database.Pipeline, address string) *database.Ask[bool] {
	return database.AskRow(p, pgx.RowTo[bool], `SELECT EXISTS (SELECT FROM report_contacts WHERE claimed_at IS NULL AND email = $1)`, address)
}

// claims is how many times one sign-in claims reports. relay claims the rest.
const claims = 4

// claim makes p the reporter of the reports that staff filed for p's address. It runs after the transaction that confirmed the address.
// If it fails, the address stays confirmed: people can sign in while the log takes no events. The relay worker claims the rest within
// minutes.
func (g *Group) claim(ctx context.Context, p person) {
	if !p.waiting {
		return
	}
	for range claims {
		n, err := reportwrite.Claim(ctx, g.outbox, p.id)
		if err != nil {
			g.log.WarnContext(ctx, "reports wait for their reporter", "error", err)
		}
		if err != nil || n < reportwrite.ClaimAtOnce {
			return
		}
	}
}
