package journeys

import (
	"context"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
)

// remove deletes the journey. The foreign keys delete its markers and legs (ON DELETE CASCADE).
func (g *Group) remove(ctx context.Context, in *JourneyWrite) (*struct{}, error) {
	err := g.db.InTx(ctx, func(tx *database.Tx) error {
		j, err := lockJourney(ctx, tx, in.JourneyID, identity.Must(ctx).UserID)
		if err != nil {
			return err
		}
		if err := httpapi.CheckMatch(in.IfMatch, j.Version); err != nil {
			return err
		}
		tx.Queue(`DELETE FROM journeys WHERE id = $1`, j.ID)
		return nil
	})
	return nil, err
}
