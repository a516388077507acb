-- +goose NO TRANSACTION
-- +goose Up
SET lock_timeout = 0;

-- The newest withdrawal, which the summary of the statistics asks for: without an index it read every withdrawn report.
-- CONCURRENTLY lets writes go on, so its waits have no limit; an index that an interrupted run left is made anew.
DROP INDEX CONCURRENTLY IF EXISTS reports_deleted_idx;
CREATE INDEX CONCURRENTLY reports_deleted_idx ON reports (deleted_at) WHERE deleted_at IS NOT NULL;
