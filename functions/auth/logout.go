package auth

import (
	"context"
	"errors"
	"fmt"

	"github.com/lafaekstreet/backend/shared/admission"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/warning"
)

func (g *Group) registerLogout(a *httpapi.API) {
	logout := operation("/auth/logout", "End this session, or all of them",
		"The access token stops working at once, everywhere; the device gets no more push messages. Whatever cannot be read is left out "+
			"with a warning, and this session ends all the same. An all_devices that cannot be read ends this session alone.")
	logout.Lenient = &httpapi.Lenient{AnyBody: true} // nothing that is sent keeps somebody signed in
	logout.Access, logout.Limit, logout.LimitMember = httpapi.SignedIn, admission.LimitGeneral, ""
	httpapi.Register(a, logout, g.logout)
}

type logoutInput struct {
	Body *struct {
		_            struct{} `schema:"Logout"`
		RefreshToken string   `json:"refresh_token,omitempty" maxLength:"512" doc:"Also ends the session this belongs to, when it is the caller's"`
		AllDevices   bool     `json:"all_devices,omitempty" doc:"Ends every session of the caller"`
	} `required:"false"`
}

type logoutOutput struct {
	Body struct {
		_        struct{}          `schema:"LogoutResult"`
		Message  string            `json:"message" doc:"What happened, in the reader's language"`
		Warnings []warning.Warning `json:"warnings,omitempty" doc:"What of the request was not kept; left out if everything was"`
	}
}

func (g *Group) logout(ctx context.Context, in *logoutInput) (*logoutOutput, error) {
	c := identity.Must(ctx)
	err := g.db.InTx(ctx, func(tx *database.Tx) error {
		if in.Body != nil && in.Body.AllDevices {
			return g.revoker.All(ctx, tx, c.UserID, nil, identity.LoggedOut, g.clock.Now())
		}
		g.revoker.One(ctx, tx, c.UserID, c.SessionID, identity.LoggedOut, g.clock.Now())
		if in.Body == nil || in.Body.RefreshToken == "" {
			return nil
		}
		var other uuid.UUID
		err := tx.QueryRow(ctx, `SELECT session_id FROM refresh_tokens WHERE token_hash = $1`, refreshHash(in.Body.RefreshToken)).Scan(&other)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read refresh token: %w", err)
		}
		g.revoker.One(ctx, tx, c.UserID, other, identity.LoggedOut, g.clock.Now())
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &logoutOutput{}
	out.Body.Message, out.Body.Warnings = locale.TextFor(ctx, "auth.logged_out"), warning.FromContext(ctx).List()
	return out, nil
}
