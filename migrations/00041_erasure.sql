-- +goose NO TRANSACTION
-- +goose Up

-- Each statement can run again: after a failure the deploy is repeated. Locks as in 00031.
SET lock_timeout = '5s';

-- What relay still has to delete of a picture from storage:
--   original  the file as it was sent, because the account of its owner is deleted
--   all       the file and what was made of it, because it was taken off its report, or the report was withdrawn
--   gone      all was deleted; the row stays, because the report's ledger events refer to it
-- NULL: nothing.
ALTER TABLE uploads ADD COLUMN IF NOT EXISTS deletion text;
ALTER TABLE uploads
    DROP CONSTRAINT IF EXISTS uploads_deletion_known,
    ADD CONSTRAINT uploads_deletion_known CHECK (deletion IN ('original', 'all', 'gone')) NOT VALID;
ALTER TABLE uploads VALIDATE CONSTRAINT uploads_deletion_known;
DROP INDEX CONCURRENTLY IF EXISTS uploads_deletion_idx;
CREATE INDEX CONCURRENTLY uploads_deletion_idx ON uploads (id) WHERE deletion IN ('original', 'all');

-- Pictures that were taken away before this column existed.
UPDATE uploads u SET deletion = 'all' FROM report_images i JOIN reports r ON r.id = i.report_id
 WHERE u.id = i.upload_id AND u.deletion IS NULL AND (i.deleted_at IS NOT NULL OR r.deleted_at IS NOT NULL);

-- CONTENT_ERASED: the account of the reporter is deleted, and the words of the report with it.
ALTER TABLE ledger_events
    DROP CONSTRAINT IF EXISTS ledger_events_type_known,
    ADD CONSTRAINT ledger_events_type_known CHECK (event_type IN ('REPORT_SUBMITTED', 'STATUS_CHANGED', 'AI_VALIDATED',
        'CONTENT_AMENDED', 'REPORT_WITHDRAWN', 'CONTENT_ERASED')) NOT VALID;
ALTER TABLE ledger_events VALIDATE CONSTRAINT ledger_events_type_known;

-- Erasing a person blanks the notes that they wrote as a citizen.
GRANT UPDATE (note) ON report_status_history TO lafaek_app;
