-- +goose NO TRANSACTION
-- +goose Up

-- The orders of the queues of staff that no index had: by priority, and by due date with reports without one at the end. They hold open
-- reports alone. CONCURRENTLY as in 00018.
DROP INDEX CONCURRENTLY IF EXISTS reports_open_priority_idx;
CREATE INDEX CONCURRENTLY reports_open_priority_idx ON reports
    ((CASE priority WHEN 'low' THEN 1 WHEN 'medium' THEN 2 WHEN 'high' THEN 3 ELSE 4 END), created_at, id)
    WHERE deleted_at IS NULL AND status IN ('pending', 'verified', 'in_progress');
DROP INDEX CONCURRENTLY IF EXISTS reports_open_due_idx;
CREATE INDEX CONCURRENTLY reports_open_due_idx ON reports ((coalesce(due_at, 'infinity'::timestamptz)), id)
    WHERE deleted_at IS NULL AND status IN ('pending', 'verified', 'in_progress');
