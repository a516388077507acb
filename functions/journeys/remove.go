package journeys

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
)

// remove deletes the journey; markers and legs go with it by the schema's own rule.
func (g *Group) remove(ctx context.Context, in *JourneyWrite) (*struct{}, error) {
	err := g.db.InTx(ctx, func(tx pgx.Tx) error {
		j, err := lockedJourney(ctx, tx, in.JourneyID, identity.Must(ctx).UserID)
		if err != nil {
			return err
		}
		if err := httpapi.CheckMatch(in.IfMatch, j.Version); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM journeys WHERE id = $1`, j.ID); err != nil {
			return fmt.Errorf("delete journey: %w", err)
		}
		return nil
	})
	return nil, err
}
