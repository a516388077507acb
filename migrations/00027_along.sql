-- +goose NO TRANSACTION
-- +goose Up

-- The open reports beside a route: three of four that lie there are done. Built while the system runs; one that was
-- interrupted is made anew.
DROP INDEX CONCURRENTLY IF EXISTS reports_open_position_idx;
CREATE INDEX CONCURRENTLY reports_open_position_idx ON reports USING gist (position)
    WHERE deleted_at IS NULL AND status IN ('pending', 'verified', 'in_progress');
