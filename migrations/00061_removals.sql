-- +goose NO TRANSACTION
-- +goose Up

-- When and by whom reports were taken down before removed_at and removed_by were there. Each statement can run again.
SET lock_timeout = '5s';

-- A function of an earlier version that restores a report does not know these columns.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION clear_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.removed_at := NULL;
    NEW.removed_by := NULL;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE OR REPLACE TRIGGER reports_removal_cleared BEFORE UPDATE OF status ON reports FOR EACH ROW
    WHEN (OLD.status = 'rejected' AND NEW.status <> 'rejected' AND NEW.deleted_at IS NULL) EXECUTE FUNCTION clear_removal();

-- Its event names who withdrew or removed a report. Without one there is a reason if an administrator did.
UPDATE reports r SET removed_at = r.deleted_at, removed_by = coalesce(
        (SELECT CASE WHEN convert_from(e.payload, 'UTF8')::jsonb #>> '{changed_by,kind}' = 'admin' THEN 'admin' ELSE 'reporter' END
           FROM ledger_events e WHERE e.report_id = r.id AND e.event_type = 'REPORT_WITHDRAWN' ORDER BY e.seq DESC LIMIT 1),
        CASE WHEN r.reason_code IS NULL THEN 'reporter' ELSE 'admin' END)
 WHERE r.deleted_at IS NOT NULL AND r.removed_at IS NULL;

UPDATE reports r SET removed_at = h.created_at, removed_by = CASE WHEN h.actor_kind IN ('ai', 'admin') THEN h.actor_kind ELSE 'moderator' END
  FROM (SELECT DISTINCT ON (report_id) report_id, created_at, actor_kind FROM report_status_history
         WHERE new_status = 'rejected' ORDER BY report_id, created_at DESC, id DESC) h
 WHERE h.report_id = r.id AND r.status = 'rejected' AND r.deleted_at IS NULL AND r.removed_at IS NULL;

-- The list of what was taken down, newest first. The expression and the condition are those of shared/report/tombstone.go.
DROP INDEX CONCURRENTLY IF EXISTS reports_removed_idx;
CREATE INDEX CONCURRENTLY reports_removed_idx ON reports (coalesce(deleted_at, removed_at, updated_at), id)
    WHERE (status = 'rejected' OR deleted_at IS NOT NULL);
