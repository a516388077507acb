package auth

import (
	"cmp"
	"context"
	"net/http"
	"strconv"

	"github.com/lafaekstreet/backend/shared/account"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/outbox"
)

func (g *Group) registerAccount(a *httpapi.API) {
	register := operation("/auth/register", "Register with an e-mail address",
		"Mails a 6-digit code to confirm the address with. An address that already has an account gets the same answer, "+
			"and a mail that says so: nobody learns here who has one.")
	register.DefaultStatus = http.StatusCreated
	httpapi.Register(a, register, g.register)

	verify := operation("/auth/verify-otp", "Confirm the address with the mailed code, and sign in",
		"The newest code counts, once, for 10 minutes and 5 attempts.")
	verify.Aliases = map[string]string{"otp_code": "otp", "code": "otp"}
	verify.Errors = []int{http.StatusBadRequest, http.StatusForbidden}
	httpapi.Register(a, verify, g.verifyOTP)

	resend := operation("/auth/resend-otp", "Mail another code",
		"At most one a minute and five an hour for an address, known or not.")
	httpapi.Register(a, resend, g.resendOTP)
}

type registerInput struct {
	Body struct {
		Email             string  `json:"email" maxLength:"320" example:"maria@example.tl"`
		Password          string  `json:"password" maxLength:"1024" doc:"8 to 128 characters; not the address, not a common one" example:"rua-Aimutin-42"`
		FullName          string  `json:"full_name" minLength:"1" maxLength:"400" doc:"1 to 100 characters" example:"Maria dos Santos"`
		PhoneNumber       string  `json:"phone_number,omitempty" maxLength:"32" example:"+67077001122"`
		PreferredLanguage string  `json:"preferred_language,omitempty" maxLength:"35" doc:"tet, pt or en; else the request's language" example:"tet"`
		Device            *device `json:"device,omitempty"`
	}
}

type registerOutput struct {
	Body struct {
		Message      string `json:"message"`
		Email        string `json:"email" doc:"The address as the system knows it"`
		OTPExpiresIn int    `json:"otp_expires_in" doc:"Seconds the code is good for" example:"600"`
	}
}

func (g *Group) register(ctx context.Context, in *registerInput) (*registerOutput, error) {
	b := in.Body
	address, err := checkedEmail(b.Email)
	if err != nil {
		return nil, err
	}
	if err := checkedPassword(ctx, "password", b.Password, address); err != nil {
		return nil, err
	}
	name, err := checkedName("full_name", b.FullName)
	if err != nil {
		return nil, err
	}
	if _, err := b.Device.checked(); err != nil {
		return nil, err
	}
	n := newcomer{email: address, fullName: name, phone: optional(b.PhoneNumber), language: languageOr(ctx, b.PreferredLanguage)}
	if n.passwordHash, err = g.hasher.Hash(ctx, b.Password); err != nil {
		return nil, err
	}
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		stored := n.store(tx)
		a, err := g.codes.look(ctx, tx.Tx, wanted{address: address, purpose: registration, overDecoys: true})
		if err != nil {
			return err
		}
		if stored.Get() == 0 {
			return g.tellKnown(ctx, tx, a)
		}
		sent, err := g.mailCode(ctx, tx, n.language, a)
		return cmp.Or(err, sent.fault())
	})
	if err != nil {
		return nil, err
	}
	out := &registerOutput{}
	out.Body.Message, out.Body.Email, out.Body.OTPExpiresIn = locale.TextFor(ctx, "auth.code_sent"), address, int(codeLife.Seconds())
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

// store writes the account. The result is 0, and nothing changes, when a confirmed account has the address; else 1. An
// unconfirmed account is replaced, because its owner never proved to have the address.
func (n newcomer) store(p database.Pipeline) *database.Ask[int64] {
	const upsert = `
		INSERT INTO users AS u (id, email, password_hash, full_name, phone_number, country, instagram, preferred_language)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (email) WHERE email IS NOT NULL DO UPDATE
		   SET password_hash = excluded.password_hash, full_name = excluded.full_name, phone_number = excluded.phone_number,
		       country = excluded.country, instagram = excluded.instagram,
		       preferred_language = excluded.preferred_language, updated_at = now()
		 WHERE u.email_verified_at IS NULL`
	return database.AskAffected(p, upsert, account.NewID(), n.email, n.passwordHash, n.fullName, n.phone, n.country, n.instagram, string(n.language))
}

