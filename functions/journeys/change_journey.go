package journeys

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/journeys/track"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/warning"
)

type journeyChange struct {
	Name           *string  `json:"name" required:"false" minLength:"1" maxLength:"200"`
	Description    *string  `json:"description" required:"false" maxLength:"2000"`
	Visibility     *string  `json:"visibility" required:"false" enum:"public,private" doc:"A word that cannot be read counts as private"`
	Completed      *bool    `json:"completed" required:"false" doc:"true also makes it inactive; false opens it again"`
	PlanPrecisionM *int     `json:"plan_precision_m" required:"false" minimum:"0" maximum:"50000"`
	HideEndsM      *float64 `json:"hide_ends_m" required:"false" doc:"Metres from the ends of recorded tracks that others do not see, 0 to 2000"`
}

type changeInput struct {
	JourneyWrite
	Body *journeyChange `required:"false"`
}

// JourneyWrite names the journey to change and the version the client has read.
type JourneyWrite struct {
	JourneyID uuid.UUID `path:"journey_id" format:"uuid"`
	IfMatch   string    `header:"If-Match" doc:"Change only when the journey still has this ETag"`
}

// changeOutput is 204 without a body, or 200 with the journey as JSON.
type changeOutput struct {
	Status      int
	ETag        string `header:"ETag"`
	ContentType string `header:"Content-Type"`
	Body        []byte
}

// change completes the journey when the request has no body: the published client does that. A body says which fields to
// change.
func (g *Group) change(ctx context.Context, in *changeInput) (*changeOutput, error) {
	request, status := in.Body, http.StatusOK
	if request == nil {
		done := true
		request, status = &journeyChange{Completed: &done}, http.StatusNoContent
	}
	j, err := g.apply(ctx, in.JourneyWrite, request)
	if err != nil {
		return nil, err
	}
	out := &changeOutput{Status: status, ETag: j.etag()}
	if status == http.StatusOK {
		out.ContentType = "application/json"
		if out.Body, err = json.Marshal(j.answer(ctx)); err != nil {
			return nil, fmt.Errorf("encode journey: %w", err)
		}
	}
	return out, nil
}

func (g *Group) apply(ctx context.Context, in JourneyWrite, request *journeyChange) (journey, error) {
	var j journey
	err := g.db.InTx(ctx, func(tx *database.Tx) error {
		locked, tracks := askLockedJourney(tx, in.JourneyID, identity.Must(ctx).UserID), askStoredTracks(tx, in.JourneyID)
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("lock journey: %w", err)
		}
		was := locked.Get()
		if err := httpapi.CheckMatch(in.IfMatch, was.Version); err != nil {
			return err
		}
		var err error
		if j, err = request.appliedTo(was, warning.FromContext(ctx)); err != nil || j == was {
			return err
		}
		j.Version++
		updateJourney(tx, j)
		if j.PlanPrecisionM != was.PlanPrecisionM {
			updateBlur(tx, j)
			if err := reshapeTracks(ctx, tx, j, tracks.Get(), track.Planned); err != nil {
				return err
			}
		}
		if j.HideEndsM != was.HideEndsM {
			return reshapeTracks(ctx, tx, j, tracks.Get(), track.Recorded)
		}
		return nil
	})
	return j, err
}

// appliedTo returns j with the change made. It fails for invalid values.
func (c *journeyChange) appliedTo(j journey, w *warning.Collector) (journey, error) {
	if c.Name != nil {
		j.Name = *c.Name
	}
	if c.Description != nil {
		j.Description = *c.Description
	}
	if c.PlanPrecisionM != nil {
		j.PlanPrecisionM = *c.PlanPrecisionM
	}
	if c.HideEndsM != nil {
		j.HideEndsM = hideEnds(*c.HideEndsM, w)
	}
	if c.Completed != nil {
		j.Completed = *c.Completed
		j.Active = j.Active && !j.Completed
	}
	if c.Visibility != nil {
		j.Visibility = *c.Visibility
	}
	return j, checkJourneyText(j)
}

func updateJourney(tx *database.Tx, j journey) {
	const update = `
		UPDATE journeys
		   SET name = $2, description = $3, active = $4, completed = $5, visibility = $6, plan_precision_m = $7,
		       hide_ends_m = $8, version = $9, updated_at = now()
		 WHERE id = $1`
	tx.Queue(update, j.ID, j.Name, j.Description, j.Active, j.Completed, j.Visibility, j.PlanPrecisionM, j.HideEndsM, j.Version)
}

// updateBlur applies a new precision to the planned markers and the route.
func updateBlur(tx *database.Tx, j journey) {
	tx.Queue(`UPDATE markers SET blur_m = $2 WHERE journey_id = $1 AND marker_type = 'plan'`, j.ID, j.PlanPrecisionM)
	updateLegs(tx, j.ID)
}

// changedResponses documents both answers of a change: huma would document only one of them.
func changedResponses(api *httpapi.API) map[string]*huma.Response {
	return map[string]*huma.Response{"200": httpapi.JSON[Journey](api, "Changed"), "204": {Description: "Completed"}}
}
