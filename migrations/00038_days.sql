-- +goose Up

-- A report that is withdrawn or removed no longer counts as created on its day: the figures of a day never exceed the total.
-- The lock makes every removal count once: before it by the INSERT below, after it by the new function. Writes of reports wait
-- for milliseconds, because reports_removed_idx finds the removed ones.
SET LOCAL lock_timeout = '5s';
LOCK TABLE reports IN SHARE ROW EXCLUSIVE MODE;

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION count_report() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before report_total_changes;
    after  report_total_changes;
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.deleted_at IS NULL THEN
        before := report_contribution(OLD, -1);
    END IF;
    IF NEW.deleted_at IS NULL THEN
        after := report_contribution(NEW, 1);
    END IF;
    -- Most updates (a comment, a version) change no figure and add nothing.
    IF before IS NULL OR after IS NULL OR report_contribution(OLD, 1) IS DISTINCT FROM after THEN
        IF before IS NOT NULL THEN INSERT INTO report_total_changes SELECT before.*; END IF;
        IF after IS NOT NULL THEN INSERT INTO report_total_changes SELECT after.*; END IF;
    END IF;
    IF (before IS NULL) <> (after IS NULL) THEN -- created, removed or restored
        INSERT INTO report_day_changes (day, created)
        VALUES ((NEW.created_at AT TIME ZONE 'Asia/Dili')::date, CASE WHEN after IS NULL THEN -1 ELSE 1 END);
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.status <> OLD.status AND NEW.status IN ('fixed', 'rejected') THEN
        INSERT INTO report_day_changes (day, fixed, rejected)
        VALUES ((NEW.updated_at AT TIME ZONE 'Asia/Dili')::date, (NEW.status = 'fixed')::int, (NEW.status = 'rejected')::int);
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

INSERT INTO report_day_changes (day, created)
    SELECT (created_at AT TIME ZONE 'Asia/Dili')::date, -count(*) FROM reports WHERE deleted_at IS NOT NULL GROUP BY 1;
