-- +goose NO TRANSACTION

-- +goose Up
SET lock_timeout = '5s';

-- The functions hide and show only with a CONTENT_HIDDEN of the report in the same transaction; the reason and what is made
-- black go with it. The check runs at the commit, as those of 00051_guards.sql do.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION guard_hidden() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    about uuid;
BEGIN
    IF current_user <> 'lafaek_app' THEN RETURN NULL; END IF; -- who owns the tables repairs and upgrades them
    IF TG_TABLE_NAME = 'reports' THEN about := OLD.id; ELSE about := OLD.report_id; END IF;
    IF NOT EXISTS (SELECT FROM ledger_says_now(about, 'CONTENT_HIDDEN')) THEN
        RAISE EXCEPTION 'hiding in % without its event in the public log', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

DROP TRIGGER IF EXISTS reports_hidden_guard ON reports;
CREATE CONSTRAINT TRIGGER reports_hidden_guard AFTER UPDATE OF words_hidden, words_hidden_reason ON reports DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN ((OLD.words_hidden, OLD.words_hidden_reason) IS DISTINCT FROM (NEW.words_hidden, NEW.words_hidden_reason)) EXECUTE FUNCTION guard_hidden();
DROP TRIGGER IF EXISTS report_comments_hidden_guard ON report_comments;
CREATE CONSTRAINT TRIGGER report_comments_hidden_guard AFTER UPDATE OF hidden, hidden_reason ON report_comments DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN ((OLD.hidden, OLD.hidden_reason) IS DISTINCT FROM (NEW.hidden, NEW.hidden_reason)) EXECUTE FUNCTION guard_hidden();
DROP TRIGGER IF EXISTS report_images_hidden_guard ON report_images;
CREATE CONSTRAINT TRIGGER report_images_hidden_guard AFTER UPDATE OF hidden, hidden_reason, boxes ON report_images DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN ((OLD.hidden, OLD.hidden_reason, OLD.boxes) IS DISTINCT FROM (NEW.hidden, NEW.hidden_reason, NEW.boxes)) EXECUTE FUNCTION guard_hidden();

-- Each event lists the hidden comments of its report.
DROP INDEX CONCURRENTLY IF EXISTS report_comments_hidden_idx;
CREATE INDEX CONCURRENTLY report_comments_hidden_idx ON report_comments (report_id) WHERE hidden IS NOT NULL;

-- What was taken out of public sight since the files of open data were written. export writes them again and deletes the rows
-- that it saw before; until then nobody is given the files.
CREATE TABLE IF NOT EXISTS export_requests (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    report_id  uuid        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, DELETE ON export_requests TO lafaek_app;

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION request_export() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    -- Without the setting publish_before_verdict the files have no words of a report without a verdict.
    IF OLD.status = 'pending' AND NOT coalesce((SELECT (value ->> 'publish_before_verdict')::boolean FROM app_settings WHERE key = 'settings'), false) THEN
        RETURN NULL;
    END IF;
    INSERT INTO export_requests (report_id) VALUES (OLD.id);
    RETURN NULL;
END
$$;
-- +goose StatementEnd

DROP TRIGGER IF EXISTS reports_export ON reports;
CREATE TRIGGER reports_export AFTER UPDATE OF words_hidden, status, deleted_at, title, description ON reports
    FOR EACH ROW WHEN (OLD.status <> 'rejected' AND OLD.deleted_at IS NULL AND (
        OLD.status <> NEW.status AND NEW.status IN ('pending', 'rejected') OR NEW.deleted_at IS NOT NULL OR OLD.words_hidden IS NULL AND NEW.words_hidden IS NOT NULL
        OR OLD.status <> 'pending' AND (OLD.title <> '' AND OLD.title <> NEW.title OR OLD.description <> '' AND OLD.description <> NEW.description)))
    EXECUTE FUNCTION request_export();
