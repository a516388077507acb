package users

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

func (g *Group) registerSessions(a *httpapi.API) {
	list := operation(http.MethodGet, "/me/sessions", "List where one is signed in", "Last used first.")
	list.Cache = httpapi.Never
	httpapi.Register(a, list, g.sessions)
	httpapi.Register(a, operation(http.MethodDelete, "/me/sessions/{id}", "End a session",
		"Its access token stops working at once.").WithProblems(errSessionNotFound), g.endSession)
}

// Session is one sign-in.
type Session struct {
	ID           uuid.UUID      `json:"id"`
	DeviceID     *string        `json:"device_id"`
	Platform     *string        `json:"platform"`
	AppVersion   *string        `json:"app_version"`
	OSVersion    *string        `json:"os_version"`
	Model        *string        `json:"model"`
	SecondFactor bool           `json:"second_factor" doc:"It passed the second factor"`
	Current      bool           `json:"current" doc:"It is the one asking"`
	CreatedAt    timestamp.Time `json:"created_at"`
	LastUsedAt   timestamp.Time `json:"last_used_at"`
	ExpiresAt    timestamp.Time `json:"expires_at"`
}

type sessionsOutput struct {
	Body struct {
		_     struct{}  `schema:"SessionList"`
		Items []Session `json:"items"`
		Total int       `json:"total"`
	}
}

func (g *Group) sessions(ctx context.Context, _ *struct{}) (*sessionsOutput, error) {
	c := identity.Must(ctx)
	const q = `
		SELECT id, device_id, platform, app_version, os_version, model, second_factor_at IS NOT NULL, created_at, last_used_at, expires_at
		  FROM sessions WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2 ORDER BY last_used_at DESC, id DESC LIMIT 100`
	rows, err := g.db.Query(ctx, q, c.UserID, g.clock.Now())
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	out := &sessionsOutput{}
	out.Body.Items, err = pgx.AppendRows([]Session{}, rows, func(row pgx.CollectableRow) (Session, error) {
		var s Session
		var created, used, expires time.Time
		err := row.Scan(&s.ID, &s.DeviceID, &s.Platform, &s.AppVersion, &s.OSVersion, &s.Model, &s.SecondFactor, &created, &used, &expires)
		s.CreatedAt, s.LastUsedAt, s.ExpiresAt = timestamp.Of(created), timestamp.Of(used), timestamp.Of(expires)
		s.Current = s.ID == c.SessionID
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	out.Body.Total = len(out.Body.Items)
	return out, nil
}

type sessionInput struct {
	ID uuid.UUID `path:"id" format:"uuid"`
}

func (g *Group) endSession(ctx context.Context, in *sessionInput) (*httpapi.MessageOutput, error) {
	c := identity.Must(ctx)
	var ended *database.Ask[int64]
	err := g.db.InTx(ctx, func(tx *database.Tx) error {
		ended = g.revoker.One(ctx, tx, c.UserID, in.ID, identity.EndedByOwner, g.clock.Now())
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("end session: %w", err)
	}
	if ended.Get() == 0 {
		return nil, errSessionNotFound
	}
	return httpapi.Message(ctx, "users.session_ended"), nil
}
