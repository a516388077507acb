-- +goose NO TRANSACTION
-- +goose Up

-- Pictures that are hidden, made black in parts, or taken down with their report. Each statement can run again.
SET lock_timeout = '5s';

-- redacting: parts are being made black. Nobody is shown the picture until the images worker has made it anew.
ALTER TABLE uploads
    ADD COLUMN IF NOT EXISTS stale_from integer,
    DROP CONSTRAINT IF EXISTS uploads_state_known,
    ADD CONSTRAINT uploads_state_known CHECK (state IN ('issued', 'stored', 'processed', 'refused', 'redacting')) NOT VALID;
ALTER TABLE uploads VALIDATE CONSTRAINT uploads_state_known;
COMMENT ON COLUMN uploads.stale_from IS 'Renditions of this generation and of later ones before generation may still be stored. relay deletes them. NULL for none';
RESET lock_timeout;

DROP INDEX CONCURRENTLY IF EXISTS uploads_stale_idx;
CREATE INDEX CONCURRENTLY uploads_stale_idx ON uploads (id) WHERE stale_from IS NOT NULL;

DROP INDEX CONCURRENTLY IF EXISTS uploads_redacting_idx;
CREATE INDEX CONCURRENTLY uploads_redacting_idx ON uploads (processed_at) WHERE state = 'redacting';

-- A picture of a dispute is judged too. The index also serves functions of before, which look for evidence alone.
DROP INDEX CONCURRENTLY IF EXISTS report_images_judged_idx;
CREATE INDEX CONCURRENTLY report_images_judged_idx ON report_images (created_at)
    WHERE verdict = 'awaited' AND kind <> 'resolution' AND deleted_at IS NULL;
DROP INDEX CONCURRENTLY IF EXISTS report_images_awaited_idx;
