package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
)

// SessionLife is how long a session lives after it was begun or last renewed.
const SessionLife = 60 * 24 * time.Hour

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
	batch := &database.Batch{}
	found := s.Ask(batch, id)
	if err := batch.Send(ctx, s.db); err != nil {
		return Session{}, fmt.Errorf("read session: %w", err)
	}
	if found.Get() == nil {
		return Session{}, ErrNoSession
	}
	return *found.Get(), nil
}

// Ask adds the look-up of a session to p. Its result is nil for a session that is not valid.
func (s *StoredSessions) Ask(p database.Pipeline, id uuid.UUID) *database.Ask[*Session] {
	const q = `
		SELECT u.id, u.role, u.agency_id, s.second_factor_at IS NOT NULL
		  FROM sessions s JOIN users u ON u.id = s.user_id
		 WHERE s.id = $1 AND s.revoked_at IS NULL AND s.expires_at > now()
		   AND u.suspended_at IS NULL AND u.deleted_at IS NULL`
	return database.AskOptional(p, func(row pgx.CollectableRow) (Session, error) {
		var out Session
		err := row.Scan(&out.UserID, &out.Role, &out.AgencyID, &out.SecondFactor)
		return out, err
	}, q, id)
}

// Reason is why sessions ended.
type Reason string

// The reasons.
const (
	LoggedOut       Reason = "logout"
	Reused          Reason = "refresh_token_reused"
	PasswordChanged Reason = "password_changed"
	Suspended       Reason = "suspended"
	Deleted         Reason = "deleted"
	EndedByOwner    Reason = "ended_by_owner"
	RoleChanged     Reason = "role_changed"
	TooMany         Reason = "too_many_sessions"
	SecondFactorSet Reason = "second_factor" // it was turned on, or taken away
)

// Forgetter removes sessions from a cache.
type Forgetter interface {
	// Forget makes every process ask the database about these sessions, for longer
	// than a transaction can last. It must be called before the commit that changes them.
	Forget(ctx context.Context, sessions []uuid.UUID)
}

// Revoker ends sessions, for every process at once.
type Revoker struct {
	cache Forgetter // nil: no process caches sessions
}

// NewRevoker makes a Revoker that also tells the cache; nil where there is none.
func NewRevoker(cache Forgetter) *Revoker { return &Revoker{cache: cache} }

// All ends the valid sessions of a person, without the one named by except, if any.
func (r *Revoker) All(ctx context.Context, tx *database.Tx, user uuid.UUID, except *uuid.UUID, why Reason, now time.Time) error {
	const q = `
		UPDATE sessions SET revoked_at = $3, revoked_reason = $4
		 WHERE user_id = $1 AND id IS DISTINCT FROM $2 AND revoked_at IS NULL
		RETURNING id`
	return r.revoke(ctx, tx, q, user, except, now, string(why))
}

// One ends a session of a person. The result is 1, or 0 when the session had ended or is not theirs.
func (r *Revoker) One(ctx context.Context, p database.Pipeline, user, session uuid.UUID, why Reason, now time.Time) *database.Ask[int64] {
	const q = `
		UPDATE sessions SET revoked_at = $3, revoked_reason = $4
		 WHERE user_id = $1 AND id = $2 AND revoked_at IS NULL`
	if r.cache != nil {
		r.cache.Forget(ctx, []uuid.UUID{session}) // also for a session of somebody else, which is then only read once more
	}
	return database.AskAffected(p, q, user, session, now, string(why))
}

// Beyond ends all but the newest keep sessions of a person.
func (r *Revoker) Beyond(ctx context.Context, tx *database.Tx, user uuid.UUID, keep int, now time.Time) error {
	const q = `
		UPDATE sessions SET revoked_at = $3, revoked_reason = $4
		 WHERE id IN (SELECT id FROM sessions WHERE user_id = $1 AND revoked_at IS NULL ORDER BY last_used_at DESC, id DESC OFFSET $2)
		RETURNING id`
	return r.revoke(ctx, tx, q, user, keep, now, string(TooMany))
}

// Changed makes every process read a person's sessions again, because their role or agency changed.
func (r *Revoker) Changed(ctx context.Context, tx *database.Tx, user uuid.UUID) error {
	if r.cache == nil {
		return nil
	}
	return r.revoke(ctx, tx, `SELECT id FROM sessions WHERE user_id = $1 AND revoked_at IS NULL`, user)
}

// revoke waits for the outcome only where a cache has to hear of it before the commit.
func (r *Revoker) revoke(ctx context.Context, tx *database.Tx, q string, args ...any) error {
	if r.cache == nil {
		tx.Queue(q, args...)
		return nil
	}
	rows, err := tx.Query(ctx, q, args...)
	if err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	ended, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	if len(ended) > 0 {
		r.cache.Forget(ctx, ended)
	}
	return nil
}
