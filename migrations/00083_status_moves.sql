-- +goose NO TRANSACTION
-- +goose Up

-- The moves of all reports in the order of their times, for other systems that ask what changed. CONCURRENTLY lets writes go on;
-- an index that an interrupted run left is made anew.
DROP INDEX CONCURRENTLY IF EXISTS report_status_history_moves_idx;
CREATE INDEX CONCURRENTLY report_status_history_moves_idx ON report_status_history (created_at, id) WHERE old_status IS NOT NULL;
