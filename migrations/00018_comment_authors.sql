-- +goose NO TRANSACTION
-- +goose Up

-- The comments of a person, for export and erasure. CONCURRENTLY lets writes go on; an index that an interrupted run left
-- behind is invalid, so it is dropped first.
DROP INDEX CONCURRENTLY IF EXISTS report_comments_author_idx;
CREATE INDEX CONCURRENTLY report_comments_author_idx ON report_comments (author_id, created_at);
