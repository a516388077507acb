package journeys

import "strings"

// searchMode says what is compared with what.
type searchMode string

// Modes of the nearby search.
const (
	byMarkers searchMode = "markers" // points with points, as the journey client always had it
	byRoute   searchMode = "route"   // the lines between them
)

// searchSQL are the parts in which the searches differ. The parameters are always
// the journey $1, the caller $2, the radius in metres $3, the days from $4 and to
// $5, and the limit $6.
//
// The journey's own places are collected into one geography first: PostGIS keeps
// its tree of edges through the scan, so each candidate costs the logarithm of
// the journey's length, and the index on the others' places is asked once.
// At 100,000 markers that took a third to a tenth of the time of a join point by point.
type searchSQL struct {
	// own is the column of the journey's places, as far as the caller may see them.
	table, own, others, days, tieBreak string
	// between is a line from a place of the journey to the nearest of another.
	between string
}

var searches = map[searchMode]searchSQL{
	byMarkers: {
		table: "markers", own: "position", others: "shown", tieBreak: "id",
		days:    "daterange(coalesce(t.happened_on, t.planned_on), coalesce(t.happened_on, t.planned_on), '[]')",
		between: "ST_MakeLine(mine.place::geometry, theirs.place::geometry)",
	},
	byRoute: {
		table: "journey_legs", own: "line", others: "shown_line", tieBreak: "seq",
		days: "t.dates",
		between: `ST_Transform(ST_ShortestLine(
			ST_Transform(mine.place::geometry, _ST_BestSRID(mine.place, theirs.place)),
			ST_Transform(theirs.place::geometry, _ST_BestSRID(mine.place, theirs.place))), 4326)`,
	},
}

// hits reads every place of somebody else's public journeys within the radius.
const hits = `
	WITH journey AS MATERIALIZED (
		SELECT ST_Collect({own}::geometry)::geography AS places FROM {table} WHERE journey_id = $1
	), hits AS (
		SELECT t.journey_id, t.{others} AS place, t.{tieBreak} AS tie, ST_Distance(journey.places, t.{others}, false) AS distance
		  FROM journey
		  JOIN {table} t ON ST_DWithin(journey.places, t.{others}, $3, false)
		  JOIN journeys j ON j.id = t.journey_id
		 WHERE j.id <> $1 AND j.user_id <> $2 AND j.visibility = 'public'
		   AND (($4::date IS NULL AND $5::date IS NULL) OR
		        {days} && daterange(coalesce($4, '-infinity'), coalesce($5, 'infinity'), '[]'))
	)`

// nearbyIDs gives the ids alone, nearest first.
const nearbyIDs = hits + `
	SELECT journey_id FROM hits GROUP BY journey_id ORDER BY min(distance), journey_id LIMIT $6`

// nearbyJourneys gives the journeys, how near, where, and whether both are there on the same day.
const nearbyJourneys = hits + `, nearest AS (
		SELECT DISTINCT ON (journey_id) journey_id, place, distance FROM hits ORDER BY journey_id, distance, tie
	), theirs AS (
		SELECT journey_id, place, distance FROM nearest ORDER BY distance, journey_id LIMIT $6
	)
	SELECT {journeyColumns}, theirs.distance,
	       ST_X(ST_StartPoint(between.line)), ST_Y(ST_StartPoint(between.line)),
	       ST_X(ST_EndPoint(between.line)), ST_Y(ST_EndPoint(between.line)),
	       EXISTS (SELECT FROM journey_legs a JOIN journey_legs b ON a.dates && b.dates AND ST_DWithin(a.{ownLine}, b.shown_line, $3, false)
	                WHERE a.journey_id = $1 AND b.journey_id = theirs.journey_id)
	       OR EXISTS (SELECT FROM markers a JOIN markers b ON coalesce(a.happened_on, a.planned_on) = coalesce(b.happened_on, b.planned_on)
	                          AND ST_DWithin(a.{ownPoint}, b.shown, $3, false)
	                   WHERE a.journey_id = $1 AND b.journey_id = theirs.journey_id)
	  FROM theirs
	  JOIN journeys ON journeys.id = theirs.journey_id
	 CROSS JOIN LATERAL (
		SELECT t.{own} AS place FROM {table} t WHERE t.journey_id = $1
		 ORDER BY ST_Distance(t.{own}, theirs.place, false), t.{tieBreak} LIMIT 1) mine
	 CROSS JOIN LATERAL (SELECT {between} AS line) between
	 ORDER BY theirs.distance, theirs.journey_id`

// sql fills in a query for a mode. A caller who is not the journey's owner
// searches from the places they are shown.
func (m searchMode) sql(query string, exact bool) string {
	s := searches[m]
	own, ownPoint, ownLine := s.own, "position", "line"
	if !exact {
		own, ownPoint, ownLine = s.others, "shown", "shown_line"
	}
	return strings.NewReplacer("{table}", s.table, "{own}", own, "{others}", s.others, "{days}", s.days,
		"{tieBreak}", s.tieBreak, "{between}", s.between, "{ownPoint}", ownPoint, "{ownLine}", ownLine,
		"{journeyColumns}", journeyColumns).Replace(query)
}
