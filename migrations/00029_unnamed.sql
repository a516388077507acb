-- +goose NO TRANSACTION
-- +goose Up

-- Reports that wait for their address, found without reading the others. CONCURRENTLY as in 00018.
DROP INDEX CONCURRENTLY IF EXISTS reports_unnamed_idx;
CREATE INDEX CONCURRENTLY reports_unnamed_idx ON reports (created_at) WHERE geocoded_at IS NULL AND deleted_at IS NULL;
