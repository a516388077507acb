package report

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/problem"
)

// ErrNotFound is what everybody gets for a report that is unknown, withdrawn or not theirs to see.
var ErrNotFound = problem.New(problem.NotFound, "report_not_found")

// Held is a report whose row the transaction has locked: nobody else changes it
// until the transaction ends.
type Held struct {
	ID             uuid.UUID
	Number         string
	UserID         *uuid.UUID // nil once the author is erased
	IssueType      IssueType
	Severity       Severity
	Status         Status
	AIStatus       AIStatus
	AssignedAgency *uuid.UUID
	DuplicateOf    *uuid.UUID
	IsAnonymous    bool
	Appealed       bool
	Title          string
	Description    string
	Version        int
}

const heldColumns = `id, report_number, user_id, issue_type, severity, status, ai_status, assigned_agency_id,
	duplicate_of, is_anonymous, appealed_at IS NOT NULL, title, description, version`

func scanHeld(row pgx.CollectableRow) (Held, error) {
	var h Held
	err := row.Scan(&h.ID, &h.Number, &h.UserID, &h.IssueType, &h.Severity, &h.Status, &h.AIStatus, &h.AssignedAgency,
		&h.DuplicateOf, &h.IsAnonymous, &h.Appealed, &h.Title, &h.Description, &h.Version)
	return h, err
}

// Hold locks a report until the transaction ends; ErrNotFound when there is none or it was withdrawn.
func Hold(ctx context.Context, tx database.Querier, id uuid.UUID) (Held, error) {
	all, err := holdAll(ctx, tx, id)
	if err != nil {
		return Held{}, err
	}
	if len(all) == 0 {
		return Held{}, ErrNotFound
	}
	return all[0], nil
}

// holdAll locks several, always in the order of their ids, so that two
// transactions that want the same ones never wait for each other in a circle.
func holdAll(ctx context.Context, tx database.Querier, ids ...uuid.UUID) ([]Held, error) {
	const q = `SELECT ` + heldColumns + ` FROM reports WHERE id = ANY($1) AND deleted_at IS NULL ORDER BY id FOR UPDATE`
	rows, err := tx.Query(ctx, q, ids)
	if err != nil {
		return nil, fmt.Errorf("lock reports: %w", err)
	}
	all, err := pgx.CollectRows(rows, scanHeld)
	if err != nil {
		return nil, fmt.Errorf("lock reports: %w", err)
	}
	return all, nil
}

func find(all []Held, id uuid.UUID) (Held, bool) {
	i := slices.IndexFunc(all, func(h Held) bool { return h.ID == id })
	if i < 0 {
		return Held{}, false
	}
	return all[i], true
}

// Expect is which version of a report a change was meant for; the zero value is any.
type Expect struct {
	IfMatch string // an If-Match header: 412 when it names another version
	Version *int   // expected_version of a body: 409 when it is another
}

// Check holds e against the present version.
func (e Expect) Check(h Held) error {
	if err := httpapi.CheckMatch(e.IfMatch, h.Version); err != nil {
		var p *problem.Error
		if errors.As(err, &p) {
			return p.With("version", h.Version)
		}
		return err
	}
	if e.Version != nil && *e.Version != h.Version {
		return problem.New(problem.Conflict, "stale").With("version", h.Version)
	}
	return nil
}
