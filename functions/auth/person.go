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
}

func (p person) reader() locale.Language {
	l, _ := locale.Parse(p.language)
	return l
}

var errNobody = errors.New("nobody")

const personColumns = `id, email, full_name, coalesce(password_hash, ''), coalesce(google_subject, ''), role, agency_id,
	preferred_language, email_verified_at IS NOT NULL, suspended_at IS NOT NULL, totp_confirmed_at IS NOT NULL, updated_at`

// personBy reads the account that meets condition and was not erased, else errNobody. The
// condition is a constant with $1 for value. lock locks the row until the transaction ends.
func personBy(ctx context.Context, q database.Querier, condition string, value any, lock bool) (person, error) {
	rows, _ := q.Query(ctx, personQuery(condition, lock), value) // its error is in rows too
	p, err := pgx.CollectOneRow(rows, scanPerson)
	if errors.Is(err, pgx.ErrNoRows) {
		return person{}, errNobody
	}
	if err != nil {
		return person{}, fmt.Errorf("read person: %w", err)
	}
	return p, nil
}

func personQuery(condition string, lock bool) string {
	query := `SELECT ` + personColumns + ` FROM users WHERE deleted_at IS NULL AND ` + condition
	if lock {
		query += ` FOR UPDATE`
	}
	return query
}

// askPerson is personBy in a pipeline. The result is the zero person when there is none.
func askPerson(p database.Pipeline, condition string, value any, lock bool) *database.Ask[person] {
	found := database.AskOptional(p, scanPerson, personQuery(condition, lock), value)
	return database.Derive(func() person {
		if found.Get() == nil {
			return person{}
		}
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
