-- +goose Up

-- Statistics at any number of reports. The transaction that changes a report adds the difference to a table of changes;
-- relay adds up the changes into the totals and deletes them. A reader adds totals and changes, so each figure is exact
-- at once and costs the same at any number of reports.
CREATE TABLE report_totals (
    municipality_code text   NOT NULL,
    district          text   NOT NULL,
    issue_type        text   NOT NULL,
    status            text   NOT NULL,
    severity          text   NOT NULL,
    reports           bigint NOT NULL DEFAULT 0,
    scored            bigint NOT NULL DEFAULT 0, -- reports with a severity score
    score_sum         bigint NOT NULL DEFAULT 0,
    resolved          bigint NOT NULL DEFAULT 0, -- reports with a time of resolution
    resolution_seconds bigint NOT NULL DEFAULT 0,
    anchored          bigint NOT NULL DEFAULT 0,
    ai_rejected       bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (municipality_code, district, issue_type, status, severity)
);
CREATE TABLE report_total_changes (LIKE report_totals INCLUDING DEFAULTS);

-- How many reports were created, became fixed and became rejected, by day in Dili (UTC+9, no summer time).
CREATE TABLE report_days (
    day      date   PRIMARY KEY,
    created  bigint NOT NULL DEFAULT 0,
    fixed    bigint NOT NULL DEFAULT 0,
    rejected bigint NOT NULL DEFAULT 0
);
CREATE TABLE report_day_changes (LIKE report_days INCLUDING DEFAULTS);

-- +goose StatementBegin
CREATE FUNCTION report_contribution(r reports, sign integer) RETURNS report_total_changes LANGUAGE sql IMMUTABLE AS $$
    SELECT ROW (coalesce(r.municipality_code, ''), coalesce(r.district, ''), r.issue_type, r.status, r.severity, sign,
        sign * (r.severity_score IS NOT NULL)::int, sign * coalesce(r.severity_score, 0),
        sign * (r.resolved_at IS NOT NULL)::int, sign * coalesce(extract(epoch FROM r.resolved_at - r.created_at), 0)::bigint,
        sign * (r.blockchain_status = 'confirmed')::int, sign * (r.ai_status = 'rejected')::int)::report_total_changes
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION count_report() RETURNS trigger LANGUAGE plpgsql AS $$
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
    IF TG_OP = 'INSERT' THEN
        INSERT INTO report_day_changes (day, created) VALUES ((NEW.created_at AT TIME ZONE 'Asia/Dili')::date, 1);
    ELSIF NEW.status <> OLD.status AND NEW.status IN ('fixed', 'rejected') THEN
        INSERT INTO report_day_changes (day, fixed, rejected)
        VALUES ((NEW.updated_at AT TIME ZONE 'Asia/Dili')::date, (NEW.status = 'fixed')::int, (NEW.status = 'rejected')::int);
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER reports_counted AFTER INSERT OR UPDATE ON reports FOR EACH ROW EXECUTE FUNCTION count_report();

-- +goose StatementBegin
CREATE FUNCTION fold_report_totals() RETURNS void LANGUAGE sql AS $$
    WITH moved AS (DELETE FROM report_total_changes RETURNING *)
    INSERT INTO report_totals AS t
    SELECT municipality_code, district, issue_type, status, severity, sum(reports), sum(scored), sum(score_sum),
           sum(resolved), sum(resolution_seconds), sum(anchored), sum(ai_rejected)
      FROM moved GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT (municipality_code, district, issue_type, status, severity) DO UPDATE SET
        reports = t.reports + excluded.reports, scored = t.scored + excluded.scored, score_sum = t.score_sum + excluded.score_sum,
        resolved = t.resolved + excluded.resolved, resolution_seconds = t.resolution_seconds + excluded.resolution_seconds,
        anchored = t.anchored + excluded.anchored, ai_rejected = t.ai_rejected + excluded.ai_rejected;
    WITH moved AS (DELETE FROM report_day_changes RETURNING *)
    INSERT INTO report_days AS d SELECT day, sum(created), sum(fixed), sum(rejected) FROM moved GROUP BY 1
    ON CONFLICT (day) DO UPDATE SET created = d.created + excluded.created, fixed = d.fixed + excluded.fixed,
        rejected = d.rejected + excluded.rejected;
$$;
-- +goose StatementEnd

-- The reports that are older than these tables.
INSERT INTO report_total_changes SELECT (report_contribution(r, 1)).* FROM reports r WHERE r.deleted_at IS NULL;
INSERT INTO report_day_changes (day, created) SELECT (created_at AT TIME ZONE 'Asia/Dili')::date, count(*) FROM reports GROUP BY 1;
INSERT INTO report_day_changes (day, fixed, rejected)
    SELECT (created_at AT TIME ZONE 'Asia/Dili')::date, count(*) FILTER (WHERE new_status = 'fixed'), count(*) FILTER (WHERE new_status = 'rejected')
      FROM report_status_history WHERE new_status IN ('fixed', 'rejected') GROUP BY 1;
SELECT fold_report_totals();

GRANT SELECT, INSERT, UPDATE, DELETE ON report_totals, report_total_changes, report_days, report_day_changes TO lafaek_app;
