-- +goose NO TRANSACTION
-- +goose Up
-- The waits of CONCURRENTLY block nobody, so they have no limit. An index that an interrupted run left is made anew.
SET lock_timeout = 0;

-- A place in degrees with a time as its third coordinate: days since 2000 in UTC, by a thousand. Ninety days are then as long as ten
-- kilometres are wide.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION created_point(longitude double precision, latitude double precision, at timestamptz) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ST_MakePoint(longitude, latitude, ((at AT TIME ZONE 'UTC')::date - '2000-01-01'::date) / 1000::double precision);
-- A line whose box has all such points in a box of degrees, from the day of one time to the day of another. NULL is no bound.
CREATE OR REPLACE FUNCTION created_box(min_longitude double precision, min_latitude double precision, max_longitude double precision, max_latitude double precision,
    since timestamptz, until timestamptz) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ST_MakeLine(created_point(min_longitude, min_latitude, coalesce(since, '1900-01-01 00:00:00Z')), created_point(max_longitude, max_latitude, coalesce(until, '2900-01-01 00:00:00Z')));
-- +goose StatementEnd

-- For lists of an area that are also of a time: the newest reports of an area, those since a day, those until a day.
DROP INDEX CONCURRENTLY IF EXISTS reports_created_point_idx;
CREATE INDEX CONCURRENTLY reports_created_point_idx ON reports USING gist (created_point(longitude, latitude, created_at) gist_geometry_ops_nd) WHERE deleted_at IS NULL;

-- The planner estimates the new expression by what ANALYZE finds.
ANALYZE reports;
