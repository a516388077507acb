package auth

import (
	"context"
	"net/http"
	"time"

	"github.com/lafaekstreet/backend/shared/account"
	"github.com/lafaekstreet/backend/shared/credential"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/warning"
)

func (g *Group) registerAccount(a *httpapi.API) {
	register := operation("/auth/register", "Register with an e-mail address",
		"Mails a 6-digit code to confirm the address with. An address that already has an account gets the same answer, "+
			"and a mail that says so: nobody learns here who has one. Registering an unconfirmed address again with another password "+
			"voids the codes and links that were mailed before, and mails at once.")
	register.DefaultStatus = http.StatusCreated
	httpapi.Register(a, register.WithProblems(errEmailNotDeliverable), g.register)

	verify := operation("/auth/verify-otp", "Confirm the address with the mailed code, and sign in",
		"The newest code counts, once, for 10 minutes, and only for the password that it was mailed for. One network has 5 attempts, all together have 20. "+
			"Spaces, hyphens and full stops in the code do not matter. A code of another shape is otp_invalid and uses no attempt.")
	verify.Aliases = map[string]string{"otp_code": "otp", "code": "otp"}
	httpapi.Register(a, verify.WithProblems(credential.ErrCodeExpired, credential.ErrCodeInvalid.With("attempts_left", 4), errSuspended, ledger.ErrHalted), g.verifyOTP)

	resend := operation("/auth/resend-otp", "Mail another code",
		"At most one a minute and five an hour for an address, known or not; at once when the attempts of the last one are used up.")
	httpapi.Register(a, resend, g.resendOTP)
}

type registerInput struct {
	Origin
	Body struct {
		_                 struct{} `schema:"Registration"`
		Email             string   `json:"email" maxLength:"320" example:"maria@example.tl"`
		Password          string   `json:"password" maxLength:"1024" doc:"8 to 128 characters; not the address, not a common one" example:"rua-Aimutin-42"`
		FullName          string   `json:"full_name" minLength:"1" maxLength:"400" doc:"1 to 100 characters" example:"Maria dos Santos"`
		PhoneNumber       string   `json:"phone_number,omitempty" format:"phone-number" maxLength:"32" example:"+67077001122"`
		PreferredLanguage string   `json:"preferred_language,omitempty" maxLength:"35" doc:"tet, pt or en; else the request's language" example:"tet"`
		Device            *device  `json:"device,omitempty"`
	}
}

type registerOutput struct {
	Body struct {
		_            struct{} `schema:"RegistrationStarted"`
		Message      string   `json:"message"`
		Email        string   `json:"email" doc:"The address as the system knows it"`
		OTPExpiresIn int      `json:"otp_expires_in" doc:"Seconds the code is good for" example:"600"`
		// Warnings is set in the answer to a request that sent something which was not kept.
		Warnings []warning.Warning `json:"warnings,omitempty" doc:"What of the request was not kept; left out if everything was"`
	}
}

func (g *Group) register(ctx context.Context, in *registerInput) (*registerOutput, error) {
	b := in.Body
	b.Device.known(ctx)
	n := newcomer{email: b.Email, fullName: b.FullName, phone: optional(b.PhoneNumber), language: languageOr(ctx, b.PreferredLanguage)}
	err := g.signUp(ctx, &n, "full_name", b.Password, credential.CodeRequest{Purpose: credential.ForRegistration, From: in.address})
	if err != nil {
		return nil, err
	}
	out := &registerOutput{}
	out.Body.Message, out.Body.Email, out.Body.OTPExpiresIn = locale.TextFor(ctx, "auth.code_sent"), n.email, int(credential.CodeLife.Seconds())
	out.Body.Warnings = warning.FromContext(ctx).List()
	return out, nil
}

// newcomer is an account whose address is not confirmed yet.
type newcomer struct {
	email        string
	passwordHash string
	fullName     string
	phone        *string
	country      *string
	instagram    *string
	language     locale.Language
}

// signUp checks n, stores the account and mails the code or link that r asks for. nameField is what the client calls the name.
// It fails with a 429, and changes nothing, when no mail may be sent now. A repeat with the same password within the minute
// sends no second mail.
func (g *Group) signUp(ctx context.Context, n *newcomer, nameField, password string, r credential.CodeRequest) error {
	var err error
	if n.email, err = newEmail(n.email); err != nil {
		return err
	}
	if err := checkedPassword(ctx, "password", password, n.email); err != nil {
		return err
	}
	if n.fullName, err = account.ReadName(nameField, n.fullName); err != nil {
		return err
	}
	if n.passwordHash, err = g.registrationHash(ctx, n.email, password); err != nil {
		return err
	}
	r.Address, r.Proof = n.email, g.codes.Proof(n.email, n.passwordHash)
	return g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		g.codes.LockAddress(tx, n.email)
		stored := n.store(tx, g.clock.Now())
		a, err := g.readAsked(ctx, tx, r)
		switch {
		case err != nil || a.mailed.Repeated:
			return err
		case a.mailed.Wait > 0:
			return httpapi.TooManyRequests(a.mailed.Wait)
		case stored.Get() == 0:
			return g.tellKnown(ctx, tx, a)
		case r.Purpose == credential.ForVerifyLink:
			return g.mailLink(ctx, tx, a, scopeVerify)
		}
		return g.mailCode(ctx, tx, a, n.language, n.fullName)
	})
}

