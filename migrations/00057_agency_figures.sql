-- +goose NO TRANSACTION
-- +goose Up
SET lock_timeout = '5s';

-- Figures of each agency, kept as those of 00011: the transaction that changes a report adds the difference, relay folds the
-- differences into the totals, a reader adds both. Each statement can run again.

-- started_at is when the agency that has the report began to work on it; reopened_count how often a repair was not one. Triggers
-- alone write them.
ALTER TABLE reports
    ADD COLUMN IF NOT EXISTS started_at     timestamptz,
    ADD COLUMN IF NOT EXISTS reopened_count integer NOT NULL DEFAULT 0;

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION note_work() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.assigned_agency_id IS DISTINCT FROM OLD.assigned_agency_id THEN
        NEW.started_at := NULL;
    ELSIF OLD.assigned_at IS NOT NULL THEN
        NEW.assigned_at := OLD.assigned_at; -- another person of the same agency
    END IF;
    IF NEW.status = 'in_progress' AND OLD.status = 'verified' AND NEW.assigned_agency_id IS NOT NULL THEN
        NEW.started_at := coalesce(NEW.started_at, now());
    ELSIF NEW.status = 'in_progress' AND OLD.status = 'fixed' THEN
        NEW.reopened_count := OLD.reopened_count + 1;
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE OR REPLACE TRIGGER reports_work_noted BEFORE UPDATE OF status, assigned_agency_id, assigned_at ON reports
    FOR EACH ROW EXECUTE FUNCTION note_work();

-- The number n of reports of an agency, created on a day in Dili, by what is measured:
--   assigned, fixed, kept (fixed in time), reopened: bucket is 0
--   open: bucket is the day of due_at, in days since 1970; -1 without one or while it is paused
--   start, fix: bucket is the time from the assignment to the beginning and to the repair, as hours_bucket
CREATE TABLE IF NOT EXISTS agency_days (
    agency_id uuid    NOT NULL,
    day       date    NOT NULL,
    measure   text    NOT NULL,
    bucket    integer NOT NULL,
    n         bigint  NOT NULL,
    PRIMARY KEY (agency_id, day, measure, bucket)
);
CREATE TABLE IF NOT EXISTS agency_totals (
    agency_id uuid    NOT NULL,
    measure   text    NOT NULL,
    bucket    integer NOT NULL,
    n         bigint  NOT NULL,
    PRIMARY KEY (agency_id, measure, bucket)
);
CREATE TABLE IF NOT EXISTS agency_changes (agency_id uuid NOT NULL, day date NOT NULL, measure text NOT NULL, bucket integer NOT NULL, n bigint NOT NULL);
CREATE INDEX IF NOT EXISTS agency_days_day_idx ON agency_days (day);
GRANT SELECT, INSERT, UPDATE, DELETE ON agency_days, agency_totals, agency_changes TO lafaek_app;

