-- +goose NO TRANSACTION

-- +goose Up
SET lock_timeout = '5s';

-- The figures by district leave out the districts that only reports with hidden words name.
DROP INDEX CONCURRENTLY IF EXISTS reports_words_hidden_idx;
CREATE INDEX CONCURRENTLY reports_words_hidden_idx ON reports (id) WHERE words_hidden IS NOT NULL AND deleted_at IS NULL;
