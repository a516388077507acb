package identity

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
)

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
