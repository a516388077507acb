// Package identity says who is calling: it verifies access tokens and checks
// that their session is still valid.
package identity

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/problem"
)

// Role is what a person may do.
type Role string

// The roles.
const (
	Citizen   Role = "citizen"
	Moderator Role = "moderator"
	Official  Role = "government_official"
	Admin     Role = "admin"
)

// Staff lists the roles that work on reports.
func Staff() []Role { return []Role{Moderator, Official, Admin} }

// Moderators lists the roles that decide what is shown.
func Moderators() []Role { return []Role{Moderator, Admin} }

// IsStaff reports whether r is one of them.
func (r Role) IsStaff() bool { return r == Moderator || r == Official || r == Admin }

// Caller is the signed-in person behind a request.
type Caller struct {
	UserID    uuid.UUID
	SessionID uuid.UUID
	Role      Role
	// AgencyID is the agency an official works for.
	AgencyID *uuid.UUID
	// SecondFactor reports that the session passed TOTP.
	SecondFactor bool
}

// ErrSecondFactor is the answer to a caller whose session has to pass the second factor first.
var ErrSecondFactor = problem.New(problem.Forbidden, "second_factor_required")

// IsAdmin reports whether c may do what only an administrator may. It fails with ErrSecondFactor for an administrator whose
// session did not pass the second factor. Operations that others may use too ask it, where they decide by the role;
// operations for administrators alone declare Roles and SecondFactor.
func (c Caller) IsAdmin() (bool, error) {
	if c.Role != Admin {
		return false, nil
	}
	if !c.SecondFactor {
		return false, ErrSecondFactor
	}
	return true, nil
}

type contextKey struct{}

// WithCaller returns ctx for a request of c.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, contextKey{}, c)
}

// FromContext is the caller; ok is false when nobody is signed in.
func FromContext(ctx context.Context) (Caller, bool) {
	c, ok := ctx.Value(contextKey{}).(Caller)
	return c, ok
}

// Must is the caller of an operation that runs for signed-in people alone. It panics
// where nobody is signed in: such an operation was registered without a check of access.
func Must(ctx context.Context) Caller {
	c, ok := FromContext(ctx)
	if !ok {
		panic("identity: no caller in the context: the operation must be registered with access SignedIn")
	}
	return c
}

// adminsLock is the advisory lock under which administrators are counted; the number has no meaning.
const adminsLock = 5_221_940_113

// LockAdmins keeps other transactions from counting administrators until this one ends.
func LockAdmins(tx *database.Tx) { tx.Queue(`SELECT pg_advisory_xact_lock($1)`, adminsLock) }

// OtherAdmins counts the administrators besides user who may sign in. Other transactions
// that count wait until this one ends, so that the last two cannot both be removed.
func OtherAdmins(ctx context.Context, tx *database.Tx, user uuid.UUID) (int, error) {
	LockAdmins(tx)
	const q = `
		SELECT count(*) FROM users WHERE role = 'admin' AND id <> $1 AND suspended_at IS NULL AND deleted_at IS NULL`
	var n int
	if err := tx.QueryRow(ctx, q, user).Scan(&n); err != nil {
		return 0, fmt.Errorf("count administrators: %w", err)
	}
	return n, nil
}
