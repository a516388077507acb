-- +goose Up
SET LOCAL lock_timeout = '5s';

-- PostgreSQL plans a statement of a function anew in its first calls on each connection. For these triggers that took 5 to 25 ms an
-- update, and a plan for all values is as good: they read no table.
ALTER FUNCTION count_agency() SET plan_cache_mode = force_generic_plan;
ALTER FUNCTION count_month() SET plan_cache_mode = force_generic_plan;
ALTER FUNCTION count_report() SET plan_cache_mode = force_generic_plan;

-- Written in SQL, its text was parsed anew in each call of agency_contribution.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION hours_bucket(took interval) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    h integer := greatest(0, round(extract(epoch FROM took) / 3600));
BEGIN
    RETURN h >> hours_step(h) << hours_step(h);
END
$$;
-- +goose StatementEnd

-- A report without an agency counts for none.
CREATE OR REPLACE TRIGGER reports_agency_counted AFTER UPDATE OF status, assigned_agency_id, assigned_at, due_at, due_paused_at, resolved_at, deleted_at,
    started_at, reopened_count ON reports FOR EACH ROW WHEN (OLD.assigned_agency_id IS NOT NULL OR NEW.assigned_agency_id IS NOT NULL)
    EXECUTE FUNCTION count_agency();
