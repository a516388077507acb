-- +goose NO TRANSACTION
-- +goose Up

-- A comment that came over Open311 belongs to the API key that sent it. client_id is then made of the update_id of the request.
ALTER TABLE report_comments ADD COLUMN IF NOT EXISTS api_key_id uuid REFERENCES api_keys (id);
ALTER TABLE report_comments DROP CONSTRAINT IF EXISTS report_comments_one_author;
ALTER TABLE report_comments ADD CONSTRAINT report_comments_one_author CHECK (author_id IS NULL OR api_key_id IS NULL) NOT VALID;
ALTER TABLE report_comments VALIDATE CONSTRAINT report_comments_one_author;
DROP INDEX CONCURRENTLY IF EXISTS report_comments_api_key_client_key;
CREATE UNIQUE INDEX CONCURRENTLY report_comments_api_key_client_key ON report_comments (api_key_id, client_id) WHERE api_key_id IS NOT NULL;
