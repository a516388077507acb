package journeys

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/warning"
)

type createInput struct {
	Body struct {
		_              struct{}   `schema:"JourneyCreate"`
		Name           string     `json:"name" minLength:"1" maxLength:"200"`
		Description    string     `json:"description" required:"false" maxLength:"2000"`
		UserID         *uuid.UUID `json:"user_id" required:"false" format:"uuid" doc:"The caller, or nothing"`
		Active         *bool      `json:"active" required:"false" doc:"Makes this the active journey; the caller's other journeys become inactive"`
		Visibility     *string    `json:"visibility" required:"false" enum:"public,private" doc:"public is the default; a word that cannot be read counts as private"`
		PlanPrecisionM *int       `json:"plan_precision_m" required:"false" minimum:"0" maximum:"50000" doc:"Precision at which others see planned points, in metres"`
		HideEndsM      *float64   `json:"hide_ends_m" required:"false" doc:"Metres from the ends of recorded tracks that others do not see; 500 is the default, 0 to 2000 are possible"`
	}
}

// journeyOutput is a journey with its ETag, which If-Match is compared with.
type journeyOutput struct {
	ETag string `header:"ETag"`
	Body Journey
}

func (g *Group) create(ctx context.Context, in *createInput) (*journeyOutput, error) {
	caller := identity.Must(ctx).UserID
	b := &in.Body
	if b.UserID != nil && *b.UserID != caller {
		return nil, errNotOwner
	}
	j := journey{ID: database.NewID(), UserID: caller, Name: b.Name, Description: b.Description, Version: 1,
		CreatedAt: g.clock.Now().UTC().Truncate(time.Microsecond)}
	j.Active = b.Active != nil && *b.Active
	if b.PlanPrecisionM != nil {
		j.PlanPrecisionM = *b.PlanPrecisionM
	}
	if j.HideEndsM = defaultHideEnds; b.HideEndsM != nil {
		j.HideEndsM = hideEnds(*b.HideEndsM, warning.FromContext(ctx))
	}
	if j.Visibility = visibilityPublic; b.Visibility != nil {
		j.Visibility = *b.Visibility
	}
	if err := checkJourneyText(j); err != nil {
		return nil, err
	}
	err := g.db.InTx(ctx, func(tx *database.Tx) error {
		if err := checkJourneyLimit(ctx, tx, caller); err != nil {
			return err
		}
		if j.Active {
			deactivateOthers(tx, caller, j.ID)
		}
		insertJourney(tx, j)
		return httpapi.RecordAnswer(ctx, tx, http.StatusCreated, j.answer(ctx))
	})
	if err != nil {
		return nil, err
	}
	return &journeyOutput{ETag: j.etag(), Body: j.answer(ctx)}, nil
}

func checkJourneyText(j journey) error {
	if err := checkText("name", j.Name); err != nil {
		return err
	}
	return checkText("description", j.Description)
}

// checkJourneyLimit locks the person and returns an error when they have the most journeys allowed.
func checkJourneyLimit(ctx context.Context, tx *database.Tx, person uuid.UUID) error {
	lockPerson(tx, person)
	var n int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM journeys WHERE user_id = $1`, person).Scan(&n); err != nil {
		return fmt.Errorf("count journeys: %w", err)
	}
	if n >= maxJourneys {
		return errTooManyJourneys
	}
	return nil
}

// lockPerson makes changes of a person's active journey wait for each other. Two at once would not see each other's active
// journey and would then violate the unique index. The statements after it run when the lock is held.
func lockPerson(tx *database.Tx, person uuid.UUID) {
	tx.Queue(`SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE`, person)
}

// deactivateOthers makes all journeys of the person inactive, except keep.
func deactivateOthers(tx *database.Tx, person, keep uuid.UUID) {
	const rest = `
		UPDATE journeys SET active = false, version = version + 1, updated_at = now()
		 WHERE user_id = $1 AND active AND id <> $2`
	tx.Queue(rest, person, keep)
}

func insertJourney(tx *database.Tx, j journey) {
	const insert = `
		INSERT INTO journeys (id, user_id, name, description, active, completed, visibility, plan_precision_m, hide_ends_m, created_at, updated_at, ends_seed)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10,
		        coalesce((SELECT ends_seed FROM journeys WHERE user_id = $2 ORDER BY created_at, id LIMIT 1), gen_random_uuid()))`
	tx.Queue(insert, j.ID, j.UserID, j.Name, j.Description, j.Active, j.Completed, j.Visibility, j.PlanPrecisionM, j.HideEndsM, j.CreatedAt)
}
