package journeys

import (
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
)

// updateLegs computes the legs of a journey again. Call it in every transaction that changes a marker, with the journey's
// row locked: then the legs always belong to the markers of the same commit.
func updateLegs(tx *database.Tx, journeyID uuid.UUID) {
	tx.Queue(UpdateLegsSQL, journeyID)
}

// UpdateLegsSQL makes the legs of journey $1 from its markers, in riding order: past markers by date, then planned ones by
// date, those without a date after the dated ones of their kind, and by creation time on one day. ridingOrder sorts the same
// way. A journey with tracks has no such legs: the tracks are its route. Only legs that differ are written.
//
// Two points on opposite sides of the earth have no leg: there is no single shortest line between them, and PostGIS
// fails on such a line. The data generator runs this statement too.
const UpdateLegsSQL = `
	WITH places AS (
		SELECT marker_type, coalesce(happened_on, planned_on) AS day, position, shown, created_at, id
		  FROM markers
		 WHERE journey_id = $1 AND NOT EXISTS (SELECT FROM tracks WHERE journey_id = $1)
	), pairs AS (
		SELECT marker_type, day, position, shown, row_number() OVER riding AS n,
		       lead(marker_type) OVER riding AS next_type, lead(day) OVER riding AS next_day,
		       lead(position) OVER riding AS next_position, lead(shown) OVER riding AS next_shown
		  FROM places
		WINDOW riding AS (ORDER BY marker_type = 'plan', day, created_at, id)
	), legs AS (
		SELECT row_number() OVER (ORDER BY n) AS seq,
		       CASE WHEN marker_type = next_type THEN marker_type ELSE 'transition' END AS kind,
		       CASE WHEN coalesce(day, next_day) IS NOT NULL THEN daterange(least(day, next_day), greatest(day, next_day), '[]') END AS dates,
		       ST_MakeLine(position::geometry, next_position::geometry)::geography AS line,
		       ST_MakeLine(shown::geometry, next_shown::geometry)::geography AS shown_line,
		       ST_Distance(position, next_position) AS length_m
		  FROM pairs
		 WHERE next_position IS NOT NULL
		   AND ST_Distance(position, next_position, false) < 20000000
		   AND ST_Distance(shown, next_shown, false) < 20000000
	), surplus AS (
		DELETE FROM journey_legs WHERE journey_id = $1 AND seq > (SELECT count(*) FROM legs)
	)
	INSERT INTO journey_legs AS l (journey_id, seq, kind, dates, line, shown_line, start_m, length_m)
	SELECT $1, seq, kind, dates, line, shown_line, sum(length_m) OVER (ORDER BY seq) - length_m, length_m FROM legs
	ON CONFLICT (journey_id, seq) DO UPDATE
	   SET kind = excluded.kind, dates = excluded.dates, line = excluded.line, shown_line = excluded.shown_line,
	       start_m = excluded.start_m, length_m = excluded.length_m
	 WHERE (l.kind, l.dates, l.line, l.shown_line, l.start_m, l.length_m) IS DISTINCT FROM
	       (excluded.kind, excluded.dates, excluded.line, excluded.shown_line, excluded.start_m, excluded.length_m)`
