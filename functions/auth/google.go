package auth

import (
	"context"
	"errors"
	"time"

	"github.com/lafaekstreet/backend/shared/account"
	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/credential"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
)

func (g *Group) registerGoogle(a *httpapi.API) {
	op := operation("/auth/google", "Sign in with Google",
		"Finds the account by Google's subject, else links the one with the confirmed address. An account whose address was never "+
			"confirmed here loses its password, name and contact details on linking: whoever gave them has not shown that the address is theirs.")
	op.Aliases = map[string]string{"idToken": "id_token", "token": "id_token", "credential": "id_token"}
	op.Limit, op.LimitMember = admission.LimitGeneral, "" // a signed token cannot be guessed
	httpapi.Register(a, op.WithProblems(errGoogleDown, errGoogleOther, errGoogleToken, errGoogleUnverified, errSuspended, ledger.ErrHalted), g.withGoogle)
}

type googleInput struct {
	Body struct {
		_                 struct{} `schema:"GoogleSignIn"`
		IDToken           string   `json:"id_token" maxLength:"8192" doc:"As Google handed it to the app (aliases: idToken, token, credential)"`
		Device            *device  `json:"device,omitempty"`
		PreferredLanguage string   `json:"preferred_language,omitempty" maxLength:"35" doc:"For a new account; else the request's language"`
	}
}

var (
	errGoogleToken      = problem.New(problem.Unauthenticated, "google_token_invalid")
	errGoogleUnverified = problem.New(problem.Forbidden, "google_email_unverified")
	errGoogleOther      = problem.New(problem.Forbidden, "google_account_mismatch")
	errGoogleDown       = problem.New(problem.Unavailable, "google_unavailable").After(5 * time.Second)
)

func (g *Group) withGoogle(ctx context.Context, in *googleInput) (*signInOutput, error) {
	from := in.Body.Device.known(ctx)
	who, err := g.googleIdentity(ctx, in.Body.IDToken)
	if err != nil {
		return nil, err
	}
	var created bool
	var p person
	out, err := g.signInWith(ctx, func(tx *outbox.Tx) (*database.Ask[signInBody], error) {
		var err error
		if p, created, err = g.personOfGoogle(ctx, tx, who, languageOr(ctx, in.Body.PreferredLanguage)); err != nil {
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

func (g *Group) googleIdentity(ctx context.Context, token string) (credential.GoogleIdentity, error) {
	who, err := g.google.Verify(ctx, token)
	switch {
	case errors.Is(err, credential.ErrGoogleUnavailable):
		return credential.GoogleIdentity{}, errGoogleDown.Because(err)
	case err != nil:
		return credential.GoogleIdentity{}, errGoogleToken
	}
	address, ok := mail.ParseAddress(who.Email)
	if !ok || !who.EmailVerified {
		return credential.GoogleIdentity{}, errGoogleUnverified
	}
	who.Email = address
	return who, nil
}

// personOfGoogle finds the account by Google's subject, else links the account with the address,
// else creates one. The bool reports that it was created. The address is locked, so that two
// first sign-ins at once create one account.
func (g *Group) personOfGoogle(ctx context.Context, tx *outbox.Tx, who credential.GoogleIdentity, l locale.Language) (person, bool, error) {
	g.codes.LockAddress(tx, who.Email)
	g.codes.EndRegistrations(tx, who.Email)
	p, err := lockPerson(ctx, tx.Tx, byGoogleID, who.Subject)
	if !errors.Is(err, errNobody) {
		return p, false, err
	}
	p, err = lockPerson(ctx, tx.Tx, byEmail, who.Email)
	switch {
	case errors.Is(err, errNobody):
		p, err = g.newPerson(ctx, tx, who.Email, who.Subject, nameOf(who), l)
		return p, true, err
	case err != nil:
		return person{}, false, err
	case p.googleID != "":
		return person{}, false, errGoogleOther
	}
	if !p.verified {
		if err := g.forgetUnconfirmed(ctx, tx, &p, nameOf(who), l); err != nil {
			return person{}, false, err
		}
	}
	if err := g.accept(ctx, tx, &p); err != nil {
		return person{}, false, err
	}
	tx.Queue(`UPDATE users SET google_subject = $2, updated_at = $3 WHERE id = $1`, p.id, who.Subject, g.clock.Now())
	p.googleID = who.Subject
	return p, false, nil
}

// nameOf is the name that Google has; empty when it cannot be used, which does not prevent the sign-in.
func nameOf(who credential.GoogleIdentity) string {
	name, _ := account.ReadName("name", who.Name)
	return name
}
