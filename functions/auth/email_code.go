package auth

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/account"
	"github.com/lafaekstreet/backend/shared/credential"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
)

func (g *Group) registerEmailCode(a *httpapi.API) {
	ask := operation("/auth/email-code", "Mail a code to sign in with, without a password",
		"The same for every address, known or not. At most one code a minute and five an hour for an address and the network that asks, and "+
			"20 an hour for an address. A newer code does not void the one before. The code also stands for the password in DELETE /users/me.")
	httpapi.Register(a, ask.WithProblems(errEmailNotDeliverable), g.emailCode)

	verify := operation("/auth/email-code/verify", "Sign in with the code from the mail",
		"An unknown address gets an account without a password and without a name. An account whose address was never confirmed loses its password, "+
			"its name and whatever else somebody gave it. Staff need a password, or a second factor.")
	verify.Aliases = map[string]string{"otp_code": "otp", "code": "otp"}
	httpapi.Register(a, verify.WithProblems(credential.ErrCodeExpired, credential.ErrCodeInvalid.With("attempts_left", 4), errNeedsPassword, errSuspended, ledger.ErrHalted), g.verifyEmailCode)
}

type emailCodeInput struct {
	Origin
	Body struct {
		_     struct{} `schema:"EmailCodeRequest"`
		Email string   `json:"email" maxLength:"320" example:"maria@example.tl"`
	}
}

func (g *Group) emailCode(ctx context.Context, in *emailCodeInput) (*resendOutput, error) {
	address, err := newEmail(in.Body.Email)
	if err != nil {
		return nil, err
	}
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		a, err := g.look(ctx, tx, credential.CodeRequest{Address: address, Purpose: credential.ForSignIn, From: in.address})
		if err != nil {
			return err
		}
		if a.mailed.Wait > 0 {
			return httpapi.TooManyRequests(a.mailed.Wait)
		}
		language := locale.FromContext(ctx)
		if a.owner.there() && a.owner.verified {
			language = a.owner.reader()
		}
		return g.mailCode(ctx, tx, a, language, "")
	})
	if err != nil {
		return nil, err
	}
	return codeSent(ctx), nil
}

// errNeedsPassword refuses staff who would sign in with a code from a mail alone.
var errNeedsPassword = problem.New(problem.Forbidden, "password_required")

func (g *Group) verifyEmailCode(ctx context.Context, in *verifyInput) (*signInOutput, error) {
	address, err := checkedEmail(in.Body.Email)
	if err != nil {
		return nil, err
	}
	from := in.Body.Device.known(ctx)
	code, err := g.codes.Try(ctx, g.db, credential.Attempt{Address: address, Purpose: credential.ForSignIn, From: in.address, Code: in.Body.OTP})
	if err != nil {
		return nil, err
	}
	var created bool
	var p person
	out, err := g.signInWith(ctx, func(tx *outbox.Tx) (*database.Ask[signInBody], error) {
		var err error
		if p, created, err = g.personOfCode(ctx, tx, code, address); err != nil {
			return nil, err
		}
		return g.signIn(ctx, tx.Tx, p, from, factorPassed{})
	})
	if err == nil {
		g.claim(ctx, p)
	}
	if err == nil && out.Body.Tokens != nil {
		out.Body.IsNewUser = &created
	}
	return out, err
}

// personOfCode uses a code up and finds the account of its address, or makes one. The bool reports that the account is new:
// made just now, or emptied of what somebody else had put into it. The address is locked, so that two first sign-ins at
// once create one account.
func (g *Group) personOfCode(ctx context.Context, tx *outbox.Tx, code credential.MailedCode, address string) (person, bool, error) {
	g.codes.LockAddress(tx, address)
	used, found := g.codes.Consume(tx, code.ID), askPerson(tx, byEmail, address, true)
	g.codes.EndRegistrations(tx, address)
	if err := tx.Flush(ctx); err != nil {
		return person{}, false, fmt.Errorf("consume one-time code: %w", err)
	}
	p, language := found.Get(), locale.FromContext(ctx)
	switch {
	case used.Get() == 0:
		return person{}, false, credential.ErrCodeExpired
	case !p.there():
		p, err := g.newPerson(ctx, tx, address, "", "", language)
		return p, true, err
	case p.suspended:
		return person{}, false, errSuspended
	case p.invited != nil && p.verified:
		return p, false, g.accept(ctx, tx, &p)
	case p.invited == nil && p.role.IsStaff() && !p.secondFactor:
		return person{}, false, errNeedsPassword
	case p.verified:
		return p, false, nil
	}
	if err := g.forgetUnconfirmed(ctx, tx, &p, "", language); err != nil {
		return person{}, false, err
	}
	err := g.accept(ctx, tx, &p)
	return p, true, err
}

// forgetUnconfirmed confirms the address of p, whose owner was just proved, and removes everything that the account had
// before: somebody else may have registered it. The caller ends the registrations of the address.
func (g *Group) forgetUnconfirmed(ctx context.Context, tx *outbox.Tx, p *person, name string, l locale.Language) error {
	if p.invited != nil { // an administrator gave these
		name, l = p.invited.Name, p.reader()
	}
	now := g.clock.Now()
	account.Forget(tx, p.id, name, l, now)
	tx.Queue(`UPDATE users SET email_verified_at = $2 WHERE id = $1`, p.id, now)
	p.verified, p.passwordHash, p.fullName, p.language = true, "", name, string(l)
	return g.endSessions(ctx, tx, *p)
}

// endSessions ends every session of p and every sign-in that waits for the second factor.
func (g *Group) endSessions(ctx context.Context, tx *outbox.Tx, p person) error {
	now := g.clock.Now()
	tx.Queue(`UPDATE login_challenges SET consumed_at = $2 WHERE user_id = $1 AND consumed_at IS NULL`, p.id, now)
	return g.revoker.All(ctx, tx.Tx, p.id, nil, identity.PasswordChanged, now)
}

// newPerson stores an account with a confirmed address and without a password. Without a Google subject it is empty.
func (g *Group) newPerson(ctx context.Context, tx *outbox.Tx, email, google, name string, l locale.Language) (person, error) {
	const insert = `
		INSERT INTO users (id, email, email_verified_at, google_subject, full_name, preferred_language)
		VALUES ($1, $2, $3, nullif($4, ''), $5, $6) RETURNING ` + personColumns
	waiting := askWaitingFor(tx, email)
	rows, _ := tx.Query(ctx, insert, account.NewID(), email, g.clock.Now(), google, name, string(l)) // its error is in rows too
	p, err := pgx.CollectExactlyOneRow(rows, scanPerson)
	if err != nil {
		return person{}, fmt.Errorf("insert person: %w", err)
	}
	p.waiting = waiting.Get()
	return p, nil
}
