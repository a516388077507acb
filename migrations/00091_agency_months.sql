-- +goose Up
SET LOCAL lock_timeout = '5s';

-- The figures of agency_days added up by month, month being its first day. A year at ten million reports is half a million rows of days,
-- and 25,000 of months. Readers take whole months from here and other days from agency_days.
CREATE TABLE agency_months (
    month     date    NOT NULL,
    agency_id uuid    NOT NULL,
    measure   text    NOT NULL,
    bucket    integer NOT NULL,
    n         bigint  NOT NULL,
    PRIMARY KEY (month, agency_id, measure, bucket)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON agency_months TO lafaek_app;

-- No fold may add to days and not to months. Each fold begins with fold_report_totals, which locks report_totals until the fold ends: a
-- fold that runs ends first, and one that begins now waits there, and then reads the text of fold_agency_figures after it is replaced.
-- Changes of reports and readers do not wait.
LOCK TABLE report_totals IN SHARE ROW EXCLUSIVE MODE;

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION fold_agency_figures() RETURNS void LANGUAGE sql AS $$
    WITH moved AS (DELETE FROM agency_changes RETURNING *),
    days AS (
        INSERT INTO agency_days AS d SELECT agency_id, day, measure, bucket, sum(n) FROM moved GROUP BY 1, 2, 3, 4
        ON CONFLICT (agency_id, day, measure, bucket) DO UPDATE SET n = d.n + excluded.n),
    months AS (
        INSERT INTO agency_months AS m SELECT date_trunc('month', day::timestamp)::date, agency_id, measure, bucket, sum(n) FROM moved GROUP BY 1, 2, 3, 4
        ON CONFLICT (month, agency_id, measure, bucket) DO UPDATE SET n = m.n + excluded.n)
    INSERT INTO agency_totals AS t SELECT agency_id, measure, bucket, sum(n) FROM moved GROUP BY 1, 2, 3
    ON CONFLICT (agency_id, measure, bucket) DO UPDATE SET n = t.n + excluded.n
$$;
-- +goose StatementEnd

-- What agency_changes has is added by the next fold. Four seconds at ten million reports.
INSERT INTO agency_months
SELECT date_trunc('month', day::timestamp)::date, agency_id, measure, bucket, sum(n) FROM agency_days GROUP BY 1, 2, 3, 4;
