package journeys

// reportsAlong places each open report at the closest point of the route; where
// the route passes it again, the first passage counts. $1 is the journey, $2 the
// caller, $3 the radius in metres, $4 the limit.
//
// A leg may cross half the country, and the box around it with it. So it is cut
// into pieces of at most 5 km, whose boxes are small; the piece that is closest
// says how far along a report is. Within a piece the fraction is measured on a
// plane: the piece's zone of UTM, or the plane of a polar region.
//
// The route is ridden in stretches, of 100 m first and then ever longer, until
// 1,000 reports are found: where they lie close, little of it is looked at.
// Of a stretch's reports only those count that have no closer piece on the whole
// route. A longer one that turns out too rich ends at the last piece that was
// begun, and goes on from there by 100 m.
const reportsAlong = `
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
		       ST_Transform(line::geometry, ` + planeOf + `) AS plane,
		       piece = 1 AS first, lead(piece, 1, 1) OVER riding = 1 AS last,
		       -- Where degrees say roughly where along a piece a report is, they rule out most of those of other stretches.
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
		 CROSS JOIN LATERAL (` + alongStretch + `) found
		 WHERE ridden.to_m < 'infinity' AND cardinality(ridden.ids) < 1000
	), whole AS (
		SELECT ids, distances, alongs, least(cardinality(ids), 1000) AS total FROM ridden ORDER BY to_m DESC, cardinality(ids) DESC LIMIT 1
	)
	SELECT r.id, r.distance, r.along, whole.total
	  FROM whole CROSS JOIN LATERAL unnest(ids, distances, alongs) r (id, distance, along)
	 ORDER BY r.along, r.id LIMIT $4`

// planeOf is the SRID of a plane for a piece: EASE-Grid 2.0 beyond 70 degrees north or south, else the zone of UTM of the
// piece's middle, also across the antimeridian.
const planeOf = `CASE WHEN y + dy / 2 > 70 THEN 6931 WHEN y + dy / 2 < -70 THEN 6932
		           ELSE CASE WHEN y + dy / 2 < 0 THEN 32701 ELSE 32601 END + mod(floor((x + (dx - 360 * round(dx / 360)) / 2 + 180) / 6)::integer + 60, 60) END`

// alongStretch are the reports of a stretch, and how far it was looked through.
//
// A box around a piece, in degrees, finds its reports in the index. A degree of latitude is at least 110,574 m long, one
// of longitude 111,320 m times the cosine of the latitude; boxes reach at most 0.1 degrees beyond a piece. Near a pole or
// the antimeridian a buffer takes the box's place.
//
// A report beyond an end of a piece belongs to its end. That is looked for at the
// ends of legs, where the route turns, and not where it was only cut.
const alongStretch = `
			WITH part AS (
				SELECT n, line, length_m, start_m, plane, x, y, rough_m, flat, first, last,
				       CASE WHEN flat THEN narrow * dx / (narrow * dx ^ 2 + dy ^ 2) ELSE 0 END AS east,
				       CASE WHEN flat THEN dy / (narrow * dx ^ 2 + dy ^ 2) ELSE 0 END AS north,
				       CASE WHEN flat THEN ST_MakeEnvelope(
				           least(x + dx * starts, x + dx * ends) - wide, least(y + dy * starts, y + dy * ends) - tall,
				           greatest(x + dx * starts, x + dx * ends) + wide, greatest(y + dy * starts, y + dy * ends) + tall, 4326)::geography
				       ELSE ST_Buffer(line, $3 + rough_m) END AS around,
				       CASE WHEN NOT flat OR first AND stretch.from_m <= start_m + rough_m THEN '-infinity' ELSE starts - rough_m / length_m END AS low,
				       CASE WHEN NOT flat OR last AND stretch.to_m >= start_m + length_m - rough_m THEN 'infinity' ELSE ends + rough_m / length_m END AS high
				  FROM (
					SELECT *, CASE WHEN flat THEN greatest(0, (stretch.from_m - start_m) / length_m) END AS starts,
					       CASE WHEN flat THEN least(1, (stretch.to_m - start_m) / length_m) END AS ends,
					       ($3 + rough_m) / 110000 AS tall, ($3 + rough_m) / 110000 / cos(radians(least(abs(y), 70) + 0.2)) AS wide
					  FROM pieces WHERE start_m <= stretch.to_m + 1 AND start_m + length_m >= stretch.from_m - 1) p
				 ORDER BY n OFFSET 0
			), beside AS (
				SELECT r.id, r.position, p.n, p.start_m, p.length_m, p.plane, ST_Distance(p.line, r.position, false) AS distance
				  FROM part p
				  JOIN reports r ON r.position && p.around
				   AND (r.longitude - p.x) * p.east + (r.latitude - p.y) * p.north BETWEEN p.low AND p.high
				   AND ST_DWithin(p.line, r.position, $3, false)
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
