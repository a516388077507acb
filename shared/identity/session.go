package identity

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
)

// Sessions knows which sessions stand.
type Sessions interface {
	// Stands reports whether the session was not revoked and has not ended.
	Stands(ctx context.Context, id uuid.UUID) (bool, error)
}

// StoredSessions asks the database.
type StoredSessions struct {
	db database.Querier
}

// NewStoredSessions reads the sessions table.
func NewStoredSessions(db database.Querier) *StoredSessions { return &StoredSessions{db: db} }

// Stands implements Sessions.
func (s *StoredSessions) Stands(ctx context.Context, id uuid.UUID) (bool, error) {
	const q = `SELECT revoked_at IS NULL AND expires_at > now() FROM sessions WHERE id = $1`
	var stands bool
	err := s.db.QueryRow(ctx, q, id).Scan(&stands)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read session: %w", err)
	}
	return stands, nil
}