// registrationHash hashes the password of a registration. The same password of an address has the same hash, so a
// repeat can be recognised.
func (g *Group) registrationHash(ctx context.Context, address, password string) (string, error) {
	return g.hasher.HashWith(ctx, password, g.sealer.MAC(macSalt, []byte(address))[:16])
}

// store writes the account. The result is 0, and nothing changes, when a confirmed account has the address, or an invited one, whose
// role nobody may get by a password that a stranger chose; else 1. Another unconfirmed account is replaced, because its owner never
// proved to have the address.
func (n newcomer) store(p database.Pipeline, now time.Time) *database.Ask[int64] {
	const upsert = `
		INSERT INTO users AS u (id, email, password_hash, full_name, phone_number, country, instagram, preferred_language)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (email) WHERE email IS NOT NULL DO UPDATE
		   SET password_hash = excluded.password_hash, full_name = excluded.full_name, phone_number = excluded.phone_number,
		       country = excluded.country, instagram = excluded.instagram,
		       preferred_language = excluded.preferred_language, updated_at = now()
		 WHERE u.email_verified_at IS NULL AND NOT EXISTS (SELECT FROM invitations i WHERE i.user_id = u.id AND i.expires_at > $9)`
	return database.AskAffected(p, upsert, account.NewID(), n.email, n.passwordHash, n.fullName, n.phone, n.country, n.instagram, string(n.language), now)
}

// tellKnown mails the owner of a confirmed account that somebody tried to register it, at most once a minute.
func (g *Group) tellKnown(ctx context.Context, tx *outbox.Tx, a *asked) error {
	if a.mailed.Recent {
		return g.pretend(ctx, tx, a)
	}
	g.codes.Issue(tx, a.CodeRequest, a.mailed, true)
	return mail.Send(ctx, tx, g.sealer, mail.Message{To: a.Address, Language: a.owner.reader(), Template: mail.AlreadyRegistered})
}

type verifyInput struct {
	Origin
	Body struct {
		_      struct{} `schema:"CodeVerify"`
		Email  string   `json:"email" maxLength:"320" example:"maria@example.tl"`
		OTP    string   `json:"otp" format:"typed-code" maxLength:"64" doc:"The digits of the mail (aliases: otp_code, code)" example:"123456"`
		Device *device  `json:"device,omitempty"`
	}
}

func (g *Group) verifyOTP(ctx context.Context, in *verifyInput) (*signInOutput, error) {
	address, err := checkedEmail(in.Body.Email)
	if err != nil {
		return nil, err
	}
	from := in.Body.Device.known(ctx)
	code, err := g.codes.Try(ctx, g.db, credential.Attempt{Address: address, Purpose: credential.ForRegistration, From: in.address, Code: in.Body.OTP})
	if err != nil {
		return nil, err
	}
	var p person
	out, err := g.signInWith(ctx, func(tx *outbox.Tx) (*database.Ask[signInBody], error) {
		var err error
		if p, err = g.consume(ctx, tx, code, address); err != nil {
			return nil, err
		}
		if !g.confirms(p, code.Proof, code.MailedAt) {
			return nil, credential.ErrCodeExpired
		}
		if err := g.markVerified(ctx, tx, &p); err != nil {
			return nil, err
		}
		return g.signIn(ctx, tx.Tx, p, from, factorPassed{})
	})
	if err == nil {
		g.claim(ctx, p)
	}
	return out, err
}

// markVerified confirms the address of p, and voids what was mailed to confirm it.
func (g *Group) markVerified(ctx context.Context, tx *outbox.Tx, p *person) error {
	tx.Queue(`UPDATE users SET email_verified_at = $2, updated_at = now() WHERE id = $1 AND email_verified_at IS NULL`, p.id, g.clock.Now())
	g.codes.EndRegistrations(tx, p.email)
	return g.accept(ctx, tx, p)
}

type resendInput struct {
	Origin
	Body struct {
		_       struct{} `schema:"CodeRequest"`
		Email   string   `json:"email" maxLength:"320" example:"maria@example.tl"`
		Purpose string   `json:"purpose,omitempty" maxLength:"40" words:"registration,password_reset" doc:"registration (default) or password_reset"`
	}
}

type resendOutput struct {
	Body struct {
		_            struct{} `schema:"CodeSent"`
		Message      string   `json:"message"`
		OTPExpiresIn int      `json:"otp_expires_in" doc:"Seconds the code is good for" example:"600"`
		ResendAfter  int      `json:"resend_after" doc:"Seconds until another may be asked for" example:"60"`
	}
}

func codeSent(ctx context.Context) *resendOutput {
	out := &resendOutput{}
	out.Body.Message, out.Body.OTPExpiresIn = locale.TextFor(ctx, "auth.code_sent"), int(credential.CodeLife.Seconds())
	out.Body.ResendAfter = int(credential.CodeResendAfter.Seconds())
	return out
}

func (g *Group) resendOTP(ctx context.Context, in *resendInput) (*resendOutput, error) {
	address, err := checkedEmail(in.Body.Email)
	if err != nil {
		return nil, err
	}
	p, err := codePurpose(in.Body.Purpose)
	if err != nil {
		return nil, err
	}
	var a *asked
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		a, err = g.codeFor(ctx, tx, credential.CodeRequest{Address: address, Purpose: p, From: in.address})
		return err
	})
	if err != nil {
		return nil, err
	}
	if a.mailed.Wait > 0 {
		return nil, httpapi.TooManyRequests(a.mailed.Wait)
	}
	return codeSent(ctx), nil
}
