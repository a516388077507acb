-- +goose NO TRANSACTION
-- +goose Up

-- What people are told of, and the feed of changes. The file runs without a transaction: each lock ends with its
-- statement. Each statement can run again, so after a failure the deploy is simply repeated.
SET lock_timeout = '5s';

-- New kinds of notifications. NOT VALID and VALIDATE as in 00031.
ALTER TABLE notifications
    DROP CONSTRAINT IF EXISTS notifications_type_known,
    ADD CONSTRAINT notifications_type_known CHECK (type IN ('report_received', 'report_verified', 'report_rejected',
        'report_removed', 'report_edited', 'report_status_changed', 'report_fixed', 'report_assigned', 'report_duplicate',
        'comment_added', 'blockchain_confirmed', 'announcement')) NOT VALID;
ALTER TABLE notifications VALIDATE CONSTRAINT notifications_type_known;

-- No column has a default, so no row is rewritten.
ALTER TABLE reports
    ADD COLUMN IF NOT EXISTS reason_code    text,
    ADD COLUMN IF NOT EXISTS removal_note   text,
    ADD COLUMN IF NOT EXISTS original_words jsonb;
ALTER TABLE reports
    DROP CONSTRAINT IF EXISTS reports_reason_code_known,
    ADD CONSTRAINT reports_reason_code_known CHECK (reason_code IN
        ('irrelevant', 'offensive', 'personal_data', 'duplicate_spam', 'unsafe', 'other')) NOT VALID;
ALTER TABLE reports VALIDATE CONSTRAINT reports_reason_code_known;
COMMENT ON COLUMN reports.reason_code IS 'Why the report is rejected, or why an administrator removed it. NULL for other states, for a report that its reporter withdrew, and for rejections and removals before this column';
COMMENT ON COLUMN reports.removal_note IS 'What the person who removed or withdrew the report wrote about it; never public';
COMMENT ON COLUMN reports.original_words IS 'Title, description and issue type before staff changed them first; for staff only. {} once the reporter is erased. NULL while staff changed nothing';

-- The newest change of each report: the transaction that made it. A reader who has seen everything below a transaction
-- id asks for what is at or above it. It reads only below the oldest transaction that still runs
-- (pg_snapshot_xmin), so nothing is missed that began early and committed late.
-- A report without a row has not changed since this table exists. Nothing refers to reports: they are never deleted.
CREATE TABLE IF NOT EXISTS report_changes (
    report_id uuid PRIMARY KEY,
    user_id   uuid, -- the reporter, for the feed of one's own reports and for counting one's own changes
    xid       xid8 NOT NULL
);
CREATE INDEX IF NOT EXISTS report_changes_xid_idx ON report_changes (xid, report_id);
CREATE INDEX IF NOT EXISTS report_changes_user_idx ON report_changes (user_id, xid, report_id) WHERE user_id IS NOT NULL;
GRANT SELECT, INSERT, UPDATE ON report_changes TO lafaek_app;

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION note_report_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO report_changes AS c (report_id, user_id, xid) VALUES (NEW.id, NEW.user_id, pg_current_xact_id())
    ON CONFLICT (report_id) DO UPDATE SET user_id = excluded.user_id, xid = excluded.xid
        WHERE c.xid <> excluded.xid OR c.user_id IS DISTINCT FROM excluded.user_id;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
-- The lock waits for transactions that write reports, so every later change has its row here.
CREATE OR REPLACE TRIGGER reports_change_noted AFTER INSERT OR UPDATE ON reports
    FOR EACH ROW EXECUTE FUNCTION note_report_change();

-- Names this database and its history, so that a position in the feed of another one is recognised: a restore makes a new
-- cluster, a new timeline or a new database. The row 'change_epoch' of app_settings is for the operator, where a restore
-- changes none of these. What the role may not read counts as empty.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION report_change_epoch() RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    cluster text := '';
BEGIN
    BEGIN
        SELECT s.system_identifier || '.' || c.timeline_id INTO cluster FROM pg_control_system() s, pg_control_checkpoint() c;
    EXCEPTION WHEN insufficient_privilege OR undefined_function OR feature_not_supported THEN
        cluster := '';
    END;
    RETURN cluster || '.' || (SELECT oid FROM pg_database WHERE datname = current_database()) || '.'
        || coalesce((SELECT value #>> '{}' FROM app_settings WHERE key = 'change_epoch'), '');
END
$$;
-- +goose StatementEnd

RESET lock_timeout;
