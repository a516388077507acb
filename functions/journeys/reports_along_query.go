package journeys

import (
	"strconv"

	"github.com/lafaekstreet/backend/shared/report"
)

// reportsAlongSQL finds the open reports within the radius of a route, in riding order. Each report is placed at the
// closest point of the route; when the route passes this point twice, the first time counts. Parameters: the journey $1, the
// caller $2, the radius in metres $3, the limit $4.
//
// The box around a long leg is large. So legs are cut into pieces of at most 5 km, whose boxes are small. The closest piece
// decides how far along the route a report is. The place of a report without a verdict is the one that everybody is shown,
// so that no route tells where it is exactly. Within a piece this is measured on a plane: the UTM zone of the piece, or
// the grid of a polar region.
//
// The route is searched in stretches until 1,000 reports are found, so where there are many, only a part of the route is
// read. The first stretch is 100 m long. Each later stretch is twice as long as the one before it. A report counts in a
// stretch only if no other piece of the whole route is closer. If 1,500 reports are found in a stretch of more than 100 m,
// the stretch is cut: it then ends where the last piece that was read starts. The next stretch starts there and is 100 m
// long.
var reportsAlongSQL = `
	WITH RECURSIVE legs AS MATERIALIZED (
		SELECT l.seq, CASE WHEN j.user_id = $2 THEN l.line ELSE l.shown_line END AS line
		  FROM journeys j JOIN journey_legs l ON l.journey_id = j.id
		 WHERE j.id = $1 AND (j.user_id = $2 OR j.visibility = 'public')
	), cut AS (
		SELECT legs.seq, p.path[1] AS piece, p.geom::geography AS line, ST_Length(p.geom::geography) AS length_m,
		       ST_X(ST_StartPoint(p.geom)) AS x, ST_Y(ST_StartPoint(p.geom)) AS y,
		       ST_X(ST_EndPoint(p.geom)) - ST_X(ST_StartPoint(p.geom)) AS dx, ST_Y(ST_EndPoint(p.geom)) - ST_Y(ST_StartPoint(p.geom)) AS dy
		  FROM legs CROSS JOIN LATERAL ST_DumpSegments(ST_Segmentize(legs.line, 5000)::geometry) p
	), pieces AS MATERIALIZED (
		SELECT row_number() OVER riding AS n, line, length_m, sum(length_m) OVER riding - length_m AS start_m, x, y, dx, dy,
		       ST_Transform(line::geometry, ` + planeSRID + `) AS plane,
		       piece = 1 AS first, lead(piece, 1, 1) OVER riding = 1 AS last,
		       -- On a flat piece, degrees give the place of a report roughly. That excludes most reports of other stretches.
		       length_m > 1 AND abs(x) < 179 AND abs(y) < 70 AS flat,
		       cos(radians(y + dy / 2)) ^ 2 AS narrow,
		       20 + $3::double precision / 20 AS rough_m
		  FROM cut WINDOW riding AS (ORDER BY seq, piece)
	), route AS MATERIALIZED (
		SELECT ST_Collect(line::geometry)::geography AS line, coalesce(sum(length_m), 0) AS length_m FROM pieces
	), ridden (to_m, step_m, ids, distances, alongs) AS (
		SELECT 0::double precision, 100::double precision, '{}'::uuid[], '{}'::double precision[], '{}'::double precision[]
		UNION ALL
		SELECT found.to_m, CASE WHEN found.to_m = stretch.to_m THEN step_m * 2 ELSE 100 END,
		       ridden.ids || found.ids, ridden.distances || found.distances, ridden.alongs || found.alongs
		  FROM ridden CROSS JOIN route
		 CROSS JOIN LATERAL (
			SELECT ridden.to_m AS from_m, CASE WHEN ridden.to_m + step_m < route.length_m THEN ridden.to_m + step_m ELSE 'infinity' END AS to_m) stretch
		 CROSS JOIN LATERAL (` + stretchSQL + `) found
		 WHERE ridden.to_m < 'infinity' AND cardinality(ridden.ids) < 1000
	), whole AS (
		SELECT ids, distances, alongs, least(cardinality(ids), 1000) AS total FROM ridden ORDER BY to_m DESC, cardinality(ids) DESC LIMIT 1
	)
	SELECT r.id, r.distance, r.along, whole.total
	  FROM whole CROSS JOIN LATERAL unnest(ids, distances, alongs) r (id, distance, along)
	 ORDER BY r.along, r.id LIMIT $4`

// shownWithin is report.ShownWithin for a query.
var shownWithin = strconv.Itoa(report.ShownWithin)

