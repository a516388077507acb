package identity

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
)

// Session says what its person may do now. It overrules the access token, which may
// be an hour old.
type Session struct {
	UserID       uuid.UUID  `json:"u"`
	Role         Role       `json:"r"`
	AgencyID     *uuid.UUID `json:"a,omitempty"`
	SecondFactor bool       `json:"m,omitempty"`
}

// ErrNoSession reports a session that was revoked, has ended or never was, or
// whose person may not sign in any more.
var ErrNoSession = errors.New("session is not valid")

// Sessions finds valid sessions.
type Sessions interface {
	// Session returns a valid session, else ErrNoSession.
	Session(ctx context.Context, id uuid.UUID) (Session, error)
}

// StoredSessions finds sessions in the database.
type StoredSessions struct {
	db database.Querier
}

// NewStoredSessions reads the sessions table.
func NewStoredSessions(db database.Querier) *StoredSessions { return &StoredSessions{db: db} }

// Session implements Sessions.
func (s *StoredSessions) Session(ctx context.Context, id uuid.UUID) (Session, error) {
	const q = `
		SELECT u.id, u.role, u.agency_id, s.second_factor_at IS NOT NULL
		  FROM sessions s JOIN users u ON u.id = s.user_id
		 WHERE s.id = $1 AND s.revoked_at IS NULL AND s.expires_at > now()
		   AND u.suspended_at IS NULL AND u.deleted_at IS NULL`
	var out Session
	err := s.db.QueryRow(ctx, q, id).Scan(&out.UserID, &out.Role, &out.AgencyID, &out.SecondFactor)
	if errors.Is(err, pgx.ErrNoRows) {
		return Session{}, ErrNoSession
	}
	if err != nil {
		return Session{}, fmt.Errorf("read session: %w", err)
	}
	return out, nil
}
