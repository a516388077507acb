-- +goose NO TRANSACTION
-- +goose Up

-- Open reports of which somebody is still to be told that they are overdue: relay looks for them every hour. Each statement can run
-- again. CONCURRENTLY as in 00018.
DROP INDEX CONCURRENTLY IF EXISTS reports_untold_idx;
CREATE INDEX CONCURRENTLY reports_untold_idx ON reports (overdue_told, severity, due_at)
    WHERE deleted_at IS NULL AND due_at IS NOT NULL AND status IN ('pending', 'verified', 'in_progress') AND overdue_told < 2;