-- Whole hours, rounded. From 128 hours on they are grouped by 2, from 256 by 4 and so on; the result is the smallest of a group.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION hours_step(hours integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT greatest(0, length(ltrim(hours::bit(32)::text, '0')) - 7)
$$;
CREATE OR REPLACE FUNCTION hours_bucket(took interval) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT h >> hours_step(h) << hours_step(h) FROM (SELECT greatest(0, round(extract(epoch FROM took) / 3600))::integer AS h) hours
$$;
-- The middle of a bucket, in hours.
CREATE OR REPLACE FUNCTION bucket_hours(bucket integer) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
    SELECT bucket + ((1 << hours_step(bucket)) - 1) / 2.0
$$;
CREATE OR REPLACE FUNCTION dili_day(at timestamptz) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT floor((extract(epoch FROM at) + 9 * 3600) / 86400)::integer
$$;
CREATE OR REPLACE FUNCTION agency_contribution(r reports, sign integer) RETURNS SETOF agency_changes LANGUAGE sql IMMUTABLE AS $$
    SELECT r.assigned_agency_id, '1970-01-01'::date + dili_day(r.created_at), m.measure, m.bucket, sign::bigint
      FROM (VALUES
        ('assigned', 0, true),
        ('open', CASE WHEN r.due_at IS NULL OR r.due_paused_at IS NOT NULL THEN -1 ELSE dili_day(r.due_at) END, r.status IN ('pending', 'verified', 'in_progress')),
        ('fixed', 0, r.status = 'fixed'),
        ('kept', 0, r.status = 'fixed' AND r.resolved_at <= r.due_at),
        ('reopened', 0, r.reopened_count > 0),
        ('start', hours_bucket(r.started_at - r.assigned_at), r.started_at IS NOT NULL),
        ('fix', hours_bucket(r.resolved_at - r.assigned_at), r.status = 'fixed' AND r.resolved_at IS NOT NULL AND r.assigned_at IS NOT NULL)
      ) AS m (measure, bucket, counts)
     WHERE m.counts AND r.assigned_agency_id IS NOT NULL AND r.deleted_at IS NULL AND r.status <> 'rejected'
$$;
CREATE OR REPLACE FUNCTION count_agency() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO agency_changes
    SELECT agency_id, day, measure, bucket, sum(n) FROM (
        SELECT * FROM agency_contribution(NEW, 1) UNION ALL
        SELECT * FROM agency_contribution(OLD, -1) WHERE TG_OP = 'UPDATE') c
     GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0;
    RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION fold_agency_figures() RETURNS void LANGUAGE sql AS $$
    WITH moved AS (DELETE FROM agency_changes RETURNING *),
    days AS (
        INSERT INTO agency_days AS d SELECT agency_id, day, measure, bucket, sum(n) FROM moved GROUP BY 1, 2, 3, 4
        ON CONFLICT (agency_id, day, measure, bucket) DO UPDATE SET n = d.n + excluded.n)
    INSERT INTO agency_totals AS t SELECT agency_id, measure, bucket, sum(n) FROM moved GROUP BY 1, 2, 3
    ON CONFLICT (agency_id, measure, bucket) DO UPDATE SET n = t.n + excluded.n
$$;
-- +goose StatementEnd

-- What the history says of the reports of before, in parts, so that no row stays locked for long.
-- +goose StatementBegin
DO $$
DECLARE
    last uuid := '00000000-0000-0000-0000-000000000000';
    upto uuid;
BEGIN
    LOOP
        upto := (SELECT id FROM (SELECT id FROM reports WHERE id > last ORDER BY id LIMIT 5000) part ORDER BY id DESC LIMIT 1);
        EXIT WHEN upto IS NULL;
        UPDATE reports r SET started_at = h.started, reopened_count = h.reopened
          FROM (SELECT s.report_id, count(*) FILTER (WHERE s.old_status = 'fixed' AND s.new_status = 'in_progress') AS reopened,
                       min(s.created_at) FILTER (WHERE s.old_status = 'verified' AND s.new_status = 'in_progress' AND s.created_at >= o.assigned_at) AS started
                  FROM report_status_history s JOIN reports o ON o.id = s.report_id
                 WHERE s.new_status = 'in_progress' AND o.id > last AND o.id <= upto GROUP BY 1) h
         WHERE r.id = h.report_id AND (r.started_at, r.reopened_count) IS DISTINCT FROM (h.started, h.reopened);
        COMMIT;
        last := upto;
    END LOOP;
END
$$;
-- +goose StatementEnd

-- All figures anew, so that nothing counts twice when this runs again. Changes of reports wait until it ends: seconds with a million reports.
-- +goose StatementBegin
DO $$
BEGIN
    LOCK TABLE reports IN SHARE ROW EXCLUSIVE MODE;
    TRUNCATE agency_changes, agency_totals, agency_days;
    INSERT INTO agency_changes SELECT c.* FROM reports r, LATERAL agency_contribution(r, 1) c
     WHERE r.assigned_agency_id IS NOT NULL AND r.deleted_at IS NULL;
    PERFORM fold_agency_figures();
    CREATE OR REPLACE TRIGGER reports_agency_counted AFTER UPDATE OF status, assigned_agency_id, assigned_at, due_at, due_paused_at, resolved_at, deleted_at,
        started_at, reopened_count ON reports FOR EACH ROW EXECUTE FUNCTION count_agency();
    CREATE OR REPLACE TRIGGER reports_new_agency_counted AFTER INSERT ON reports
        FOR EACH ROW WHEN (NEW.assigned_agency_id IS NOT NULL) EXECUTE FUNCTION count_agency();
END
$$;
-- +goose StatementEnd
