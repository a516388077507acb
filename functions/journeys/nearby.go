package journeys

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/problem"
)

type nearbyInput struct {
	JourneyID uuid.UUID `path:"journey_id" format:"uuid"`
	RadiusM   float64   `query:"radius_m" minimum:"1" maximum:"500000" default:"100000" doc:"Radius, in metres"`
	Limit     int       `query:"limit" minimum:"1" maximum:"200" default:"50"`
	From      string    `query:"from" doc:"Only places where others were, or plan to be, on this day or later, YYYY-MM-DD"`
	To        string    `query:"to" doc:"Only places where others were, or plan to be, on this day or earlier, YYYY-MM-DD"`
	Mode      string    `query:"mode" default:"markers" doc:"markers compares points; route compares the lines between dated points"`
}

// search is a nearby search with valid parameters.
type search struct {
	sql      searchSQL
	from, to *time.Time // the window of days; nil is open
}

func (in *nearbyInput) search() (search, error) {
	var s search
	var known bool
	if s.sql, known = searchMode(locale.FoldWord(in.Mode)).sql(); !known {
		return s, problem.InvalidField("mode", "expected markers or route")
	}
	if math.IsNaN(in.RadiusM) { // NaN passes the checks of minimum and maximum
		return s, problem.InvalidField("radius_m", "expected a number")
	}
	var err error
	if s.from, err = queryDay("from", in.From); err != nil {
		return s, err
	}
	if s.to, err = queryDay("to", in.To); err != nil {
		return s, err
	}
	if s.from != nil && s.to != nil && s.to.Before(*s.from) {
		return s, errDatesReversed
	}
	return s, nil
}

// queryDay is the date of a query parameter; nil where it is empty. A filter that cannot be read is refused.
func queryDay(field, sent string) (*time.Time, error) {
	if sent == "" {
		return nil, nil
	}
	d, fault := parseDay(sent)
	if fault != "" {
		return nil, problem.InvalidField(field, fmt.Sprintf("expected a date as YYYY-MM-DD, from %d to %d", firstYear, lastYear))
	}
	return &d, nil
}

type idsOutput struct {
	Body []uuid.UUID
}

// Nearby is somebody else's journey and how near it is to the journey of the request.
type Nearby struct {
	Journey        Journey `json:"journey"`
	DistanceMeters float64 `json:"distance_meters" doc:"Between the closest places, on the sphere"`
	Closest        Closest `json:"closest"`
	OverlapsInTime bool    `json:"overlaps_in_time" doc:"true when both are within the radius of each other on the same day"`
}

// Closest holds the two places where the journeys are nearest to each other.
type Closest struct {
	Mine   Point `json:"mine"`
	Theirs Point `json:"theirs"`
}

type nearbyOutput struct {
	Body []Nearby
}

// nearbyIDs is the search of the published client: it answers with ids only, nearest first.
func (g *Group) nearbyIDs(ctx context.Context, in *nearbyInput) (*idsOutput, error) {
	found, err := runSearch(ctx, g, in, nearbyIDsSQL, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, err
	}
	return &idsOutput{Body: found}, nil
}

func (g *Group) nearby(ctx context.Context, in *nearbyInput) (*nearbyOutput, error) {
	found, err := runSearch(ctx, g, in, nearbyJourneysSQL, scanNearby)
	if err != nil {
		return nil, err
	}
	return &nearbyOutput{Body: found}, nil
}

func runSearch[T any](ctx context.Context, g *Group, in *nearbyInput, query func(searchSQL) string, scan pgx.RowToFunc[T]) ([]T, error) {
	s, err := in.search()
	if err != nil {
		return nil, err
	}
	caller := identity.Must(ctx).UserID
	_, found, err := readJourneyWith(ctx, g.db, in.JourneyID, caller, scan,
		query(s.sql), in.JourneyID, caller, in.RadiusM, s.from, s.to, in.Limit)
	return found, err
}

func scanNearby(row pgx.CollectableRow) (Nearby, error) {
	var (
		j            journey
		n            Nearby
		mine, theirs [2]float64
		d            float64
	)
	err := row.Scan(append(j.scanTargets(), &d, &mine[0], &mine[1], &theirs[0], &theirs[1], &n.OverlapsInTime)...)
	n.Journey, n.DistanceMeters = j.wireFor(uuid.Nil), d // somebody else's
	n.Closest = Closest{Mine: point(mine[0], mine[1]), Theirs: point(theirs[0], theirs[1])}
	return n, err
}
