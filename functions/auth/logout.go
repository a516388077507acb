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
)

func (g *Group) registerLogout(a *httpapi.API) {
	logout := operation("/auth/logout", "End this session, or all of them",
		"The access token stops working at once, everywhere; the device gets no more push messages.")
	logout.Access, logout.Limit, logout.LimitMember = httpapi.SignedIn, admission.LimitGeneral, ""
	httpapi.Register(a, logout, g.logout)
}

type logoutInput struct {
	Body *struct {
		RefreshToken string `json:"refresh_token,omitempty" maxLength:"512" doc:"Also ends the session this belongs to, when it is the caller's"`
		AllDevices   bool   `json:"all_devices,omitempty" doc:"Ends every session of the caller"`
	} `required:"false"`
}

func (g *Group) logout(ctx context.Context, in *logoutInput) (*httpapi.MessageOutput, error) {
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
	return httpapi.Message(ctx, "auth.logged_out"), nil
}
