package ledger

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/outbox"
)

const saltBytes = 32

// newSalt gives a report its salt, with its first event.
func newSalt(w *outbox.Work, report uuid.UUID, at time.Time) []byte {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails
	w.Later(`INSERT INTO report_salts (report_id, salt, created_at) VALUES ($1, $2, $3)`, report, salt, at)
	return salt
}

// selectSalt has no row once the report is erased.
const selectSalt = `SELECT salt FROM report_salts WHERE report_id = $1`

// Forget erases what the ledger could tell about the content of reports: their
// salts. Every proof of existence stays valid; nobody can any more confirm, not
// even by guessing, what a title, a description or an exact place was.
// There is no way back.
func Forget(ctx context.Context, q database.Querier, reports ...uuid.UUID) error {
	if _, err := q.Exec(ctx, `DELETE FROM report_salts WHERE report_id = ANY($1)`, reports); err != nil {
		return fmt.Errorf("erase salts: %w", err)
	}
	return nil
}

// ForgetPerson is Forget for every report of a user.
func ForgetPerson(ctx context.Context, q database.Querier, user uuid.UUID) error {
	const erase = `DELETE FROM report_salts WHERE report_id IN (SELECT id FROM reports WHERE user_id = $1)`
	if err := database.Later(ctx, q, erase, user); err != nil {
		return fmt.Errorf("erase salts of a person: %w", err)
	}
	return nil
}
