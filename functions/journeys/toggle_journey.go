package journeys

import (
	"context"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
)

// noContentOutput is a 204 with the version of the journey after the change.
type noContentOutput struct {
	ETag string `header:"ETag"`
}

// toggle makes a journey active, and any other journey of the caller inactive; or makes an active journey inactive. It is one
// transaction: when it fails, the journey that was active still is.
func (g *Group) toggle(ctx context.Context, in *JourneyWrite) (*noContentOutput, error) {
	caller := identity.Must(ctx).UserID
	var j journey
	err := g.db.InTx(ctx, func(tx *database.Tx) error {
		lockPerson(tx, caller)
		var err error
		if j, err = lockJourney(ctx, tx, in.JourneyID, caller); err != nil {
			return err
		}
		if err := httpapi.CheckMatch(in.IfMatch, j.Version); err != nil {
			return err
		}
		if j.Completed {
			return errCompleted
		}
		j.Active = !j.Active
		j.Version++
		if j.Active {
			deactivateOthers(tx, caller, j.ID)
		}
		updateJourney(tx, j)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &noContentOutput{ETag: j.etag()}, nil
}
