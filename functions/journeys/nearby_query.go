package journeys

// searchMode says what a nearby search compares.
type searchMode string

// Modes of the nearby search. Both compare tracks with tracks.
const (
	byMarkers searchMode = "markers" // and markers with markers, the default of the published journey client
	byRoute   searchMode = "route"   // and the legs between dated markers
	byAll     searchMode = "all"     // everything a journey has, for the question who is where on the same day
)

// shapesSQL selects the lines and the points of all journeys. exact is what the owner sees, shown is what everybody sees or
// NULL; source and seq name the row; days is a range of dates, or NULL for a shape without a date: a range without ends would
// meet every day.
func (m searchMode) shapesSQL() string {
	const (
		tracks = `
		SELECT journey_id, track_id AS source, seq, line AS exact, shown_line AS shown, dates AS days FROM track_stretches`
		markers = `
		 UNION ALL
		SELECT journey_id, id, 0, position, shown,
		       CASE WHEN happened_on IS NOT NULL THEN daterange(happened_on, happened_on, '[]')
		            WHEN planned_on IS NOT NULL THEN daterange(planned_on, planned_on, '[]') END
		  FROM markers`
		legs = `
		 UNION ALL
		SELECT journey_id, journey_id, seq, line, shown_line, dates FROM journey_legs`
	)
	switch m {
	case byMarkers:
		return tracks + markers
	case byRoute:
		return tracks + legs
	}
	return tracks + markers + legs
}

const shapeColumns = `journey_id, source, seq, lower(days), upper(days)`

// ownShapesSQL selects the shapes of journey $1, at most $3. Its owner, if that is person $2, sees the exact ones.
func ownShapesSQL(m searchMode) string {
	return `
	SELECT ` + shapeColumns + `, ST_AsBinary(CASE WHEN owned THEN exact ELSE shown END, 'NDR')
	  FROM (SELECT id, user_id = $2 AS owned FROM journeys WHERE id = $1) j
	  JOIN (` + m.shapesSQL() + `) t ON t.journey_id = j.id
	 WHERE CASE WHEN owned THEN exact ELSE shown END IS NOT NULL
	 LIMIT $3`
}

// nearShapesSQL selects the shapes whose boxes meet those of the areas $2 (track.AreaAround). Each area gives $5 shapes at most; its
// number comes first. A shape may come once for each area. $1 is the journey of the search. Only days from $3 to $4
// count; null is open. Shapes of the journeys $6 are left out.
func nearShapesSQL(m searchMode) string {
	return `
	SELECT number, t.*
	  FROM unnest($2::bytea[]) WITH ORDINALITY areas (area, number)
	 CROSS JOIN LATERAL (
		SELECT ` + shapeColumns + `, ST_AsBinary(shown, 'NDR')
		  FROM (` + m.shapesSQL() + `) t
		 WHERE shown && ST_GeogFromWKB(area) AND journey_id <> $1 AND journey_id <> ALL(coalesce($6::uuid[], '{}'))
		   AND ($3::date IS NULL AND $4::date IS NULL OR
		        days && daterange(coalesce($3::date, '-infinity'), coalesce($4::date, 'infinity'), '[]'))
		 LIMIT $5) t`
}

// visibleSQL selects those of the journeys $1 that the search of person $2 may return.
const visibleSQL = `SELECT ` + journeyColumns + ` FROM journeys WHERE id = ANY($1) AND user_id <> $2 AND visibility = 'public'`

// datedShapesSQL selects shapes of the journeys $1 that have days from $2 to before $3 and whose boxes meet those of the areas
// $4, at most $5 of each journey. The number of the journey comes first.
var datedShapesSQL = `
	WITH areas AS MATERIALIZED (
		SELECT ST_GeogFromWKB(area) AS area FROM unnest($4::bytea[]) a (area)
	)
	SELECT number, t.*
	  FROM unnest($1::uuid[]) WITH ORDINALITY ids (id, number)
	 CROSS JOIN LATERAL (
		SELECT ` + shapeColumns + `, ST_AsBinary(shown, 'NDR')
		  FROM (` + byAll.shapesSQL() + `) t
		 WHERE journey_id = id AND days && daterange($2::date, $3::date) AND EXISTS (SELECT FROM areas WHERE shown && area)
		 LIMIT $5) t`
