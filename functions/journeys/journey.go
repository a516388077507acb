package journeys

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Who sees a journey.
const (
	visibilityPublic  = "public"
	visibilityPrivate = "private"
)

// Journey is a journey on the wire.
type Journey struct {
	ID             uuid.UUID      `json:"id"`
	SameID         uuid.UUID      `json:"_id" doc:"The same as id"`
	Name           string         `json:"name" minLength:"1" maxLength:"200"`
	Description    string         `json:"description" maxLength:"2000"`
	UserID         uuid.UUID      `json:"user_id" doc:"Whose it is"`
	CreatedAt      timestamp.Time `json:"created_at"`
	Active         bool           `json:"active" doc:"Being ridden now; at most one a person"`
	Completed      bool           `json:"completed"`
	Visibility     string         `json:"visibility" enum:"public,private" doc:"A private journey does not exist for others"`
	PlanPrecisionM int            `json:"plan_precision_m" doc:"How coarsely others see planned points, in metres; 0 is exact"`
}

// journey is a row of the table.
type journey struct {
	ID             uuid.UUID
	UserID         uuid.UUID
	Name           string
	Description    string
	Active         bool
	Completed      bool
	Visibility     string
	PlanPrecisionM int
	Version        int
	CreatedAt      time.Time
}

const journeyColumns = `id, user_id, name, description, active, completed, visibility, plan_precision_m, version, created_at`

func scanJourney(row pgx.CollectableRow) (journey, error) {
	var j journey
	err := row.Scan(&j.ID, &j.UserID, &j.Name, &j.Description, &j.Active, &j.Completed, &j.Visibility,
		&j.PlanPrecisionM, &j.Version, &j.CreatedAt)
	return j, err
}

func (j journey) wire() Journey {
	return Journey{
		ID: j.ID, SameID: j.ID, Name: j.Name, Description: j.Description, UserID: j.UserID,
		CreatedAt: timestamp.Of(j.CreatedAt), Active: j.Active, Completed: j.Completed,
		Visibility: j.Visibility, PlanPrecisionM: j.PlanPrecisionM,
	}
}

func (j journey) tag() string { return httpapi.VersionTag(j.Version) }

func (j journey) visibleTo(person uuid.UUID) bool {
	return j.UserID == person || j.Visibility == visibilityPublic
}

// blurOf is how coarsely others see a marker of this journey, in metres.
func (j journey) blurOf(m marker) int {
	if m.Type == markerPlan {
		return j.PlanPrecisionM
	}
	return 0
}

// visibleJourney reads a journey for somebody: 404 when there is none they may see.
func visibleJourney(ctx context.Context, q database.Querier, id, person uuid.UUID) (journey, error) {
	return readJourney(ctx, q, `SELECT `+journeyColumns+` FROM journeys WHERE id = $1`, id, person)
}

// journeyAnd is visibleJourney with one more query in the same round trip, whose
// rows count only when the person may see the journey.
func journeyAnd[T any](ctx context.Context, q database.Querier, id, person uuid.UUID, scan pgx.RowToFunc[T], sql string, args ...any) (journey, []T, error) {
	batch := &database.Batch{}
	j := database.AskRow(batch, scanJourney, `SELECT `+journeyColumns+` FROM journeys WHERE id = $1`, id).
		Missing(errJourneyUnknown).Check(journeyVisibleTo(person))
	found := database.AskRows(batch, scan, sql, args...)
	if err := batch.Send(ctx, q); err != nil {
		return journey{}, nil, fmt.Errorf("read journey: %w", err)
	}
	return j.Get(), found.Get(), nil
}

// lockedJourney reads a journey its owner is about to change, and keeps others
// from changing it or its markers until the transaction ends. 404 when the
// person may not see it, 403 when it is not theirs.
func lockedJourney(ctx context.Context, tx *database.Tx, id, person uuid.UUID) (journey, error) {
	j := lockJourney(tx, id, person)
	if err := tx.Flush(ctx); err != nil {
		return journey{}, fmt.Errorf("lock journey: %w", err)
	}
	return j.Get(), nil
}

// lockJourney is lockedJourney in a pipeline. Statements that come after it see what the holder of the lock before
// has committed.
func lockJourney(p database.Pipeline, id, person uuid.UUID) *database.Ask[journey] {
	const q = `SELECT ` + journeyColumns + ` FROM journeys WHERE id = $1 FOR UPDATE`
	return database.AskRow(p, scanJourney, q, id).Missing(errJourneyUnknown).Check(journeyVisibleTo(person)).Check(func(j journey) error {
		if j.UserID != person {
			return errNotYours
		}
		return nil
	})
}

func readJourney(ctx context.Context, q database.Querier, sql string, id, person uuid.UUID) (journey, error) {
	rows, err := q.Query(ctx, sql, id)
	if err != nil {
		return journey{}, fmt.Errorf("read journey: %w", err)
	}
	j, err := pgx.CollectExactlyOneRow(rows, scanJourney)
	if errors.Is(err, pgx.ErrNoRows) {
		return journey{}, errJourneyUnknown
	}
	if err != nil {
		return journey{}, fmt.Errorf("read journey: %w", err)
	}
	return j, journeyVisibleTo(person)(j)
}

// journeyVisibleTo returns a check that fails with a 404 for a journey that the person may not see.
func journeyVisibleTo(person uuid.UUID) func(journey) error {
	return func(j journey) error {
		if !j.visibleTo(person) {
			return errJourneyUnknown
		}
		return nil
	}
}

// visibility reads who shall see a journey; nil stays what it was.
func visibility(sent *string, was string) (string, error) {
	if sent == nil {
		return was, nil
	}
	switch v := locale.FoldWord(*sent); v {
	case visibilityPublic, visibilityPrivate:
		return v, nil
	}
	return "", problem.InvalidField("visibility", "expected public or private")
}
