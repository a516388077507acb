-- +goose NO TRANSACTION
-- +goose Up

-- Places that wait for their name, found without reading those that have one. Built while the system runs; one that was
-- interrupted is made anew.
DROP INDEX CONCURRENTLY IF EXISTS reports_unnamed_idx;
CREATE INDEX CONCURRENTLY reports_unnamed_idx ON reports (created_at) WHERE geocoded_at IS NULL AND deleted_at IS NULL;
