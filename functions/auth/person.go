package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/locale"
)

// person is the part of an account that signing in needs.
type person struct {
	id           uuid.UUID
	email        string
	fullName     string
	passwordHash string // empty without a password
	googleID     string // empty without one
	role         identity.Role
	agencyID     *uuid.UUID
	language     string
	verified     bool
	suspended    bool
	secondFactor bool // TOTP is on
	changed      time.Time
	waiting      bool        // staff filed reports for the address; as invited
	invited      *invitation // nil without one, and for a person who was read without a lock
}

func (p person) reader() locale.Language {
	l, _ := locale.Parse(p.language)
	return l
}

var errNobody = errors.New("nobody")

const personColumns = `id, email, full_name, coalesce(password_hash, ''), coalesce(google_subject, ''), role, agency_id,
	preferred_language, email_verified_at IS NOT NULL, suspended_at IS NOT NULL, totp_confirmed_at IS NOT NULL, updated_at`

// lockPerson reads the account that meets condition and was not erased, else errNobody. The condition is a constant with $1 for
// value. The row is locked until the transaction ends.
func lockPerson(ctx context.Context, tx *database.Tx, condition string, value any) (person, error) {
	found := askPerson(tx, condition, value, true)
	if err := tx.Flush(ctx); err != nil {
		return person{}, fmt.Errorf("read person: %w", err)
	}
	if p := found.Get(); p.there() {
		return p, nil
	}
	return person{}, errNobody
}

func personQuery(condition string, lock bool) string {
	query := `SELECT ` + personColumns + ` FROM users WHERE deleted_at IS NULL AND ` + condition
	if lock {
		query += ` FOR UPDATE`
	}
	return query
}

// askPerson is lockPerson in a pipeline. The result is the zero person when there is none. Without lock the invitation is not read.
func askPerson(p database.Pipeline, condition string, value any, lock bool) *database.Ask[person] {
	found := database.AskOptional(p, scanPerson, personQuery(condition, lock), value)
	invited, waiting := database.Derive(func() *invitation { return nil }), database.Derive(func() bool { return false })
	if lock {
		invited, waiting = askInvitation(p, condition, value), askWaiting(p, condition, value)
	}
	return database.Derive(func() person {
		if found.Get() == nil {
			return person{}
		}
		found.Get().invited, found.Get().waiting = invited.Get(), waiting.Get()
		return *found.Get()
	})
}

// there reports whether p is an account, not the zero person.
func (p person) there() bool { return p.id != uuid.Nil }

func scanPerson(row pgx.CollectableRow) (person, error) {
	var p person
	err := row.Scan(&p.id, &p.email, &p.fullName, &p.passwordHash, &p.googleID, &p.role, &p.agencyID,
		&p.language, &p.verified, &p.suspended, &p.secondFactor, &p.changed)
	return p, err
}

const (
	byID       = `id = $1`
	byEmail    = `email = $1`
	byGoogleID = `google_subject = $1`
)
