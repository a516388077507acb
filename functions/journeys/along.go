package journeys

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/report"
)

type alongInput struct {
	JourneyID uuid.UUID `path:"journey_id" format:"uuid"`
	WithinM   int       `query:"within_m" minimum:"1" maximum:"10000" default:"500" doc:"How near the route, in metres"`
	Limit     int       `query:"limit" minimum:"1" maximum:"500" default:"200" doc:"The first so many in riding order"`
}

// AlongReport is an open report beside a route.
type AlongReport struct {
	report.Summary
	DistanceMeters float64 `json:"distance_meters" doc:"From the route"`
	AlongMeters    float64 `json:"along_meters" doc:"Along the route from its start to the closest point"`
}

// Along is what waits on a route, in riding order.
type Along struct {
	Items []AlongReport `json:"items"`
	Total int           `json:"total" doc:"On the whole route, also beyond the limit"`
}

type alongOutput struct {
	Body Along
}

// reportsAlong places each open report at the closest point of the route; where
// the route passes it again, the first passage counts. $1 is the journey, $2 the
// caller, $3 the radius in metres, $4 the limit.
//
// A leg may cross half the country, and the box around it with it. So it is cut into pieces of at most 5 km, whose boxes
// are small, and each asks the index of the reports; the piece that was hit says how far along it is. Within a piece the
// fraction is measured on a plane made for it.
const reportsAlong = `
	WITH legs AS MATERIALIZED (
		SELECT l.seq, CASE WHEN j.user_id = $2 THEN l.line ELSE l.shown_line END AS line
		  FROM journeys j JOIN journey_legs l ON l.journey_id = j.id
		 WHERE j.id = $1 AND (j.user_id = $2 OR j.visibility = 'public')
	), pieces AS (
		SELECT legs.seq, p.path[1] AS piece, p.geom::geography AS line, ST_Length(p.geom::geography) AS length_m
		  FROM legs CROSS JOIN LATERAL ST_DumpSegments(ST_Segmentize(legs.line, 5000)::geometry) p
	), measured AS MATERIALIZED (
		SELECT seq, piece, line, length_m, sum(length_m) OVER (ORDER BY seq, piece) - length_m AS start_m FROM pieces
	), hits AS (
		SELECT DISTINCT ON (r.id) r.id, r.position, l.line, l.start_m, l.length_m, ST_Distance(l.line, r.position, false) AS distance
		  FROM measured l
		  JOIN reports r ON ST_DWithin(l.line, r.position, $3, false)
		 WHERE r.deleted_at IS NULL AND r.status IN ('pending', 'verified', 'in_progress')
		 ORDER BY r.id, distance, l.seq, l.piece
	), placed AS (
		SELECT id, distance, start_m + length_m * ST_LineLocatePoint(
		           ST_Transform(line::geometry, _ST_BestSRID(line)), ST_Transform(position::geometry, _ST_BestSRID(line))) AS along
		  FROM hits
	)
	SELECT id, distance, along, count(*) OVER () FROM placed ORDER BY along, id LIMIT $4`

// alongHit is a report's place beside the route, in metres.
type alongHit struct {
	id              uuid.UUID
	distance, along float64
}

func (g *Group) reportsAlong(ctx context.Context, in *alongInput) (*alongOutput, error) {
	caller := identity.Must(ctx)
	out := &alongOutput{Body: Along{Items: []AlongReport{}}}
	_, hits, err := journeyAnd(ctx, g.db, in.JourneyID, caller.UserID, func(row pgx.CollectableRow) (alongHit, error) {
		var h alongHit
		err := row.Scan(&h.id, &h.distance, &h.along, &out.Body.Total)
		return h, err
	}, reportsAlong, in.JourneyID, caller.UserID, in.WithinM, in.Limit)
	if err != nil || len(hits) == 0 {
		return out, err
	}
	at := make(map[uuid.UUID]alongHit, len(hits))
	ids := make([]uuid.UUID, 0, len(hits))
	for _, h := range hits {
		at[h.id] = h
		ids = append(ids, h.id)
	}
	summaries, err := g.reports.Summaries(ctx, report.ViewerOf(caller), ids)
	if err != nil {
		return nil, err
	}
	for _, s := range summaries {
		out.Body.Items = append(out.Body.Items, AlongReport{Summary: s, DistanceMeters: at[s.ID].distance, AlongMeters: at[s.ID].along})
	}
	return out, nil
}
