package journeys

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/reportread"
)

type alongInput struct {
	JourneyID uuid.UUID `path:"journey_id" format:"uuid"`
	WithinM   int       `query:"within_m" minimum:"1" maximum:"10000" default:"500" doc:"Distance from the route, in metres"`
	Limit     int       `query:"limit" minimum:"1" maximum:"500" default:"200" doc:"How many reports at most, the first in riding order"`
}

// AlongReport is an open report beside a route.
type AlongReport struct {
	reportread.Summary
	DistanceMeters float64 `json:"distance_meters" doc:"From the route"`
	AlongMeters    float64 `json:"along_meters" doc:"Along the route from its start to the closest point"`
}

// Along holds the open reports beside a route, in riding order.
type Along struct {
	Items []AlongReport `json:"items"`
	Total int           `json:"total" doc:"Reports on the whole route, not only those listed; counted up to 1,000"`
}

type alongOutput struct {
	Body Along
}

// alongHit is a report beside the route: its distance from the route and its place along it, in metres.
type alongHit struct {
	id              uuid.UUID
	distance, along float64
}

func (g *Group) reportsAlong(ctx context.Context, in *alongInput) (*alongOutput, error) {
	caller := identity.Must(ctx)
	out := &alongOutput{Body: Along{Items: []AlongReport{}}}
	_, hits, err := readJourneyWith(ctx, g.db, in.JourneyID, caller.UserID, func(row pgx.CollectableRow) (alongHit, error) {
		var h alongHit
		err := row.Scan(&h.id, &h.distance, &h.along, &out.Body.Total)
		return h, err
	}, reportsAlongSQL, in.JourneyID, caller.UserID, in.WithinM, in.Limit)
	if err != nil || len(hits) == 0 {
		return out, err
	}
	at := make(map[uuid.UUID]alongHit, len(hits))
	ids := make([]uuid.UUID, 0, len(hits))
	for _, h := range hits {
		at[h.id] = h
		ids = append(ids, h.id)
	}
	summaries, err := g.reports.Summaries(ctx, reportread.ViewerOf(caller), ids)
	if err != nil {
		return nil, err
	}
	for _, s := range summaries {
		out.Body.Items = append(out.Body.Items, AlongReport{Summary: s, DistanceMeters: at[s.ID].distance, AlongMeters: at[s.ID].along})
	}
	return out, nil
}
