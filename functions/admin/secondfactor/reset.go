// Package secondfactor takes the second factor of a person away who lost it. They sign in with the password and set up a new one.
package secondfactor

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/credential"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/seal"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Resetter takes second factors away.
type Resetter struct {
	Sealer  *seal.Sealer
	Revoker *identity.Revoker
	Clock   timestamp.Clock
}

// Person is whose second factor goes. The transaction has locked their row.
type Person struct {
	ID       uuid.UUID
	Email    string
	Language string
}

// Reset deletes the secret and the recovery codes of a person, ends their sessions and waiting sign-ins, mails them that it
// happened, and records it with the reason: by the caller of ctx, else by the system.
func (r Resetter) Reset(ctx context.Context, tx *outbox.Tx, p Person, reason string) error {
	now := r.Clock.Now()
	const clear = `
		UPDATE users SET totp_secret = NULL, totp_pending = NULL, totp_confirmed_at = NULL, totp_last_step = NULL, updated_at = $2
		 WHERE id = $1`
	tx.Queue(clear, p.ID, now)
	tx.Queue(`UPDATE login_challenges SET consumed_at = $2 WHERE user_id = $1 AND consumed_at IS NULL`, p.ID, now)
	credential.EndRecoveryCodes(tx, p.ID)
	if err := r.Revoker.All(ctx, tx.Tx, p.ID, nil, identity.SecondFactorSet, now); err != nil {
		return fmt.Errorf("reset second factor: %w", err)
	}
	entry := audit.Entry{Action: "second_factor.reset", Entity: "user", EntityID: p.ID.String(), After: map[string]string{"reason": reason}}
	if err := audit.Record(ctx, tx, entry); err != nil {
		return fmt.Errorf("reset second factor: %w", err)
	}
	language, _ := locale.Parse(p.Language)
	return mail.Send(ctx, tx, r.Sealer, mail.Message{To: p.Email, Language: language, Template: mail.SecondFactorReset})
}
