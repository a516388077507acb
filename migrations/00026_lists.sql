-- +goose NO TRANSACTION
-- +goose Up

-- Lists whose filters are each common and rare together, at any number of reports. Built while the system runs; one that
-- was interrupted is made anew.
DROP INDEX CONCURRENTLY IF EXISTS reports_kind_idx;
CREATE INDEX CONCURRENTLY reports_kind_idx ON reports (issue_type, status, created_at DESC, id DESC) WHERE deleted_at IS NULL;

-- What an agency has to do, with when it is due: its queues are read of the index alone.
DROP INDEX CONCURRENTLY IF EXISTS reports_open_agency_idx;
CREATE INDEX CONCURRENTLY reports_open_agency_idx ON reports (assigned_agency_id, created_at DESC, id DESC) INCLUDE (due_at)
    WHERE deleted_at IS NULL AND assigned_agency_id IS NOT NULL AND status IN ('pending', 'verified', 'in_progress');
DROP INDEX CONCURRENTLY IF EXISTS reports_agency_idx;

-- Boxes are found by the circle around them in reports_position_idx, of which the planner knows how much lies where;
-- of an expression it does not.
DROP INDEX CONCURRENTLY IF EXISTS reports_box_idx;
