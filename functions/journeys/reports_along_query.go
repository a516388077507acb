package journeys

import (
	"strconv"

	"github.com/lafaekstreet/backend/shared/report"
)

// routeLegsSQL reads the legs of journey $1, as person $2 sees them, in riding order (trackOrder): the line, and the metres
// that the leg counts, NULL where its line is measured. A journey has legs of tracks, or of markers.
const routeLegsSQL = `
	SELECT ST_AsBinary((CASE WHEN j.owned THEN l.line ELSE l.shown_line END)::geometry, 'NDR'), CASE WHEN j.owned THEN l.length_m END
	  FROM (SELECT id, user_id = $2 AS owned FROM journeys WHERE id = $1 AND (user_id = $2 OR visibility = 'public')) j
	 CROSS JOIN LATERAL (
		SELECT t.kind, t.started_at, t.created_at, t.id, l.seq, l.line, l.shown_line, l.length_m
		  FROM tracks t JOIN track_legs l ON l.track_id = t.id WHERE t.journey_id = j.id
		UNION ALL
		SELECT NULL, NULL, NULL, NULL, seq, line, shown_line, length_m FROM journey_legs WHERE journey_id = j.id) l
	 WHERE j.owned OR l.shown_line IS NOT NULL
	 ORDER BY l.kind = 'planned', l.started_at, l.created_at, l.id, l.seq`

// openReportSQL is the condition of the index of open reports, for reports r.
const openReportSQL = `r.deleted_at IS NULL AND r.status IN ('pending', 'verified', 'in_progress')`

// shownWithin is report.ShownWithin for a query: the index has the exact places, and a shown place is so near to its exact one.
var shownWithin = strconv.Itoa(report.ShownWithin)

// areasWithReportsSQL returns the numbers, from 0, of the circles that may have open reports. Parameters: the longitudes $1,
// the latitudes $2 and the radii in metres $3 of the circles.
var areasWithReportsSQL = `
	SELECT n - 1 FROM unnest($1::double precision[], $2::double precision[], $3::double precision[]) WITH ORDINALITY a (lon, lat, radius_m, n)
	 WHERE EXISTS (SELECT FROM reports r
	                WHERE ` + openReportSQL + `
	                  AND ST_DWithin(r.position, ST_SetSRID(ST_MakePoint(lon, lat), 4326)::geography, radius_m + ` + shownWithin + `, false))`

// reportsBesideSQL returns open reports beside spans, in the order of the spans: the number of the span, from 0; the report,
// its exact place, and whether others see that in whole thousandths of a degree only. Parameters: where each span starts,
// longitudes $1 and latitudes $2; where it ends, $3 and $4; its radius in metres $5; how many reports $6.
var reportsBesideSQL = `
	SELECT s.n - 1, r.id, r.longitude, r.latitude, r.status = 'pending'
	  FROM (SELECT n, radius_m, ST_SetSRID(ST_MakeLine(ST_MakePoint(lon, lat), ST_MakePoint(to_lon, to_lat)), 4326)::geography AS line
	          FROM unnest($1::double precision[], $2::double precision[], $3::double precision[], $4::double precision[], $5::double precision[])
	               WITH ORDINALITY s (lon, lat, to_lon, to_lat, radius_m, n)
	         ORDER BY n OFFSET 0) s
	  JOIN reports r ON ST_DWithin(s.line, r.position, s.radius_m + ` + shownWithin + `, false)
	   AND (r.status = 'pending' OR ST_DWithin(s.line, r.position, s.radius_m, false))
	 WHERE ` + openReportSQL + `
	 ORDER BY s.n LIMIT $6`
