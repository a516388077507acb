package journeys

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/lafaekstreet/backend/functions/journeys/track"
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
	_ struct{} `schema:"ReportAlong"`
	reportread.Summary
	DistanceMeters float64 `json:"distance_meters" doc:"From the route"`
	AlongMeters    float64 `json:"along_meters" doc:"Along the route from its start to the closest point"`
}

// Along holds the open reports beside a route, in riding order.
type Along struct {
	_     struct{}      `schema:"ReportsAlong"`
	Items []AlongReport `json:"items"`
	Total int           `json:"total" doc:"Reports on the whole route, not only those listed; counted up to 1,000"`
}

type alongOutput struct {
	Body Along
}

func (g *Group) reportsAlong(ctx context.Context, in *alongInput) (*alongOutput, error) {
	caller := identity.Must(ctx)
	out := &alongOutput{Body: Along{Items: []AlongReport{}}}
	hits, err := g.hitsAlong(ctx, in, caller.UserID)
	if errors.Is(err, track.ErrTooComplex) {
		return nil, errTooComplex
	}
	if err != nil || len(hits) == 0 {
		return out, err
	}
	out.Body.Total = min(len(hits), maxReportsFound)
	hits = hits[:min(len(hits), in.Limit)]
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
		out.Body.Items = append(out.Body.Items, AlongReport{Summary: s, DistanceMeters: at[s.ID].DistanceM, AlongMeters: at[s.ID].AlongM})
	}
	return out, nil
}

// hitsAlong reads the route of a journey, as the person sees it, and finds the reports beside it.
func (g *Group) hitsAlong(ctx context.Context, in *alongInput, person uuid.UUID) ([]alongHit, error) {
	route := track.NewRoute(float64(in.WithinM))
	_, _, err := readJourneyWith(ctx, g.db, in.JourneyID, person, func(row pgx.CollectableRow) (struct{}, error) {
		return struct{}{}, addLeg(route, row)
	}, routeLegsSQL, in.JourneyID, person)
	if err != nil {
		return nil, err
	}
	if err := route.Prepare(); err != nil {
		return nil, err
	}
	return reportsBeside(ctx, g.db, route)
}

// addLeg adds a row of routeLegsSQL to a route.
func addLeg(route *track.Route, row pgx.CollectableRow) error {
	var (
		wkb     pgtype.DriverBytes
		lengthM *float64
	)
	if err := row.Scan(&wkb, &lengthM); err != nil {
		return err
	}
	line, err := track.LineOfWKB(wkb)
	if err != nil {
		return err
	}
	return route.Add(line, lengthM)
}
