-- +goose NO TRANSACTION
-- +goose Up
SET lock_timeout = '5s';

-- Figures by month, municipality and issue type, for the page of statistics, kept as those of 00011 and 00057: the transaction that
-- changes a report adds the difference, relay folds the differences into the months, a reader adds both. Each statement can run again.

-- The number n by what is measured. month is the first day of a month in Dili; municipality_code is '' while it is not known.
--   pending, verified, in_progress, fixed, rejected, duplicate: reports created in the month, by the status that they have now
--   due, kept: of these, fixed ones that had a deadline, and those that were fixed by it
--   was_fixed: changes of status to fixed in the month
--   judged: verdicts of AI in the month, verified or rejected; overridden: judgements of staff in the month that are the opposite of
--   the one before, which was AI's
CREATE TABLE IF NOT EXISTS report_months (
    month             date   NOT NULL,
    municipality_code text   NOT NULL,
    issue_type        text   NOT NULL,
    measure           text   NOT NULL,
    n                 bigint NOT NULL,
    PRIMARY KEY (month, municipality_code, issue_type, measure)
);
CREATE TABLE IF NOT EXISTS report_month_changes (LIKE report_months INCLUDING COMMENTS);
GRANT SELECT, INSERT, UPDATE, DELETE ON report_months, report_month_changes TO lafaek_app;

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION dili_month(at timestamptz) RETURNS date LANGUAGE sql IMMUTABLE AS $$
    SELECT date_trunc('month', '1970-01-01'::date + dili_day(at))::date
$$;
CREATE OR REPLACE FUNCTION month_contribution(r reports, sign integer) RETURNS SETOF report_month_changes LANGUAGE sql IMMUTABLE AS $$
    SELECT dili_month(r.created_at), coalesce(r.municipality_code, ''), r.issue_type, m.measure, sign::bigint
      FROM (VALUES (r.status, true), ('due', r.status = 'fixed' AND r.due_at IS NOT NULL), ('kept', r.status = 'fixed' AND r.resolved_at <= r.due_at)) AS m (measure, counts)
     WHERE m.counts AND r.deleted_at IS NULL
$$;
CREATE OR REPLACE FUNCTION count_month() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO report_month_changes
    SELECT month, municipality_code, issue_type, measure, sum(n) FROM (
        SELECT * FROM month_contribution(NEW, 1) UNION ALL
        SELECT * FROM month_contribution(OLD, -1) WHERE TG_OP = 'UPDATE') c
     GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0;
    RETURN NULL;
END
$$;
-- What a step of a report counts as. before is who gave the verdict before this step, as the word of report_status_history; NULL for none.
CREATE OR REPLACE FUNCTION step_measures(status text, actor text, status_before text, actor_before text) RETURNS SETOF text LANGUAGE sql IMMUTABLE AS $$
    SELECT m.measure FROM (VALUES ('was_fixed', status = 'fixed'), ('judged', actor = 'ai' AND status IN ('verified', 'rejected')),
        ('overridden', actor IN ('moderator', 'admin', 'government_official') AND actor_before = 'ai' AND status_before <> status AND status IN ('verified', 'rejected'))) AS m (measure, counts)
     WHERE m.counts
$$;
CREATE OR REPLACE FUNCTION count_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO report_month_changes
    SELECT dili_month(NEW.created_at), coalesce(r.municipality_code, ''), r.issue_type, m, 1
      FROM reports r
      LEFT JOIN LATERAL (SELECT h.new_status, h.actor_kind FROM report_status_history h
                          WHERE h.report_id = NEW.report_id AND h.id <> NEW.id AND h.new_status IN ('verified', 'rejected') AND h.created_at <= NEW.created_at
                          ORDER BY h.created_at DESC, h.id DESC LIMIT 1) b ON NEW.new_status IN ('verified', 'rejected'),
           LATERAL step_measures(NEW.new_status, NEW.actor_kind, b.new_status, b.actor_kind) m
     WHERE r.id = NEW.report_id;
    RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION fold_report_months() RETURNS void LANGUAGE sql AS $$
    WITH moved AS (DELETE FROM report_month_changes RETURNING *)
    INSERT INTO report_months AS t SELECT month, municipality_code, issue_type, measure, sum(n) FROM moved GROUP BY 1, 2, 3, 4
    ON CONFLICT (month, municipality_code, issue_type, measure) DO UPDATE SET n = t.n + excluded.n
$$;
-- All figures anew from the reports and their steps.
CREATE OR REPLACE FUNCTION count_months() RETURNS void LANGUAGE sql AS $$
    INSERT INTO report_month_changes
    SELECT c.month, c.municipality_code, c.issue_type, c.measure, sum(c.n) FROM reports r, LATERAL month_contribution(r, 1) c GROUP BY 1, 2, 3, 4;
    INSERT INTO report_month_changes
    SELECT dili_month(h.created_at), coalesce(r.municipality_code, ''), r.issue_type, m, count(*)
      FROM (SELECT report_id, created_at, new_status, actor_kind,
                   CASE WHEN new_status <> 'fixed' THEN lag(new_status) OVER verdicts END AS status_before, CASE WHEN new_status <> 'fixed' THEN lag(actor_kind) OVER verdicts END AS actor_before
              FROM report_status_history WHERE new_status IN ('verified', 'rejected', 'fixed')
            WINDOW verdicts AS (PARTITION BY report_id, new_status = 'fixed' ORDER BY created_at, id)) h
      JOIN reports r ON r.id = h.report_id, LATERAL step_measures(h.new_status, h.actor_kind, h.status_before, h.actor_before) m
     GROUP BY 1, 2, 3, 4;
    SELECT fold_report_months()
$$;
-- +goose StatementEnd

-- All figures anew, so that nothing counts twice when this runs again. Changes of reports wait until it ends: seconds with a million reports.
-- +goose StatementBegin
DO $$
BEGIN
    LOCK TABLE reports, report_status_history IN SHARE ROW EXCLUSIVE MODE;
    TRUNCATE report_month_changes, report_months;
    PERFORM count_months();
    CREATE OR REPLACE TRIGGER reports_month_counted AFTER UPDATE OF status, issue_type, municipality_code, due_at, resolved_at, deleted_at ON reports
        FOR EACH ROW EXECUTE FUNCTION count_month();
    CREATE OR REPLACE TRIGGER reports_new_month_counted AFTER INSERT ON reports FOR EACH ROW EXECUTE FUNCTION count_month();
    CREATE OR REPLACE TRIGGER report_status_history_counted AFTER INSERT ON report_status_history
        FOR EACH ROW WHEN (NEW.new_status IN ('verified', 'rejected', 'fixed')) EXECUTE FUNCTION count_step();
END
$$;
-- +goose StatementEnd