// planeSRID is the SRID of the plane for a piece: EASE-Grid 2.0 beyond 70 degrees north or south, else the UTM zone of the
// middle of the piece. It is correct across the antimeridian too.
const planeSRID = `CASE WHEN y + dy / 2 > 70 THEN 6931 WHEN y + dy / 2 < -70 THEN 6932
		           ELSE CASE WHEN y + dy / 2 < 0 THEN 32701 ELSE 32601 END + mod(floor((x + (dx - 360 * round(dx / 360)) / 2 + 180) / 6)::integer + 60, 60) END`

// stretchSQL returns the reports of a stretch, and the distance along the route up to which they are complete (to_m).
//
// The index finds the reports of a piece by a box in degrees around it. A degree of latitude is at least 110,574 m long, a
// degree of longitude 111,320 m times the cosine of the latitude. Boxes reach at most 0.1 degrees beyond a piece. Near a pole
// or the antimeridian a buffer is used in place of the box. The index has the exact places, so both reach as far beyond as a
// shown place may be from them.
//
// A report beyond the end of a piece is placed at this end. Such reports are looked for at the ends of legs, where the route
// turns, and not where a leg was cut.
var stretchSQL = `
			WITH part AS (
				SELECT n, line, length_m, start_m, plane, x, y, rough_m, flat, first, last,
				       CASE WHEN flat THEN narrow * dx / (narrow * dx ^ 2 + dy ^ 2) ELSE 0 END AS east,
				       CASE WHEN flat THEN dy / (narrow * dx ^ 2 + dy ^ 2) ELSE 0 END AS north,
				       CASE WHEN flat THEN ST_MakeEnvelope(
				           least(x + dx * starts, x + dx * ends) - wide, least(y + dy * starts, y + dy * ends) - tall,
				           greatest(x + dx * starts, x + dx * ends) + wide, greatest(y + dy * starts, y + dy * ends) + tall, 4326)::geography
				       ELSE ST_Buffer(line, $3 + rough_m + ` + shownWithin + `) END AS around,
				       CASE WHEN NOT flat OR first AND stretch.from_m <= start_m + rough_m THEN '-infinity' ELSE starts - rough_m / length_m END AS low,
				       CASE WHEN NOT flat OR last AND stretch.to_m >= start_m + length_m - rough_m THEN 'infinity' ELSE ends + rough_m / length_m END AS high
				  FROM (
					SELECT *, CASE WHEN flat THEN greatest(0, (stretch.from_m - start_m) / length_m) END AS starts,
					       CASE WHEN flat THEN least(1, (stretch.to_m - start_m) / length_m) END AS ends,
					       ($3 + rough_m + ` + shownWithin + `) / 110000 AS tall, ($3 + rough_m + ` + shownWithin + `) / 110000 / cos(radians(least(abs(y), 70) + 0.2)) AS wide
					  FROM pieces WHERE start_m <= stretch.to_m + 1 AND start_m + length_m >= stretch.from_m - 1) p
				 ORDER BY n OFFSET 0
			), beside AS (
				SELECT r.id, ` + report.ShownPositionSQL + ` AS position, p.n, p.start_m, p.length_m, p.plane,
				       ST_Distance(p.line, ` + report.ShownPositionSQL + `, false) AS distance
				  FROM part p
				  JOIN reports r ON r.position && p.around
				   AND (` + report.ShownLongitudeSQL + ` - p.x) * p.east + (` + report.ShownLatitudeSQL + ` - p.y) * p.north BETWEEN p.low AND p.high
				   AND ST_DWithin(p.line, ` + report.ShownPositionSQL + `, $3, false)
				 WHERE r.deleted_at IS NULL AND r.status IN ('pending', 'verified', 'in_progress')
				 ORDER BY p.n OFFSET 0
			), placed AS (
				SELECT id, n, start_m, distance,
				       start_m + length_m * ST_LineLocatePoint(plane, ST_Transform(position::geometry, ST_SRID(plane))) AS along
				  FROM beside WHERE distance <= ST_Distance(route.line, position, false) + 0.000001
				 ORDER BY n OFFSET 0
			), few AS MATERIALIZED (
				SELECT id, n, start_m, distance, along
				  FROM placed WHERE along >= stretch.from_m AND along < stretch.to_m AND id <> ALL (ridden.ids)
				 ORDER BY n LIMIT CASE WHEN step_m > 100 THEN 1500 END
			), known AS (
				SELECT CASE WHEN step_m <= 100 OR count(*) < 1500 THEN stretch.to_m ELSE greatest(max(start_m), stretch.from_m) END AS to_m FROM few
			), once AS (
				SELECT DISTINCT ON (id) id, distance, along FROM few WHERE along < (SELECT to_m FROM known) ORDER BY id, n
			)
			SELECT (SELECT to_m FROM known) AS to_m, coalesce(array_agg(id), '{}') AS ids,
			       coalesce(array_agg(distance), '{}') AS distances, coalesce(array_agg(along), '{}') AS alongs
			  FROM once`
