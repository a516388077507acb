package ledger

import (
	"crypto/rand"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
)

const saltBytes = 32

// newSalt gives a report its salt, with its first event.
func newSalt(p database.Pipeline, report uuid.UUID, at time.Time) []byte {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails
	p.Queue(`INSERT INTO report_salts (report_id, salt, created_at) VALUES ($1, $2, $3)`, report, salt, at)
	return salt
}

// selectSalt has no row once the report is erased.
const selectSalt = `SELECT salt FROM report_salts WHERE report_id = $1`

// ForgetPerson erases what the ledger could tell about the content of a person's reports: their salts. Every proof of
// existence stays valid; nobody can any more confirm, not even by guessing, what a title, a description or an exact
// place was. There is no way back.
func ForgetPerson(p database.Pipeline, user uuid.UUID) {
	p.Queue(`DELETE FROM report_salts WHERE report_id IN (SELECT id FROM reports WHERE user_id = $1)`, user)
}
