package auth

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/credential"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/outbox"
)

// invitation is what an administrator invited a person to. It takes effect when they prove to have the address: by its link, by a
// mailed code or link, or by Google.
type invitation struct {
	Role     identity.Role
	AgencyID *uuid.UUID
	Name     string
	Hash     []byte // of the token in the newest link
	Expires  time.Time
}

// askInvitation reads the invitation of the person who meets condition. It is a statement after the one that locks the person, so
// it sees what the transaction that had the lock before has committed.
func askInvitation(p database.Pipeline, condition string, value any) *database.Ask[*invitation] {
	query := `
		SELECT i.role, i.agency_id, i.full_name, i.token_hmac, i.expires_at
		  FROM invitations i JOIN users ON users.id = i.user_id WHERE deleted_at IS NULL AND ` + condition
	return database.AskOptional(p, pgx.RowToStructByPos[invitation], query, value)
}

// accept makes the invitation of p take effect, if there is one: p has just proved to have the address. The invited name stays,
// also where the invitation has ended; the role does not. Call it after Forget.
func (g *Group) accept(ctx context.Context, tx *outbox.Tx, p *person) error {
	i := p.invited
	if i == nil {
		return nil
	}
	p.invited = nil
	now := g.clock.Now()
	tx.Queue(`DELETE FROM invitations WHERE user_id = $1`, p.id)
	tx.Queue(`UPDATE users SET full_name = $2, updated_at = $3 WHERE id = $1`, p.id, i.Name, now)
	p.fullName = i.Name
	if !now.Before(i.Expires) {
		return nil
	}
	tx.Queue(`UPDATE users SET role = $2, agency_id = $3 WHERE id = $1`, p.id, string(i.Role), i.AgencyID)
	p.role, p.agencyID = i.Role, i.AgencyID
	if err := g.revoker.Changed(ctx, tx.Tx, p.id); err != nil {
		return err
	}
	return audit.RecordAs(ctx, tx, p.id, i.Role, audit.Entry{Action: "user.accept_invitation", Entity: "user", EntityID: p.id.String(),
		After: map[string]any{"role": i.Role, "agency_id": i.AgencyID}})
}

// invitedPerson is the person whose newest invitation has the token, else errLink. The row is locked.
func (g *Group) invitedPerson(ctx context.Context, tx *database.Tx, token credential.InvitationToken) (person, error) {
	p, err := lockPerson(ctx, tx, byID, token.User)
	if errors.Is(err, errNobody) {
		return p, errLink
	}
	if err != nil {
		return p, err
	}
	if p.suspended || p.invited == nil || !token.Proves(g.sealer, p.invited.Hash) || !g.clock.Now().Before(p.invited.Expires) {
		return p, errLink
	}
	return p, nil
}
