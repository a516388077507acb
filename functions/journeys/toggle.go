package journeys

import (
	"context"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
)

// noContent is a 204 that names the version it left.
type noContent struct {
	ETag string `header:"ETag"`
}

// toggle works in one transaction: when it fails, the journey that was active still is.
func (g *Group) toggle(ctx context.Context, in *JourneyWrite) (*noContent, error) {
	caller := identity.Must(ctx).UserID
	var j journey
	err := g.db.InTx(ctx, func(tx *database.Tx) error {
		lockPerson(tx, caller)
		var err error
		if j, err = lockedJourney(ctx, tx, in.JourneyID, caller); err != nil {
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
			restOthers(tx, caller, j.ID)
		}
		updateJourney(tx, j)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &noContent{ETag: j.tag()}, nil
}