// tellKnown mails the owner of a confirmed account that somebody tried to register it.
func (g *Group) tellKnown(ctx context.Context, tx *outbox.Tx, a *asked) error {
	a.decoy = true
	decoy := g.codes.issue(tx.Tx, a)
	if err := decoy.fault(); err != nil || decoy.wait > 0 {
		return err
	}
	return mail.Send(ctx, tx, g.sealer, mail.Message{To: a.address, Language: a.owner.reader(), Template: mail.AlreadyRegistered})
}

// fault returns a 429 if the address has had all its codes of this hour. It returns nil during the minute between two
// codes, because the code sent before is still valid.
func (i issued) fault() error {
	if i.exhausted {
		return httpapi.TooManyRequests(i.wait)
	}
	return nil
}

// mailCode mails the newest code of a purpose, unless one went out too recently.
func (g *Group) mailCode(ctx context.Context, tx *outbox.Tx, l locale.Language, a *asked) (issued, error) {
	i := g.codes.issue(tx.Tx, a)
	if i.code == "" {
		return i, nil
	}
	template := mail.RegistrationCode
	if a.purpose == passwordReset {
		template = mail.PasswordResetCode
	}
	return i, mail.Send(ctx, tx, g.sealer, mail.Message{To: a.address, Language: l, Template: template,
		Params: map[string]string{"code": i.code, "minutes": strconv.Itoa(int(codeLife.Minutes()))}})
}

type verifyInput struct {
	Body struct {
		Email  string  `json:"email" maxLength:"320" example:"maria@example.tl"`
		OTP    string  `json:"otp" maxLength:"20" doc:"The 6 digits of the mail (aliases: otp_code, code)" example:"123456"`
		Device *device `json:"device,omitempty"`
	}
}

func (g *Group) verifyOTP(ctx context.Context, in *verifyInput) (*signInOutput, error) {
	address, err := checkedEmail(in.Body.Email)
	if err != nil {
		return nil, err
	}
	from, err := in.Body.Device.checked()
	if err != nil {
		return nil, err
	}
	code, err := g.codes.try(ctx, g.db, address, registration, in.Body.OTP)
	if err != nil {
		return nil, err
	}
	return g.signInWith(ctx, func(tx *outbox.Tx) (*database.Ask[signInBody], error) {
		p, err := g.codes.consume(ctx, tx.Tx, code, address)
		if err != nil {
			return nil, err
		}
		g.markVerified(tx, p)
		return g.signIn(ctx, tx.Tx, p, from, factorPassed{})
	})
}

func (g *Group) markVerified(in database.Pipeline, p person) {
	in.Queue(`UPDATE users SET email_verified_at = $2, updated_at = now() WHERE id = $1 AND email_verified_at IS NULL`, p.id, g.clock.Now())
}

type resendInput struct {
	Body struct {
		Email   string `json:"email" maxLength:"320" example:"maria@example.tl"`
		Purpose string `json:"purpose,omitempty" maxLength:"40" doc:"registration (default) or password_reset"`
	}
}

type resendOutput struct {
	Body struct {
		Message      string `json:"message"`
		OTPExpiresIn int    `json:"otp_expires_in" doc:"Seconds the code is good for" example:"600"`
		ResendAfter  int    `json:"resend_after" doc:"Seconds until another may be asked for" example:"60"`
	}
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
	var sent issued
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		sent, err = g.codeFor(ctx, tx, address, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	if sent.wait > 0 {
		return nil, httpapi.TooManyRequests(sent.wait)
	}
	out := &resendOutput{}
	out.Body.Message, out.Body.OTPExpiresIn = locale.TextFor(ctx, "auth.code_sent"), int(codeLife.Seconds())
	out.Body.ResendAfter = int(resendAfter.Seconds())
	return out, nil
}

// codeFor mails a code when the account of the address may use one for p. Otherwise it stores a decoy and mails nothing.
func (g *Group) codeFor(ctx context.Context, tx *outbox.Tx, address string, p purpose) (issued, error) {
	a, err := g.codes.look(ctx, tx.Tx, wanted{address: address, purpose: p})
	if err != nil {
		return issued{}, err
	}
	a.decoy = !a.owner.there() || a.owner.suspended || p == registration && a.owner.verified
	return g.mailCode(ctx, tx, a.owner.reader(), a)
}
