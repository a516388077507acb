package journeys

// searchMode says what a nearby search compares.
type searchMode string

// Modes of the nearby search.
const (
	byMarkers searchMode = "markers" // points with points, the default of the published journey client
	byRoute   searchMode = "route"   // legs with legs: the lines between dated points
)

// searchSQL holds the parts of the nearby statements that depend on the mode.
type searchSQL struct {
	// shapes selects the markers (points) or the legs (lines) of all journeys. Columns: journey_id; tie, which orders the
	// shapes of a journey; exact, the place only the owner sees; shown, the place everybody may see; days, a date range.
	shapes string
	// patches is the GROUP BY of the journey's own shapes. Shapes of one group are compared with others as one geography.
	patches string
	// tested is how many journeys are tested for contact at most, as a multiple of the limit. 0 skips the test.
	tested string
	// line is the shortest line from mine.shape to theirs.shape.
	line string
}

// sql returns the parts for a mode; false for a mode that does not exist.
func (m searchMode) sql() (searchSQL, bool) {
	switch m {
	case byMarkers:
		return searchSQL{
			shapes: `
		SELECT journey_id, id AS tie, position AS exact, shown,
		       daterange(coalesce(happened_on, planned_on), coalesce(happened_on, planned_on), '[]') AS days
		  FROM markers`,
			// Squares twice as wide as the radius: only a few of their boxes then hold a place of somebody else. Squares
			// are larger when the journey has more than a few hundred markers.
			patches: `floor(ST_X(shape::geometry) * 55600 / try.radius / greatest(1, n / 200)),
				floor(ST_Y(shape::geometry) * 55600 / try.radius / greatest(1, n / 200))`,
			tested: "0", // two points are seldom at the same place
			line:   "ST_MakeLine(mine.shape::geometry, theirs.shape::geometry)",
		}, true
	case byRoute:
		return searchSQL{
			shapes: `
		SELECT journey_id, seq AS tie, line AS exact, shown_line AS shown, dates AS days
		  FROM journey_legs`,
			patches: "()", // all legs are one group
			tested:  "20",
			line:    shortestLine,
		}, true
	}
	return searchSQL{}, false
}

// shortestLine is measured on a plane around both shapes: their UTM zone when they are less than 6 degrees wide, as
// Timor-Leste is, else an equal-area projection around the middle of both.
const shortestLine = `(
			SELECT CASE WHEN xmax - xmin < 6 AND abs(y) < 70
			       THEN ST_Transform(ST_ShortestLine(ST_Transform(a, utm), ST_Transform(b, utm)), 4326)
			       ELSE ST_Transform(ST_ShortestLine(ST_Transform(a, around), ST_Transform(b, around)), around, 4326) END
			  FROM (SELECT a, b, xmin, xmax, y,
			               CASE WHEN y < 0 THEN 32701 ELSE 32601 END + least(floor(((xmin + xmax) / 2 + 180) / 6), 59)::integer AS utm,
			               '+proj=laea +datum=WGS84 +lat_0=' || ST_Y(middle) || ' +lon_0=' || ST_X(middle) AS around
			          FROM (SELECT a, b, ST_XMin(pair) AS xmin, ST_XMax(pair) AS xmax, (ST_YMin(pair) + ST_YMax(pair)) / 2 AS y,
			                       ST_Centroid(pair::geography)::geometry AS middle
			                  FROM (SELECT mine.shape::geometry AS a, theirs.shape::geometry AS b,
			                               ST_Collect(mine.shape::geometry, theirs.shape::geometry) AS pair) g) m) p)`

