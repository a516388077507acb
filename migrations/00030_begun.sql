-- +goose NO TRANSACTION
-- +goose Up

-- Reports that no agency has, now also those in progress: an administrator may begin the work before an agency has it.
-- The older functions' query finds its reports in this wider index too, so the old index can go at once. CONCURRENTLY as
-- in 00018.
DROP INDEX CONCURRENTLY IF EXISTS reports_nobodys_idx;
CREATE INDEX CONCURRENTLY reports_nobodys_idx ON reports (created_at DESC, id DESC)
    WHERE deleted_at IS NULL AND status IN ('pending', 'verified', 'in_progress') AND assigned_agency_id IS NULL
      AND ai_status NOT IN ('needs_review', 'failed');
DROP INDEX CONCURRENTLY IF EXISTS reports_new_idx;
