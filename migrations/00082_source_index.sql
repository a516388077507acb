-- +goose NO TRANSACTION
-- +goose Up
SET lock_timeout = '5s';

-- Lists of reports that came in by one of the rare ways.
DROP INDEX CONCURRENTLY IF EXISTS reports_source_idx;
CREATE INDEX CONCURRENTLY reports_source_idx ON reports (source, created_at DESC, id DESC) WHERE deleted_at IS NULL;