// nearbyHits is the start of both nearby statements. Its last table, hits, has shapes of other people's public journeys
// within the radius. At least one shape of each of the nearest journeys is there, up to the limit; more may be there.
//
// Parameters: the journey $1, the caller $2, the radius in metres $3, the first day $4 and the last day $5 (null: open), the
// limit $6. For the owner of the journey its exact shapes are compared, for others the shapes they are shown.
//
// The cost depends on the answer and not on the number of journeys. There are two ways.
//
// The first is for places where many people ride. More routes than the limit cross this one, all at distance 0; the answer
// is then the routes with the lowest ids. Journeys are tested in the order of their ids until $6 of them cross this one, at
// most 20 * $6 journeys. This way is used if one in ten of the first 2 * $6 journeys has a box that touches this journey's
// box.
//
// The second searches circles, each four times as wide as the one before, until a circle has $6 journeys. Every journey
// outside of that circle is farther away. Own shapes whose distance is small compared with the circle are joined to one
// geography, a patch. PostGIS keeps the search tree of a patch during the scan. So a small circle reads few rows of the
// index, and a large circle does not read the same rows again for each shape.
func nearbyHits(mode searchSQL) string {
	const (
		inWindow = `($4::date IS NULL AND $5::date IS NULL OR
		        days && daterange(coalesce($4::date, '-infinity'), coalesce($5::date, 'infinity'), '[]'))`
		// OFFSET 0 keeps the planner from reading the shapes of one journey by the index of all places.
		shapesOfJ = `(SELECT * FROM shapes WHERE journey_id = j.id ORDER BY tie OFFSET 0) t`
	)
	// The journey of each shape is read alone: a join would read all journeys for a few shapes.
	shapesWithinRadius := `
		  FROM (SELECT ST_Collect(shape::geometry)::geography AS shape FROM own GROUP BY ` + mode.patches + `) patch
		  JOIN shapes t ON ST_DWithin(patch.shape, t.shown, try.radius, false)
		 WHERE ` + inWindow + `
		   AND (SELECT id <> $1 AND user_id <> $2 AND visibility = 'public' FROM journeys j WHERE j.id = t.journey_id)`
	return `
	WITH RECURSIVE shapes AS NOT MATERIALIZED (` + mode.shapes + `
	), candidates AS NOT MATERIALIZED (
		SELECT id FROM journeys WHERE id <> $1 AND user_id <> $2 AND visibility = 'public'
	), base AS (
		SELECT id, user_id = $2 AS owned FROM journeys WHERE id = $1 AND (user_id = $2 OR visibility = 'public')
	), own AS MATERIALIZED (
		SELECT tie, CASE WHEN base.owned THEN exact ELSE shown END AS shape, count(*) OVER () AS n
		  FROM base JOIN shapes ON shapes.journey_id = base.id
	), whole AS MATERIALIZED (
		SELECT ST_Collect(shape::geometry)::geography AS shape FROM own
	), crowded AS MATERIALIZED (
		SELECT count(*) * 5 >= $6::integer AS yes
		  FROM (SELECT id FROM candidates ORDER BY id LIMIT least(` + mode.tested + `, 2) * $6) j CROSS JOIN whole
		 WHERE EXISTS (SELECT FROM ` + shapesOfJ + ` WHERE ` + inWindow + ` AND shown && whole.shape)
	), met AS MATERIALIZED (
		SELECT j.id AS journey_id, theirs.shape, theirs.tie, 0::double precision AS distance
		  FROM (SELECT id FROM candidates WHERE (SELECT yes FROM crowded) ORDER BY id LIMIT ` + mode.tested + ` * $6) j
		 CROSS JOIN whole
		 CROSS JOIN LATERAL (
			SELECT shown AS shape, tie
			  FROM ` + shapesOfJ + `
			 WHERE ` + inWindow + ` AND shown && whole.shape AND ST_Distance(whole.shape, shown, false) = 0
			 ORDER BY tie LIMIT 1) theirs
		 ORDER BY j.id LIMIT $6
	), circles (radius, enough) AS (
		SELECT $3::double precision / 16384, false WHERE (SELECT count(*) FROM met) < $6
		UNION ALL
		SELECT try.radius, CASE WHEN try.radius >= $3 THEN true ELSE (SELECT count(DISTINCT journey_id) >= $6` + shapesWithinRadius + `) END
		  FROM circles CROSS JOIN LATERAL (VALUES (circles.radius * 4)) try (radius)
		 WHERE NOT enough
	), hits AS (
		SELECT journey_id, shape, tie, distance FROM met WHERE (SELECT count(*) FROM met) = $6
		UNION ALL
		SELECT theirs.journey_id, theirs.shape, theirs.tie, theirs.distance
		  FROM (SELECT radius FROM circles WHERE enough) try
		 CROSS JOIN LATERAL (
			SELECT journey_id, shown AS shape, tie, ST_Distance(patch.shape, shown, false) AS distance` + shapesWithinRadius + `) theirs
	)`
}

// nearbyIDsSQL returns the ids of journeys, nearest first. Parameters as in nearbyHits.
func nearbyIDsSQL(mode searchSQL) string {
	return nearbyHits(mode) + `
	SELECT journey_id FROM hits GROUP BY journey_id ORDER BY min(distance), journey_id LIMIT $6`
}

// nearbyJourneysSQL returns the journeys, nearest first: how near, the closest place of each side, and whether both are
// within the radius of each other on the same day. Parameters as in nearbyHits.
//
// The last question is asked of each journey's own legs and markers by a subquery with OFFSET 0 and LIMIT 1. With EXISTS
// the planner answers it for the whole neighbourhood; without OFFSET 0 it reads the index of all places.
func nearbyJourneysSQL(mode searchSQL) string {
	return nearbyHits(mode) + `, nearest AS (
		SELECT DISTINCT ON (journey_id) journey_id, shape, distance FROM hits ORDER BY journey_id, distance, tie
	), theirs AS (
		SELECT journey_id, shape, distance FROM nearest ORDER BY distance, journey_id LIMIT $6
	), own_legs AS MATERIALIZED (
		SELECT l.dates, CASE WHEN base.owned THEN l.line ELSE l.shown_line END AS line
		  FROM base JOIN journey_legs l ON l.journey_id = base.id
	), own_days AS MATERIALIZED (
		SELECT coalesce(m.happened_on, m.planned_on) AS day, CASE WHEN base.owned THEN m.position ELSE m.shown END AS point
		  FROM base JOIN markers m ON m.journey_id = base.id
	)
	SELECT ` + journeyColumns + `, theirs.distance,
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
		SELECT shape FROM own ORDER BY ST_Distance(own.shape, theirs.shape, false), own.tie LIMIT 1) mine
	 CROSS JOIN LATERAL (SELECT ` + mode.line + ` AS line) between
	 ORDER BY theirs.distance, theirs.journey_id`
}
