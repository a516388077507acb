-- +goose Up

-- The id of a report by its id or its number. A subquery in its place makes a plan for all values look more expensive than one for these
-- values, so that PostgreSQL plans the statement anew each time; that takes longer than to run it.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION report_id(id uuid, number text) RETURNS uuid LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1 AS $$
BEGIN
    RETURN coalesce(report_id.id, (SELECT r.id FROM reports r WHERE r.report_number = report_id.number));
END
$$;
-- +goose StatementEnd

-- date_trunc of a timestamptz depends on the time zone of the session. With it the function could not become part of the statement that
-- calls it, and each call planned its text anew.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION dili_month(at timestamptz) RETURNS date LANGUAGE sql IMMUTABLE AS $$
    SELECT date_trunc('month', ('1970-01-01'::date + dili_day(at))::timestamp)::date
$$;
-- +goose StatementEnd
