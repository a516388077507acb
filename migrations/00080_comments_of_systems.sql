-- +goose NO TRANSACTION
-- +goose Up

-- While one of the first statements waits for its lock, all later queries of the table wait behind it, so it gives up after lock_timeout.
SET lock_timeout = '5s';

-- A comment that came over Open311 belongs to the API key that sent it. client_id is then made of the update_id of the request.
ALTER TABLE report_comments ADD COLUMN IF NOT EXISTS api_key_id uuid REFERENCES api_keys (id);
ALTER TABLE report_comments DROP CONSTRAINT IF EXISTS report_comments_one_author;
ALTER TABLE report_comments ADD CONSTRAINT report_comments_one_author CHECK (author_id IS NULL OR api_key_id IS NULL) NOT VALID;
ALTER TABLE report_comments VALIDATE CONSTRAINT report_comments_one_author;
RESET lock_timeout;
DROP INDEX CONCURRENTLY IF EXISTS report_comments_api_key_client_key;
CREATE UNIQUE INDEX CONCURRENTLY report_comments_api_key_client_key ON report_comments (api_key_id, client_id) WHERE api_key_id IS NOT NULL;
