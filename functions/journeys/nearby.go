package journeys

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lafaekstreet/backend/shared/database"
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
	Mode      string    `query:"mode" default:"markers" doc:"markers compares markers and tracks; route compares tracks and the lines between dated markers"`
}

// search is a nearby search with valid parameters.
type search struct {
	journeyID, caller uuid.UUID
	mode              searchMode
	radius            float64 // metres
	limit             int
	from, to          *time.Time // the window of days; nil is open
}

func (in *nearbyInput) search(caller uuid.UUID) (*search, error) {
	s := &search{journeyID: in.JourneyID, caller: caller, mode: searchMode(locale.FoldWord(in.Mode)), radius: in.RadiusM, limit: in.Limit}
	if s.mode != byMarkers && s.mode != byRoute {
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
	_              struct{} `schema:"JourneyNearby"`
	Journey        Journey  `json:"journey"`
	DistanceMeters float64  `json:"distance_meters" doc:"Between the closest places, on the sphere"`
	Closest        Closest  `json:"closest"`
	OverlapsInTime bool     `json:"overlaps_in_time" doc:"true when both are within the radius of each other on the same day"`
}

// Closest holds the two places where the journeys are nearest to each other.
type Closest struct {
	_      struct{} `schema:"ClosestPoints"`
	Mine   Point    `json:"mine"`
	Theirs Point    `json:"theirs"`
}

type nearbyOutput struct {
	Body []Nearby
}

// nearbyIDs is the search of the published client: it answers with ids only, nearest first.
func (g *Group) nearbyIDs(ctx context.Context, in *nearbyInput) (*idsOutput, error) {
	s, err := in.search(identity.Must(ctx).UserID)
	if err != nil {
		return nil, err
	}
	out := &idsOutput{Body: []uuid.UUID{}}
	err = g.limited(ctx, func(ctx context.Context, q database.Querier) error {
		own, err := s.own(ctx, q, s.mode)
		if err != nil {
			return err
		}
		found, err := s.nearest(ctx, q, own.compared)
		for _, n := range found {
			out.Body = append(out.Body, n.ID)
		}
		return err
	})
	return out, err
}

// nearby answers with the journeys, nearest first: how near, the closest place of each side, and whether both are within the
// radius of each other on the same day.
func (g *Group) nearby(ctx context.Context, in *nearbyInput) (*nearbyOutput, error) {
	s, err := in.search(identity.Must(ctx).UserID)
	if err != nil {
		return nil, err
	}
	out := &nearbyOutput{Body: []Nearby{}}
	err = g.limited(ctx, func(ctx context.Context, q database.Querier) error {
		own, err := s.own(ctx, q, byAll)
		if err != nil {
			return err
		}
		found, err := s.nearest(ctx, q, own.compared)
		if err != nil {
			return err
		}
		var ids []uuid.UUID
		for _, n := range found {
			ids = append(ids, n.ID)
		}
		together, err := s.sameDay(ctx, q, own, ids)
		for _, n := range found {
			out.Body = append(out.Body, Nearby{Journey: n.wireFor(uuid.Nil), DistanceMeters: n.DistanceM, OverlapsInTime: together[n.ID],
				Closest: Closest{Mine: point(n.Mine[0], n.Mine[1]), Theirs: point(n.Theirs[0], n.Theirs[1])}})
		}
		return err
	})
	return out, err
}

// stopAtLimit is for searches: a bitmap scan reads all shapes of an area before it keeps as many as the limit says. Other scans
// of an index stop at the limit.
const stopAtLimit = `SET LOCAL enable_bitmapscan = off`

// Limits of a search. They are for what the other bounds do not hold, such as a window of days that excludes most of very many
// shapes. PostgreSQL does not apply statementTime while it prepares a statement for the first time, so the whole search has a limit too.
const (
	statementTime = 2 * time.Second
	searchTime    = 5 * time.Second
)

// limited runs a search that takes searchTime at most, and each of its statements statementTime.
func (g *Group) limited(ctx context.Context, f func(context.Context, database.Querier) error) error {
	search, cancel := context.WithTimeout(ctx, searchTime)
	defer cancel()
	err := g.db.InTx(search, func(tx *database.Tx) error {
		tx.Queue(fmt.Sprintf(`SET LOCAL statement_timeout = %d`, statementTime.Milliseconds()))
		tx.Queue(stopAtLimit)
		return f(search, tx)
	})
	var failed *pgconn.PgError
	tooLong := search.Err() != nil || errors.As(err, &failed) && failed.Code == "57014" // query_canceled
	if err != nil && tooLong && ctx.Err() == nil {
		return errTooComplex
	}
	return err
}
