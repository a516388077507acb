-- +goose NO TRANSACTION
-- +goose Up
SET lock_timeout = '5s';

-- The withdrawn and removed reports of a person, for administrators; reports_user_idx has the others.
DROP INDEX CONCURRENTLY IF EXISTS reports_user_removed_idx;
CREATE INDEX CONCURRENTLY reports_user_removed_idx ON reports (user_id) WHERE deleted_at IS NOT NULL;
