-- +goose NO TRANSACTION

-- +goose Up
SET lock_timeout = '5s';

-- The files of open data are asked for again, too, when a place that a person named is changed.
-- +goose StatementBegin
DO $$
BEGIN
    DROP TRIGGER IF EXISTS reports_export ON reports;
    CREATE TRIGGER reports_export AFTER UPDATE OF words_hidden, status, deleted_at, title, description, street, suco, district, municipality ON reports
        FOR EACH ROW WHEN (OLD.status <> 'rejected' AND OLD.deleted_at IS NULL AND (
            OLD.status <> NEW.status AND NEW.status IN ('pending', 'rejected') OR NEW.deleted_at IS NOT NULL OR OLD.words_hidden IS NULL AND NEW.words_hidden IS NOT NULL
            OR OLD.title <> '' AND OLD.title <> NEW.title OR OLD.description <> '' AND OLD.description <> NEW.description
            OR OLD.street <> '' AND OLD.street IS DISTINCT FROM NEW.street OR OLD.suco <> '' AND OLD.suco IS DISTINCT FROM NEW.suco
            OR OLD.district <> '' AND OLD.district IS DISTINCT FROM NEW.district OR OLD.municipality <> '' AND OLD.municipality IS DISTINCT FROM NEW.municipality))
        EXECUTE FUNCTION request_export();
END
$$;
-- +goose StatementEnd

-- While the setting publish_before_verdict was on, the files had the words of reports without a verdict.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION request_export_of_settings() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO export_requests (report_id) VALUES ('ffffffff-ffff-ffff-ffff-ffffffffffff'); -- about no single report
    RETURN NULL;
END
$$;
-- +goose StatementEnd
DROP TRIGGER IF EXISTS app_settings_export ON app_settings;
CREATE TRIGGER app_settings_export AFTER UPDATE ON app_settings FOR EACH ROW
    WHEN (coalesce((OLD.value ->> 'publish_before_verdict')::boolean, false) AND NOT coalesce((NEW.value ->> 'publish_before_verdict')::boolean, false))
    EXECUTE FUNCTION request_export_of_settings();
