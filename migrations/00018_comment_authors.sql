-- +goose NO TRANSACTION
-- +goose Up

-- What somebody has said, for their export and for their erasure. Built while the system runs; one that was interrupted
-- is made anew.
DROP INDEX CONCURRENTLY IF EXISTS report_comments_author_idx;
CREATE INDEX CONCURRENTLY report_comments_author_idx ON report_comments (author_id, created_at);
