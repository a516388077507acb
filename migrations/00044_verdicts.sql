-- +goose NO TRANSACTION
-- +goose Up

-- A verdict counts for the pictures that it saw. Each picture has its own. Pictures from before this migration are shown as
-- they were; those of reports without a verdict are judged. The older functions add pictures without naming the column, so
-- these wait too: relay asks for their verdict. Each statement can run again.
SET lock_timeout = '5s';
ALTER TABLE report_images ADD COLUMN IF NOT EXISTS verdict text NOT NULL DEFAULT 'relevant', ALTER COLUMN verdict SET DEFAULT 'awaited';
COMMENT ON COLUMN report_images.verdict IS 'Of evidence. awaited: not judged yet. relevant: everybody may see it. unsure and irrelevant: its reporter and staff alone. A picture of the repair needs none.';
ALTER TABLE report_images
    DROP CONSTRAINT IF EXISTS report_images_verdict_known,
    ADD CONSTRAINT report_images_verdict_known CHECK (verdict IN ('awaited', 'relevant', 'unsure', 'irrelevant')) NOT VALID;
ALTER TABLE report_images VALIDATE CONSTRAINT report_images_verdict_known;
RESET lock_timeout;

UPDATE report_images i SET verdict = CASE WHEN EXISTS (SELECT FROM processed_messages p WHERE p.consumer = 'validate' AND p.message_key = i.id::text)
                                          THEN 'unsure' ELSE 'awaited' END
  FROM reports r WHERE r.id = i.report_id AND r.status = 'pending' AND i.kind = 'evidence' AND i.deleted_at IS NULL AND i.verdict = 'relevant';

DROP INDEX CONCURRENTLY IF EXISTS report_images_awaited_idx;
CREATE INDEX CONCURRENTLY report_images_awaited_idx ON report_images (created_at)
    WHERE verdict = 'awaited' AND kind = 'evidence' AND deleted_at IS NULL;

-- Readers who may not see a severity yet sort reports without a verdict after all others.
DROP INDEX CONCURRENTLY IF EXISTS reports_shown_severity_idx;
CREATE INDEX CONCURRENTLY reports_shown_severity_idx ON reports
    ((CASE WHEN status = 'pending' THEN 0 ELSE severity_rank END) DESC, created_at DESC, id DESC) WHERE deleted_at IS NULL;

-- Reports without a verdict around a place, for readers who know it to 3 decimals.
DROP INDEX CONCURRENTLY IF EXISTS reports_pending_position_idx;
CREATE INDEX CONCURRENTLY reports_pending_position_idx ON reports
    USING gist ((ST_SetSRID(ST_MakePoint(round(longitude * 1000) / 1000, round(latitude * 1000) / 1000), 4326)::geography))
    WHERE deleted_at IS NULL AND status = 'pending';

-- While a report is pending, others know its place to 3 decimals of a degree, about 100 metres. The cells of the map hold
-- the same place, since a cell with one report shows it. The block changes the trigger and the cells in one transaction,
-- once. It reads the pending reports alone; meanwhile nobody can write reports.
-- +goose StatementBegin
DO $$
BEGIN
    IF to_regprocedure('shown_degrees(double precision, text)') IS NOT NULL THEN
        RETURN;
    END IF;
    SET LOCAL lock_timeout = '5s';
    LOCK TABLE reports IN SHARE ROW EXCLUSIVE MODE;
    CREATE FUNCTION shown_degrees(degrees double precision, status text) RETURNS double precision
        LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $f$ SELECT CASE WHEN status = 'pending' THEN round(degrees * 1000) / 1000 ELSE degrees END $f$;
    CREATE OR REPLACE FUNCTION place_on_map() RETURNS trigger LANGUAGE plpgsql AS $f$
    DECLARE
        was boolean := TG_OP = 'UPDATE' AND OLD.deleted_at IS NULL AND OLD.status <> 'rejected';
        is_ boolean := NEW.deleted_at IS NULL AND NEW.status <> 'rejected';
    BEGIN
        IF was AND is_ AND (OLD.issue_type, OLD.status, OLD.longitude, OLD.latitude) = (NEW.issue_type, NEW.status, NEW.longitude, NEW.latitude) THEN
            RETURN NULL;
        END IF;
        IF was THEN
            INSERT INTO map_cell_changes VALUES (shown_degrees(OLD.longitude, OLD.status), shown_degrees(OLD.latitude, OLD.status), OLD.issue_type, OLD.status, -1);
        END IF;
        IF is_ THEN
            INSERT INTO map_cell_changes VALUES (shown_degrees(NEW.longitude, NEW.status), shown_degrees(NEW.latitude, NEW.status), NEW.issue_type, NEW.status, 1);
        END IF;
        RETURN NULL;
    END
    $f$;
    INSERT INTO map_cell_changes
    SELECT c.longitude, c.latitude, r.issue_type, r.status, c.reports
      FROM reports r CROSS JOIN LATERAL (VALUES
           (r.longitude, r.latitude, -1), (shown_degrees(r.longitude, r.status), shown_degrees(r.latitude, r.status), 1)) c (longitude, latitude, reports)
     WHERE r.deleted_at IS NULL AND r.status = 'pending';
END
$$;
-- +goose StatementEnd
SELECT fold_map_cells();
