package auth

import (
	"context"
	"fmt"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/credential"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
)

func (g *Group) registerEnrollment(a *httpapi.API) {
	staff := func(path, summary, description string) httpapi.Operation {
		op := operation(path, summary, description)
		op.Access, op.Roles, op.LimitMember = httpapi.SignedIn, identity.Staff(), ""
		return op
	}
	enroll := staff("/auth/totp/enroll", "Start setting up a second factor",
		"Hands out a secret for an authenticator app. It holds once a code of it was confirmed. A person who has one already "+
			"may replace it from a session that passed it.")
	httpapi.Register(a, enroll.WithProblems(identity.ErrSecondFactor), g.enroll)
	confirm := staff("/auth/totp/confirm", "Turn the second factor on",
		"With a code of the app. Hands out recovery codes, once; earlier ones stop working. This session counts as having passed it; "+
			"every other session of the person ends.")
	httpapi.Register(a, confirm.WithProblems(errFactorInvalid.With("attempts_left", 4), errSecondFactorNotStarted), g.confirm)
}

type enrollOutput struct {
	Body credential.Enrollment
}

func (g *Group) enroll(ctx context.Context, _ *struct{}) (*enrollOutput, error) {
	c := identity.Must(ctx)
	out := &enrollOutput{}
	err := g.db.InTx(ctx, func(tx *database.Tx) error {
		p, err := lockPerson(ctx, tx, byID, c.UserID)
		if err != nil {
			return err
		}
		if p.secondFactor && !c.SecondFactor {
			return identity.ErrSecondFactor
		}
		secret := credential.NewTOTPSecret()
		tx.Queue(`UPDATE users SET totp_pending = $2, updated_at = now() WHERE id = $1`, p.id, g.sealer.Seal(credential.TOTPSealPurpose, secret))
		out.Body, err = credential.NewEnrollment(secret, p.email)
		return err
	})
	return out, err
}

type confirmInput struct {
	Body struct {
		_    struct{} `schema:"SecondFactorConfirm"`
		Code string   `json:"code" format:"typed-code" maxLength:"64" doc:"6 digits of the app" example:"123456"`
	}
}

type confirmOutput struct {
	Body struct {
		_             struct{} `schema:"RecoveryCodes"`
		RecoveryCodes []string `json:"recovery_codes" doc:"Each signs in once instead of a code; shown only here"`
	}
}

func (g *Group) confirm(ctx context.Context, in *confirmInput) (*confirmOutput, error) {
	c := identity.Must(ctx)
	code := credential.TypedCode(in.Body.Code)
	if !credential.IsDigits(code, totpDigits) {
		return nil, errFactorInvalid
	}
	subject := factorSubject(c.UserID)
	if err := g.lockout.enter(ctx, subject); err != nil {
		return nil, err
	}
	out := &confirmOutput{}
	err := g.db.InTx(ctx, func(tx *database.Tx) error {
		if err := g.promotePending(ctx, tx, c, code); err != nil {
			return err
		}
		out.Body.RecoveryCodes = credential.NewRecoveryCodes(tx, g.sealer, c.UserID)
		if err := g.markSession(ctx, tx, c); err != nil {
			return err
		}
		g.lockout.succeeded(tx, subject)
		return audit.Record(ctx, tx, audit.Entry{Action: "second_factor.enable", Entity: "user", EntityID: c.UserID.String()})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// promotePending makes the pending secret the one in force, given a code of it.
func (g *Group) promotePending(ctx context.Context, tx *database.Tx, c identity.Caller, code string) error {
	var sealed []byte
	err := tx.QueryRow(ctx, `SELECT totp_pending FROM users WHERE id = $1 AND deleted_at IS NULL FOR UPDATE`, c.UserID).Scan(&sealed)
	if err != nil {
		return fmt.Errorf("read second factor: %w", err)
	}
	if sealed == nil {
		return errSecondFactorNotStarted
	}
	secret, err := g.sealer.Open(credential.TOTPSealPurpose, sealed)
	if err != nil {
		return fmt.Errorf("read second factor: %w", err)
	}
	now := g.clock.Now()
	step, ok := credential.CheckTOTP(secret, code, now, 0)
	if !ok {
		return errFactorInvalid
	}
	const q = `
		UPDATE users SET totp_secret = totp_pending, totp_pending = NULL, totp_confirmed_at = $2, totp_last_step = $3, updated_at = $2
		 WHERE id = $1`
	tx.Queue(q, c.UserID, now, step)
	return nil
}

// markSession stores that the caller's session passed the second factor, and ends the others: a stranger may have begun
// one of them with the password alone.
func (g *Group) markSession(ctx context.Context, tx *database.Tx, c identity.Caller) error {
	if err := g.revoker.All(ctx, tx, c.UserID, &c.SessionID, identity.SecondFactorSet, g.clock.Now()); err != nil {
		return err
	}
	tx.Queue(`UPDATE sessions SET second_factor_at = $2 WHERE id = $1`, c.SessionID, g.clock.Now())
	return g.revoker.Changed(ctx, tx, c.UserID)
}
