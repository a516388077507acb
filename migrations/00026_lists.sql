-- +goose NO TRANSACTION
-- +goose Up

-- Lists by issue type and status: each may be common, and both together rare. CONCURRENTLY as in 00018.
DROP INDEX CONCURRENTLY IF EXISTS reports_kind_idx;
CREATE INDEX CONCURRENTLY reports_kind_idx ON reports (issue_type, status, created_at DESC, id DESC) WHERE deleted_at IS NULL;

-- The open reports of an agency. With due_at in it, the index alone answers the agency's queues.
DROP INDEX CONCURRENTLY IF EXISTS reports_open_agency_idx;
CREATE INDEX CONCURRENTLY reports_open_agency_idx ON reports (assigned_agency_id, created_at DESC, id DESC) INCLUDE (due_at)
    WHERE deleted_at IS NULL AND assigned_agency_id IS NOT NULL AND status IN ('pending', 'verified', 'in_progress');
DROP INDEX CONCURRENTLY IF EXISTS reports_agency_idx;

-- Boxes are found by the circle around them in reports_position_idx. The planner knows how many reports lie where for
-- the column position; for an expression it does not.
DROP INDEX CONCURRENTLY IF EXISTS reports_box_idx;
