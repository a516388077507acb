-- +goose NO TRANSACTION
-- +goose Up

-- The queues of staff: lists and counts of open reports. An index that contains the columns of a condition counts without reading
-- the table. CONCURRENTLY as in 00018. The functions of before find their reports in these indexes too, so the old ones go.
DROP INDEX CONCURRENTLY IF EXISTS reports_unassigned_idx;
CREATE INDEX CONCURRENTLY reports_unassigned_idx ON reports (created_at DESC, id DESC) INCLUDE (ai_status, status, municipality_code, issue_type)
    WHERE deleted_at IS NULL AND status IN ('pending', 'verified', 'in_progress') AND assigned_agency_id IS NULL;
DROP INDEX CONCURRENTLY IF EXISTS reports_nobodys_idx;

DROP INDEX CONCURRENTLY IF EXISTS reports_agency_open_idx;
CREATE INDEX CONCURRENTLY reports_agency_open_idx ON reports (assigned_agency_id, created_at DESC, id DESC) INCLUDE (due_at, due_paused_at)
    WHERE deleted_at IS NULL AND assigned_agency_id IS NOT NULL AND status IN ('pending', 'verified', 'in_progress');
DROP INDEX CONCURRENTLY IF EXISTS reports_open_agency_idx;

DROP INDEX CONCURRENTLY IF EXISTS reports_due_idx;
CREATE INDEX CONCURRENTLY reports_due_idx ON reports (due_at, id) INCLUDE (due_paused_at, assigned_agency_id)
    WHERE deleted_at IS NULL AND due_at IS NOT NULL AND status IN ('pending', 'verified', 'in_progress');
DROP INDEX CONCURRENTLY IF EXISTS reports_overdue_idx;

DROP INDEX CONCURRENTLY IF EXISTS reports_for_review_idx;
CREATE INDEX CONCURRENTLY reports_for_review_idx ON reports (created_at, id)
    INCLUDE (ai_status, status, appealed_at, assigned_agency_id, municipality_code, issue_type)
    WHERE ai_status IN ('needs_review', 'failed') AND deleted_at IS NULL;
DROP INDEX CONCURRENTLY IF EXISTS reports_review_idx;

DROP INDEX CONCURRENTLY IF EXISTS reports_flagged_idx;
CREATE INDEX CONCURRENTLY reports_flagged_idx ON reports (created_at, id) INCLUDE (status, flags_count)
    WHERE flags_count > 0 AND deleted_at IS NULL;

DROP INDEX CONCURRENTLY IF EXISTS reports_assignee_idx;
CREATE INDEX CONCURRENTLY reports_assignee_idx ON reports (assigned_user_id, created_at DESC, id DESC)
    WHERE deleted_at IS NULL AND assigned_user_id IS NOT NULL AND status IN ('pending', 'verified', 'in_progress');
