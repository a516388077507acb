package users

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/credential"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
)

func (g *Group) registerPassword(a *httpapi.API) {
	op := operation(http.MethodPost, "/me/change-password", "Change the password",
		"Every other session ends. Somebody who signs in with Google alone gets a password by /auth/forgot-password.")
	op.Limit, op.Cache = admission.LimitAuth, httpapi.Never
	httpapi.Register(a, op.WithProblems(errNotFound, errPassword), g.changePassword)
}

type changePasswordInput struct {
	Body struct {
		_               struct{} `schema:"PasswordChange"`
		CurrentPassword string   `json:"current_password" maxLength:"1024"`
		NewPassword     string   `json:"new_password" maxLength:"1024" doc:"8 to 128 characters; not the address, not a common one"`
	}
}

// errPassword is a wrong password of a signed-in person. It is a 400, because clients drop their tokens on a 401.
var errPassword = problem.New(problem.BadRequest, "invalid_credentials")

// secret is the part of an account that its owner's identity is checked with.
type secret struct {
	email    string
	language locale.Language
	hash     string
	googleID string
}

func (g *Group) secretOf(ctx context.Context, user uuid.UUID) (secret, error) {
	const q = `
		SELECT email, preferred_language, coalesce(password_hash, ''), coalesce(google_subject, '')
		  FROM users WHERE id = $1 AND deleted_at IS NULL`
	var s secret
	err := g.db.QueryRow(ctx, q, user).Scan(&s.email, &s.language, &s.hash, &s.googleID)
	if errors.Is(err, pgx.ErrNoRows) {
		return secret{}, errNotFound
	}
	if err != nil {
		return secret{}, fmt.Errorf("read account: %w", err)
	}
	return s, nil
}

func (g *Group) changePassword(ctx context.Context, in *changePasswordInput) (*httpapi.MessageOutput, error) {
	c := identity.Must(ctx)
	s, err := g.secretOf(ctx, c.UserID)
	if err != nil {
		return nil, err
	}
	if weakness := credential.Weak(in.Body.NewPassword, s.email); weakness != "" {
		text := locale.TextFor(ctx, "password."+string(weakness))
		return nil, problem.InvalidField("new_password", text)
	}
	verdict, err := g.hasher.Check(ctx, s.hash, in.Body.CurrentPassword)
	if err != nil {
		return nil, err
	}
	if !verdict.Matches {
		return nil, errPassword
	}
	hash, err := g.hasher.Hash(ctx, in.Body.NewPassword)
	if err != nil {
		return nil, err
	}
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		// Only from the password that was checked: of two changes at once, one succeeds.
		const q = `UPDATE users SET password_hash = $3, updated_at = now() WHERE id = $1 AND password_hash = $2 AND deleted_at IS NULL`
		tag, err := tx.Exec(ctx, q, c.UserID, s.hash, hash)
		if err != nil {
			return fmt.Errorf("change password: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return errPassword
		}
		if err := g.revoker.All(ctx, tx.Tx, c.UserID, &c.SessionID, identity.PasswordChanged, g.clock.Now()); err != nil {
			return err
		}
		return mail.Send(ctx, tx, g.sealer, mail.Message{To: s.email, Language: s.language, Template: mail.PasswordChanged})
	})
	if err != nil {
		return nil, err
	}
	return httpapi.Message(ctx, "users.password_changed"), nil
}

// proven checks the password, or a fresh Google token of the same person.
func (g *Group) proven(ctx context.Context, s secret, given, idToken string) error {
	if idToken != "" {
		who, err := g.google.Verify(ctx, idToken)
		if errors.Is(err, credential.ErrGoogleUnavailable) {
			return errGoogleUnavailable.Because(err)
		}
		if err != nil || s.googleID == "" || who.Subject != s.googleID || g.clock.Now().Sub(who.IssuedAt) > googleFresh {
			return errGoogleTokenInvalid
		}
		return nil
	}
	if given == "" {
		return errPasswordRequired
	}
	verdict, err := g.hasher.Check(ctx, s.hash, given)
	if err != nil {
		return err
	}
	if !verdict.Matches {
		return errPassword
	}
	return nil
}
