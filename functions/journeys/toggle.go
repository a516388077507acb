package journeys

import (
	"context"

	"github.com/jackc/pgx/v5"

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
	err := g.db.InTx(ctx, func(tx pgx.Tx) error {
		if err := lockPerson(ctx, tx, caller); err != nil {
			return err
		}
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
			if err := restOthers(ctx, tx, caller, j.ID); err != nil {
				return err
			}
		}
		return updateJourney(ctx, tx, j)
	})
	if err != nil {
		return nil, err
	}
	return &noContent{ETag: j.tag()}, nil
}
