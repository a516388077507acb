package account

import (
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/problem"
)

// Forget removes everything that an account had whose address was never confirmed: somebody else may have registered it. The
// caller ends its sessions, and the registrations of the address.
func Forget(p database.Pipeline, user uuid.UUID, name string, l locale.Language, now time.Time) {
	const empty = `
		UPDATE users SET password_hash = NULL, full_name = $2, phone_number = NULL, country = NULL, instagram = NULL,
		       share_contact = false, avatar_upload_id = NULL, notification_prefs = '{}', preferred_language = $3, updated_at = $4
		 WHERE id = $1`
	p.Queue(empty, user, name, string(l), now)
	p.Queue(`DELETE FROM devices WHERE user_id = $1`, user)
}

// ReadName is a person's name without control characters around or within. It refuses one without 1 to 100 characters.
func ReadName(field, s string) (string, error) {
	name := strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)), " ")
	if name == "" || len([]rune(name)) > 100 {
		return "", problem.InvalidField(field, "expected 1 to 100 characters")
	}
	return name, nil
}
