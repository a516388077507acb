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
	// patch is what the journey's own places within try.radius of each other share: they are looked around together.
	patch string
	// asked is how many journeys are asked whether they meet the journey, as a multiple of the limit.
	asked string
	// between is a line from a place of the journey to the nearest of another.
	between string
}

var searches = map[searchMode]searchSQL{
	byMarkers: {
		table: "markers", own: "position", others: "shown", tieBreak: "id",
		days: "daterange(coalesce(t.happened_on, t.planned_on), coalesce(t.happened_on, t.planned_on), '[]')",
		// Cells twice as wide as the radius, so that of those around another's place but a few boxes hold it; larger
		// ones where the journey has more than a few hundred places.
		patch: `floor(ST_X(place::geometry) * 55600 / try.radius / greatest(1, n / 200)),
			floor(ST_Y(place::geometry) * 55600 / try.radius / greatest(1, n / 200))`,
		asked:   "0", // points seldom lie on each other
		between: "ST_MakeLine(mine.place::geometry, theirs.place::geometry)",
	},
	byRoute: {
		table: "journey_legs", own: "line", others: "shown_line", tieBreak: "seq",
		days: "t.dates", patch: "()", asked: "20",
		between: shortestLine,
	},
}

// shortestLine is the shortest line from mine.place to theirs.place, measured on a plane around both: the zone of UTM for
// what is less than 6 degrees wide, as Timor-Leste is, else an equal-area projection around the middle of both.
const shortestLine = `(
			SELECT CASE WHEN xmax - xmin < 6 AND abs(y) < 70
			       THEN ST_Transform(ST_ShortestLine(ST_Transform(a, utm), ST_Transform(b, utm)), 4326)
			       ELSE ST_Transform(ST_ShortestLine(ST_Transform(a, around), ST_Transform(b, around)), around, 4326) END
			  FROM (SELECT a, b, xmin, xmax, y,
			               CASE WHEN y < 0 THEN 32701 ELSE 32601 END + least(floor(((xmin + xmax) / 2 + 180) / 6), 59)::integer AS utm,
			               '+proj=laea +datum=WGS84 +lat_0=' || ST_Y(middle) || ' +lon_0=' || ST_X(middle) AS around
			          FROM (SELECT a, b, ST_XMin(pair) AS xmin, ST_XMax(pair) AS xmax, (ST_YMin(pair) + ST_YMax(pair)) / 2 AS y,
			                       ST_Centroid(pair::geography)::geometry AS middle
			                  FROM (SELECT mine.place::geometry AS a, theirs.place::geometry AS b,
			                               ST_Collect(mine.place::geometry, theirs.place::geometry) AS pair) g) m) p)`

// hits reads places of somebody else's public journeys within the radius: all of
// the nearest journeys, up to the limit and beyond, or of all there are. The
// parameters are the journey $1, the caller $2, the radius in metres $3, the days
// from $4 and to $5, and the limit $6. A caller who is not the journey's owner
// searches from the places they are shown.
//
// It costs what is answered, not what is there. Where many ride, more routes
// cross this one than are asked for, all of them at no distance, and the lowest
// ids come first: so journeys are asked in the order of their ids, until enough
// have met it. They are asked only if one in ten of the first has a box that
// touches its own, and no more than twenty times as many as are wanted.
//
// Else it is looked around in growing circles, each four times as wide, until one
// holds as many journeys as are asked for: then nobody beyond it is nearer. Own
// places that are close for a circle are collected into one geography, of which
// PostGIS keeps the tree through the scan: each small circle asks the index for
// little, and a large one does not ask it for the same again and again.
const hits = `
	WITH RECURSIVE base AS (
		SELECT id, user_id = $2 AS exact FROM journeys WHERE id = $1 AND (user_id = $2 OR visibility = 'public')
	), own AS MATERIALIZED (
		SELECT t.{tieBreak} AS tie, CASE WHEN base.exact THEN t.{own} ELSE t.{others} END AS place, count(*) OVER () AS n
		  FROM base JOIN {table} t ON t.journey_id = base.id
	), journey AS MATERIALIZED (
		SELECT ST_Collect(place::geometry)::geography AS places FROM own
	), crowded AS MATERIALIZED (
		SELECT count(*) * 5 >= $6::integer AS yes
		  FROM (SELECT j.id FROM journeys j WHERE ` + foreign + ` ORDER BY j.id LIMIT least({asked}, 2) * $6) j CROSS JOIN journey
		 WHERE EXISTS (SELECT FROM ` + placesOfJ + ` WHERE ` + then + ` AND t.{others} && journey.places)
	), met AS MATERIALIZED (
		SELECT j.id AS journey_id, theirs.place, theirs.tie, 0::double precision AS distance
		  FROM (SELECT j.id FROM journeys j WHERE ` + foreign + ` AND (SELECT yes FROM crowded) ORDER BY j.id LIMIT {asked} * $6) j
		 CROSS JOIN journey
		 CROSS JOIN LATERAL (
			SELECT t.{others} AS place, t.{tieBreak} AS tie
			  FROM ` + placesOfJ + `
			 WHERE ` + then + ` AND t.{others} && journey.places AND ST_Distance(journey.places, t.{others}, false) = 0
			 ORDER BY t.{tieBreak} LIMIT 1) theirs
		 ORDER BY j.id LIMIT $6
	), circles (radius, enough) AS (
		SELECT $3::double precision / 16384, false WHERE (SELECT count(*) FROM met) < $6
		UNION ALL
		SELECT try.radius, CASE WHEN try.radius >= $3 THEN true ELSE (SELECT count(DISTINCT t.journey_id) >= $6` + around + `) END
		  FROM circles CROSS JOIN LATERAL (VALUES (circles.radius * 4)) try (radius)
		 WHERE NOT enough
	), hits AS (
		SELECT journey_id, place, tie, distance FROM met WHERE (SELECT count(*) FROM met) = $6
		UNION ALL
		SELECT theirs.journey_id, theirs.place, theirs.tie, theirs.distance
		  FROM (SELECT radius FROM circles WHERE enough) try
		 CROSS JOIN LATERAL (
			SELECT t.journey_id, t.{others} AS place, t.{tieBreak} AS tie, ST_Distance(patch.places, t.{others}, false) AS distance` + around + `) theirs
	)`

const (
	// foreign is a journey j that may be found.
	foreign = `j.id <> $1 AND j.user_id <> $2 AND j.visibility = 'public'`
	// then is a place t at a time that is asked for.
	then = `(($4::date IS NULL AND $5::date IS NULL) OR
		        {days} && daterange(coalesce($4::date, '-infinity'), coalesce($5::date, 'infinity'), '[]'))`
	// placesOfJ are read by their journey: without OFFSET 0 the planner is drawn to the index of all places.
	placesOfJ = `(SELECT * FROM {table} WHERE journey_id = j.id ORDER BY {tieBreak} OFFSET 0) t`
	// around are places t of others within try.radius. A few rows' journeys are read one by one, for a join reads them all.
	around = `
		  FROM (SELECT ST_Collect(place::geometry)::geography AS places FROM own GROUP BY {patch}) patch
		  JOIN {table} t ON ST_DWithin(patch.places, t.{others}, try.radius, false)
		 WHERE ` + then + ` AND (SELECT ` + foreign + ` FROM journeys j WHERE j.id = t.journey_id)`
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
		"{tieBreak}", s.tieBreak, "{patch}", s.patch, "{asked}", s.asked, "{between}", s.between, "{journeyColumns}", journeyColumns).Replace(query)
}
