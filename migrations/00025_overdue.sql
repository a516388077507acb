-- +goose NO TRANSACTION
-- +goose Up

-- Only reports with a due date. Without that condition it was the smallest index of all open reports, and the planner
-- read the whole index to find the reports that no agency has. CONCURRENTLY as in 00018.
DROP INDEX CONCURRENTLY IF EXISTS reports_overdue_idx;
CREATE INDEX CONCURRENTLY reports_overdue_idx ON reports (due_at)
    WHERE deleted_at IS NULL AND due_at IS NOT NULL AND status IN ('pending', 'verified', 'in_progress');
