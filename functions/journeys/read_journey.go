package journeys

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/identity"
)

type journeyInput struct {
	JourneyID uuid.UUID `path:"journey_id" format:"uuid"`
}

type userInput struct {
	UserID uuid.UUID `path:"user_id" format:"uuid"`
}

type journeysOutput struct {
	Body []Journey
}

func (g *Group) read(ctx context.Context, in *journeyInput) (*journeyOutput, error) {
	caller := identity.Must(ctx).UserID
	j, err := visibleJourney(ctx, g.db, in.JourneyID, caller)
	if err != nil {
		return nil, err
	}
	return &journeyOutput{ETag: j.etag(), Body: j.wireFor(caller)}, nil
}

// listOfUser returns all journeys of a user: there are at most maxJourneys. For an unknown user the list is empty, so the
// answer does not tell which ids exist.
func (g *Group) listOfUser(ctx context.Context, in *userInput) (*journeysOutput, error) {
	const q = `
		SELECT ` + journeyColumns + ` FROM journeys
		 WHERE user_id = $1 AND (user_id = $2 OR visibility = 'public')
		 ORDER BY created_at DESC, id DESC`
	caller := identity.Must(ctx).UserID
	rows, err := g.db.Query(ctx, q, in.UserID, caller)
	if err != nil {
		return nil, fmt.Errorf("list journeys: %w", err)
	}
	all, err := pgx.CollectRows(rows, scanJourney)
	if err != nil {
		return nil, fmt.Errorf("list journeys: %w", err)
	}
	out := &journeysOutput{Body: make([]Journey, 0, len(all))}
	for _, j := range all {
		out.Body = append(out.Body, j.wireFor(caller))
	}
	return out, nil
}

func (g *Group) activeOfUser(ctx context.Context, in *userInput) (*journeyOutput, error) {
	const q = `
		SELECT ` + journeyColumns + ` FROM journeys
		 WHERE user_id = $1 AND active AND (user_id = $2 OR visibility = 'public')`
	caller := identity.Must(ctx).UserID
	rows, err := g.db.Query(ctx, q, in.UserID, caller)
	if err != nil {
		return nil, fmt.Errorf("read active journey: %w", err)
	}
	j, err := pgx.CollectExactlyOneRow(rows, scanJourney)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, errNoActiveJourney
	}
	if err != nil {
		return nil, fmt.Errorf("read active journey: %w", err)
	}
	return &journeyOutput{ETag: j.etag(), Body: j.wireFor(caller)}, nil
}
