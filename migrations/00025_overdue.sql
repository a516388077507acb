-- +goose NO TRANSACTION
-- +goose Up

-- Only what has a due date: without that it was the smallest index of all open reports, and the planner read it whole
-- for those that nobody has taken on.
DROP INDEX CONCURRENTLY IF EXISTS reports_overdue_idx;
CREATE INDEX CONCURRENTLY reports_overdue_idx ON reports (due_at)
    WHERE deleted_at IS NULL AND due_at IS NOT NULL AND status IN ('pending', 'verified', 'in_progress');
