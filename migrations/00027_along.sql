-- +goose NO TRANSACTION
-- +goose Up

-- The open reports beside a route. Three of four reports there are done. CONCURRENTLY as in 00018.
DROP INDEX CONCURRENTLY IF EXISTS reports_open_position_idx;
CREATE INDEX CONCURRENTLY reports_open_position_idx ON reports USING gist (position)
    WHERE deleted_at IS NULL AND status IN ('pending', 'verified', 'in_progress');
