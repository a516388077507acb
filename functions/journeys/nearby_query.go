package journeys

import "strings"

// searchMode says what is compared with what.
type searchMode string

// Modes of the nearby search.
const (
	byMarkers searchMode = "markers" // points with points, as the journey client always had it
	byRoute   searchMode = "route"   // the lines between them
)

// searchSQL are the parts in which the searches differ.
type searchSQL struct {
	// own is the column of exact places, others the one of places everybody may see.
	table, own, others, tieBreak string
	// days is the range of dates of a place t.
	days string
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
// The parameters are the journey $1, the caller $2, the radius in metres $3, the
// days from $4 and to $5, and the limit $6. A caller who is not the journey's
// owner searches from the places they are shown.
//
// The journey's own places are collected into one geography first: PostGIS keeps
// its tree of edges through the scan, so each candidate costs the logarithm of
// the journey's length, and the index on the others' places is asked once.
// At 100,000 markers that took a third to a tenth of the time of a join place by place.
//
// Where many ride, a twentieth of the radius holds as many journeys as are asked
// for, and then nobody beyond it is nearer: the rest is not looked at.
const hits = `
	WITH base AS (
		SELECT id, user_id = $2 AS exact FROM journeys WHERE id = $1 AND (user_id = $2 OR visibility = 'public')
	), own AS MATERIALIZED (
		SELECT t.{tieBreak} AS tie, CASE WHEN base.exact THEN t.{own} ELSE t.{others} END AS place
		  FROM base JOIN {table} t ON t.journey_id = base.id
	), journey AS MATERIALIZED (
		SELECT ST_Collect(place::geometry)::geography AS places FROM own
	), close AS MATERIALIZED (` + within + `$3 / 20` + ofOthers + `
	), enough AS MATERIALIZED (
		SELECT count(DISTINCT journey_id) >= $6 AS yes FROM close
	), hits AS (
		SELECT journey_id, place, tie, distance FROM close WHERE (SELECT yes FROM enough)
		UNION ALL
		(` + within + `$3` + ofOthers + ` AND NOT (SELECT yes FROM enough))
	)`

// The places of others within a number of metres, which stands between the two.
const (
	within = `
		SELECT t.journey_id, t.{others} AS place, t.{tieBreak} AS tie, ST_Distance(journey.places, t.{others}, false) AS distance
		  FROM journey
		  JOIN {table} t ON ST_DWithin(journey.places, t.{others}, `
	ofOthers = `, false)
		  JOIN journeys j ON j.id = t.journey_id
		 WHERE j.id <> $1 AND j.user_id <> $2 AND j.visibility = 'public'
		   AND (($4::date IS NULL AND $5::date IS NULL) OR
		        {days} && daterange(coalesce($4, '-infinity'), coalesce($5, 'infinity'), '[]'))`
)

// nearbyIDs gives the ids alone, nearest first.
const nearbyIDs = hits + `
	SELECT journey_id FROM hits GROUP BY journey_id ORDER BY min(distance), journey_id LIMIT $6`

// nearbyJourneys gives the journeys, how near, where, and whether both are there
// on the same day. The planner would answer the latter for the whole
// neighbourhood when asked by EXISTS, and by way of the index of places without
// OFFSET 0; a journey's few legs and markers are read by their journey.
const nearbyJourneys = hits + `, nearest AS (
		SELECT DISTINCT ON (journey_id) journey_id, place, distance FROM hits ORDER BY journey_id, distance, tie
	), theirs AS (
		SELECT journey_id, place, distance FROM nearest ORDER BY distance, journey_id LIMIT $6
	), own_legs AS MATERIALIZED (
		SELECT l.dates, CASE WHEN base.exact THEN l.line ELSE l.shown_line END AS line
		  FROM base JOIN journey_legs l ON l.journey_id = base.id
	), own_days AS MATERIALIZED (
		SELECT coalesce(m.happened_on, m.planned_on) AS day, CASE WHEN base.exact THEN m.position ELSE m.shown END AS point
		  FROM base JOIN markers m ON m.journey_id = base.id
	)
	SELECT {journeyColumns}, theirs.distance,
	       ST_X(ST_StartPoint(between.line)), ST_Y(ST_StartPoint(between.line)),
	       ST_X(ST_EndPoint(between.line)), ST_Y(ST_EndPoint(between.line)),
	       coalesce(
	           (SELECT true
	              FROM (SELECT dates, shown_line FROM journey_legs WHERE journey_id = theirs.journey_id OFFSET 0) l
	              JOIN own_legs o ON o.dates && l.dates AND ST_DWithin(o.line, l.shown_line, $3, false) LIMIT 1),
	           (SELECT true
	              FROM (SELECT coalesce(happened_on, planned_on) AS day, shown FROM markers WHERE journey_id = theirs.journey_id OFFSET 0) m
	              JOIN own_days o ON o.day = m.day AND ST_DWithin(o.point, m.shown, $3, false) LIMIT 1),
	           false)
	  FROM theirs
	  JOIN journeys ON journeys.id = theirs.journey_id
	 CROSS JOIN LATERAL (
		SELECT place FROM own ORDER BY ST_Distance(own.place, theirs.place, false), own.tie LIMIT 1) mine
	 CROSS JOIN LATERAL (SELECT {between} AS line) between
	 ORDER BY theirs.distance, theirs.journey_id`

// sql fills in a query for a mode.
func (m searchMode) sql(query string) string {
	s := searches[m]
	return strings.NewReplacer("{table}", s.table, "{own}", s.own, "{others}", s.others, "{days}", s.days,
		"{tieBreak}", s.tieBreak, "{between}", s.between, "{journeyColumns}", journeyColumns).Replace(query)
}
