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
)

type createInput struct {
	Body struct {
		_              struct{}   `additionalProperties:"true"`
		Name           string     `json:"name" minLength:"1" maxLength:"200"`
		Description    string     `json:"description" required:"false" maxLength:"2000"`
		UserID         *uuid.UUID `json:"user_id" required:"false" format:"uuid" doc:"The caller, or nothing"`
		Active         *bool      `json:"active" required:"false" doc:"Start riding it: any other journey of the caller's stops being active"`
		Visibility     *string    `json:"visibility" required:"false" doc:"public (the default) or private"`
		PlanPrecisionM *int       `json:"plan_precision_m" required:"false" minimum:"0" maximum:"50000" doc:"How coarsely others see planned points, in metres"`
	}
}

// journeyOutput is a journey with the version If-Match is held against.
type journeyOutput struct {
	ETag string `header:"ETag"`
	Body Journey
}

func (g *Group) create(ctx context.Context, in *createInput) (*journeyOutput, error) {
	caller := identity.Must(ctx).UserID
	b := &in.Body
	if b.UserID != nil && *b.UserID != caller {
		return nil, errNotYours
	}
	j := journey{ID: database.NewID(), UserID: caller, Name: b.Name, Description: b.Description, Version: 1,
		CreatedAt: g.clock.Now().UTC().Truncate(time.Microsecond)}
	j.Active = b.Active != nil && *b.Active
	if b.PlanPrecisionM != nil {
		j.PlanPrecisionM = *b.PlanPrecisionM
	}
	var err error
	if j.Visibility, err = visibility(b.Visibility, visibilityPublic); err != nil {
		return nil, err
	}
	if err := storableJourney(j); err != nil {
		return nil, err
	}
	err = g.db.InTx(ctx, func(tx *database.Tx) error {
		if err := roomForJourney(ctx, tx, caller); err != nil {
			return err
		}
		if j.Active {
			restOthers(tx, caller, j.ID)
		}
		insertJourney(tx, j)
		return httpapi.RecordAnswer(ctx, tx, http.StatusCreated, j.wire())
	})
	if err != nil {
		return nil, err
	}
	return &journeyOutput{ETag: j.tag(), Body: j.wire()}, nil
}

func storableJourney(j journey) error {
	if err := storable("name", j.Name); err != nil {
		return err
	}
	return storable("description", j.Description)
}

// roomForJourney locks the person and checks that they may have one more.
func roomForJourney(ctx context.Context, tx *database.Tx, person uuid.UUID) error {
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

// lockPerson puts changes of which journey is active in a row: two at once would
// each see the other's as inactive and then collide on the unique index. What is asked next waits for it.
func lockPerson(tx *database.Tx, person uuid.UUID) {
	tx.Queue(`SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE`, person)
}

// restOthers makes every journey of the person inactive but the one to keep.
func restOthers(tx *database.Tx, person, keep uuid.UUID) {
	const rest = `
		UPDATE journeys SET active = false, version = version + 1, updated_at = now()
		 WHERE user_id = $1 AND active AND id <> $2`
	tx.Queue(rest, person, keep)
}

func insertJourney(tx *database.Tx, j journey) {
	const insert = `
		INSERT INTO journeys (id, user_id, name, description, active, completed, visibility, plan_precision_m, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)`
	tx.Queue(insert, j.ID, j.UserID, j.Name, j.Description, j.Active, j.Completed, j.Visibility, j.PlanPrecisionM, j.CreatedAt)
}
