-- +goose NO TRANSACTION
-- +goose Up

-- The reports that were withdrawn or removed: few, and found without reading the others. CONCURRENTLY as in 00018.
DROP INDEX CONCURRENTLY IF EXISTS reports_removed_idx;
CREATE INDEX CONCURRENTLY reports_removed_idx ON reports (deleted_at) WHERE deleted_at IS NOT NULL;
