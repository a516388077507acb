package journeys

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/warning"
)

// Values of visibility.
const (
	visibilityPublic  = "public"
	visibilityPrivate = "private"
)

// Journey is a journey as the API returns it.
type Journey struct {
	ID             uuid.UUID      `json:"id"`
	SameID         uuid.UUID      `json:"_id" doc:"The same as id"`
	Name           string         `json:"name" minLength:"1" maxLength:"200"`
	Description    string         `json:"description" maxLength:"2000"`
	UserID         uuid.UUID      `json:"user_id" doc:"The owner"`
	CreatedAt      timestamp.Time `json:"created_at"`
	Active         bool           `json:"active" doc:"The journey the owner is riding now; at most one for each person"`
	Completed      bool           `json:"completed"`
	Visibility     string         `json:"visibility" enum:"public,private" doc:"For others, a private journey does not exist"`
	PlanPrecisionM int            `json:"plan_precision_m" doc:"Precision at which others see planned points, in metres; 0 is exact"`
	HideEndsM      *int           `json:"hide_ends_m,omitempty" doc:"Others see nothing of recorded tracks within this distance of their ends, in metres, and at most 400 m more is hidden. For the owner only"`
	// Warnings is set in the answer to a request that sent something which was not kept.
	Warnings []warning.Warning `json:"warnings,omitempty" doc:"What of the request was not kept; left out if everything was"`
}

// journey is a row of the table journeys.
type journey struct {
	ID             uuid.UUID
	UserID         uuid.UUID
	Name           string
	Description    string
	Active         bool
	Completed      bool
	Visibility     string
	PlanPrecisionM int
	HideEndsM      int
	EndsSeed       uuid.UUID // a secret, the same in all journeys of the owner
	Version        int
	CreatedAt      time.Time
}

const journeyColumns = `id, user_id, name, description, active, completed, visibility, plan_precision_m, hide_ends_m, ends_seed, version, created_at`

func scanJourney(row pgx.CollectableRow) (journey, error) {
	var j journey
	err := row.Scan(j.scanTargets()...)
	return j, err
}

// scanTargets returns the fields that journeyColumns are scanned into.
func (j *journey) scanTargets() []any {
	return []any{&j.ID, &j.UserID, &j.Name, &j.Description, &j.Active, &j.Completed, &j.Visibility,
		&j.PlanPrecisionM, &j.HideEndsM, &j.EndsSeed, &j.Version, &j.CreatedAt}
}

// wireFor returns the journey as a person sees it.
func (j journey) wireFor(person uuid.UUID) Journey {
	out := Journey{
		ID: j.ID, SameID: j.ID, Name: j.Name, Description: j.Description, UserID: j.UserID,
		CreatedAt: timestamp.Of(j.CreatedAt), Active: j.Active, Completed: j.Completed,
		Visibility: j.Visibility, PlanPrecisionM: j.PlanPrecisionM,
	}
	if j.UserID == person {
		out.HideEndsM = &j.HideEndsM
	}
	return out
}

// answer is the journey in the answer to its owner, who wrote it.
func (j journey) answer(ctx context.Context) Journey {
	out := j.wireFor(j.UserID)
	out.Warnings = warning.FromContext(ctx).List()
	return out
}

func (j journey) etag() string { return httpapi.VersionTag(j.Version) }

func (j journey) visibleTo(person uuid.UUID) bool {
	return j.UserID == person || j.Visibility == visibilityPublic
}

// blurMeters returns the precision at which others see a marker of this journey, in metres; 0 is exact.
func (j journey) blurMeters(m marker) int {
	if m.Type == markerPlan {
		return j.PlanPrecisionM
	}
	return 0
}

// visibleJourney reads a journey. It fails with a 404 when the person may not see it or there is none.
func visibleJourney(ctx context.Context, q database.Querier, id, person uuid.UUID) (journey, error) {
	return readJourney(ctx, q, `SELECT `+journeyColumns+` FROM journeys WHERE id = $1`, id, person)
}

// readJourneyWith is visibleJourney with a second query in the same round trip. It fails, and its rows are dropped, when the
// person may not see the journey.
func readJourneyWith[T any](ctx context.Context, q database.Querier, id, person uuid.UUID, scan pgx.RowToFunc[T], sql string, args ...any) (journey, []T, error) {
	batch := &database.Batch{}
	j := database.AskRow(batch, scanJourney, `SELECT `+journeyColumns+` FROM journeys WHERE id = $1`, id).
		Missing(errJourneyUnknown).Check(journeyVisibleTo(person))
	found := database.AskRows(batch, scan, sql, args...)
	if err := batch.Send(ctx, q); err != nil {
		return journey{}, nil, fmt.Errorf("read journey: %w", err)
	}
	return j.Get(), found.Get(), nil
}

// lockJourney reads a journey and locks its row: nobody else can change the journey or its markers until the transaction
// ends. It fails with a 404 when the person may not see the journey, with a 403 when they do not own it.
func lockJourney(ctx context.Context, tx *database.Tx, id, person uuid.UUID) (journey, error) {
	j := askLockedJourney(tx, id, person)
	if err := tx.Flush(ctx); err != nil {
		return journey{}, fmt.Errorf("lock journey: %w", err)
	}
	return j.Get(), nil
}

// askLockedJourney adds the statement of lockJourney to a pipeline. Statements after it see what the previous holder of the
// lock has committed.
func askLockedJourney(p database.Pipeline, id, person uuid.UUID) *database.Ask[journey] {
	const q = `SELECT ` + journeyColumns + ` FROM journeys WHERE id = $1 FOR UPDATE`
	return database.AskRow(p, scanJourney, q, id).Missing(errJourneyUnknown).Check(journeyVisibleTo(person)).Check(func(j journey) error {
		if j.UserID != person {
			return errNotOwner
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

// journeyVisibleTo returns a check that fails with a 404 when the person may not see the journey.
func journeyVisibleTo(person uuid.UUID) func(journey) error {
	return func(j journey) error {
		if !j.visibleTo(person) {
			return errJourneyUnknown
		}
		return nil
	}
}

// lenientJourney says how a journey is read. A value about privacy that cannot be read shows least.
func lenientJourney() *httpapi.Lenient {
	return &httpapi.Lenient{Closed: map[string]any{"visibility": visibilityPrivate, "plan_precision_m": maxPrecision, "hide_ends_m": maxHideEnds}}
}

// maxPrecision is the coarsest precision at which others can see planned points, in metres.
const maxPrecision = 50000

// Values of hide_ends_m, in metres. Other people see no part of a recorded track that is nearer to its start or end than this.
const (
	defaultHideEnds = 500
	maxHideEnds     = 2000
)

// hideEnds returns the distance that was sent; the nearest possible one, with a warning, when it is out of range.
func hideEnds(sent float64, w *warning.Collector) int {
	kept := int(math.Round(max(0, min(maxHideEnds, sent))))
	if float64(kept) != sent {
		w.Add("hide_ends_m", warning.Adjusted)
	}
	return kept
}
