package auth

import (
	"context"

	"github.com/lafaekstreet/backend/shared/credential"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/outbox"
)

func (g *Group) registerReset(a *httpapi.API) {
	forgot := operation("/auth/forgot-password", "Ask for a code to choose a new password with",
		"The answer is the same whether or not the address is known.")
	httpapi.Register(a, forgot, g.forgot)

	reset := operation("/auth/reset-password", "Choose a new password with the mailed code",
		"Every session ends; sign in with the new password. An account whose address was never confirmed loses its name and whatever else somebody gave it.")
	reset.Aliases = map[string]string{"password": "new_password", "otp_code": "otp", "code": "otp"}
	httpapi.Register(a, reset.WithProblems(credential.ErrCodeExpired, credential.ErrCodeInvalid.With("attempts_left", 4), ledger.ErrHalted), g.reset)
}

type forgotInput struct {
	Origin
	Body struct {
		_     struct{} `schema:"PasswordForgot"`
		Email string   `json:"email" maxLength:"320" example:"maria@example.tl"`
	}
}

func (g *Group) forgot(ctx context.Context, in *forgotInput) (*httpapi.MessageOutput, error) {
	address, err := checkedEmail(in.Body.Email)
	if err != nil {
		return nil, err
	}
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		a, err := g.codeFor(ctx, tx, credential.CodeRequest{Address: address, Purpose: credential.ForPasswordReset, From: in.address})
		if err != nil {
			return err
		}
		return a.networkLimit()
	})
	if err != nil {
		return nil, err
	}
	return httpapi.Message(ctx, "auth.reset_code_sent"), nil
}

type resetInput struct {
	Origin
	Body struct {
		_           struct{} `schema:"PasswordReset"`
		Email       string   `json:"email" maxLength:"320" example:"maria@example.tl"`
		OTP         string   `json:"otp" format:"typed-code" maxLength:"64" doc:"The digits of the mail" example:"123456"`
		NewPassword string   `json:"new_password" maxLength:"1024" doc:"Alias: password" example:"ponte-Comoro-77"`
	}
}

func (g *Group) reset(ctx context.Context, in *resetInput) (*httpapi.MessageOutput, error) {
	address, err := checkedEmail(in.Body.Email)
	if err != nil {
		return nil, err
	}
	if err := checkedPassword(ctx, "new_password", in.Body.NewPassword, address); err != nil {
		return nil, err
	}
	code, err := g.codes.Try(ctx, g.db, credential.Attempt{Address: address, Purpose: credential.ForPasswordReset, From: in.address, Code: in.Body.OTP})
	if err != nil {
		return nil, err
	}
	hash, err := g.hasher.Hash(ctx, in.Body.NewPassword)
	if err != nil {
		return nil, err
	}
	var p person
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		if p, err = g.consume(ctx, tx, code, address); err != nil {
			return err
		}
		return g.replacePassword(ctx, tx, p, hash)
	})
	if err != nil {
		return nil, err
	}
	g.claim(ctx, p)
	return httpapi.Message(ctx, "auth.password_changed"), nil
}

// replacePassword stores a new password for p, who proved to have the address. It confirms the
// address, ends every session and mails a notice, unless the person is invited and had no password. An account whose address was
// not confirmed before loses what it had.
func (g *Group) replacePassword(ctx context.Context, tx *outbox.Tx, p person, hash string) error {
	g.codes.EndRegistrations(tx, p.email)
	if !p.verified {
		if err := g.forgetUnconfirmed(ctx, tx, &p, "", locale.FromContext(ctx)); err != nil {
			return err
		}
	} else if err := g.endSessions(ctx, tx, p); err != nil {
		return err
	}
	setPassword(tx, p.id, hash)
	if p.invited != nil {
		return g.accept(ctx, tx, &p)
	}
	return mail.Send(ctx, tx, g.sealer, mail.Message{To: p.email, Language: p.reader(), Template: mail.PasswordChanged})
}
