-- +goose Up

-- Markers without a date are part of the route: after the dated ones of their kind, in the order they were added. A leg
-- between two of them has no dates.
ALTER TABLE journey_legs ALTER COLUMN dates DROP NOT NULL;

-- Journeys with such markers get the legs that were left out. The statement is that of functions/journeys.
-- +goose StatementBegin
DO $$
DECLARE
    journey uuid;
BEGIN
    FOR journey IN SELECT DISTINCT journey_id FROM markers WHERE coalesce(happened_on, planned_on) IS NULL LOOP
        DELETE FROM journey_legs WHERE journey_id = journey;
        INSERT INTO journey_legs (journey_id, seq, kind, dates, line, shown_line, start_m, length_m)
        SELECT journey, seq, kind, dates, line, shown_line, sum(length_m) OVER (ORDER BY seq) - length_m, length_m
          FROM (
            SELECT row_number() OVER (ORDER BY n) AS seq,
                   CASE WHEN marker_type = next_type THEN marker_type ELSE 'transition' END AS kind,
                   CASE WHEN coalesce(day, next_day) IS NOT NULL THEN daterange(least(day, next_day), greatest(day, next_day), '[]') END AS dates,
                   ST_MakeLine(position::geometry, next_position::geometry)::geography AS line,
                   ST_MakeLine(shown::geometry, next_shown::geometry)::geography AS shown_line,
                   ST_Distance(position, next_position) AS length_m
              FROM (
                SELECT marker_type, day, position, shown, row_number() OVER riding AS n,
                       lead(marker_type) OVER riding AS next_type, lead(day) OVER riding AS next_day,
                       lead(position) OVER riding AS next_position, lead(shown) OVER riding AS next_shown
                  FROM (SELECT *, coalesce(happened_on, planned_on) AS day FROM markers WHERE journey_id = journey) places
                WINDOW riding AS (ORDER BY marker_type = 'plan', day, created_at, id)) pairs
             WHERE next_position IS NOT NULL
               AND ST_Distance(position, next_position, false) < 20000000
               AND ST_Distance(shown, next_shown, false) < 20000000) legs;
    END LOOP;
END
$$;
-- +goose StatementEnd
