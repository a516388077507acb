-- +goose NO TRANSACTION
-- +goose Up

-- Work that an administrator began before any agency had it waits for one too: it was in no queue at all. The queue as it
-- was asked for before is found in the wider index as well, so that the old one can go at once.
DROP INDEX CONCURRENTLY IF EXISTS reports_nobodys_idx;
CREATE INDEX CONCURRENTLY reports_nobodys_idx ON reports (created_at DESC, id DESC)
    WHERE deleted_at IS NULL AND status IN ('pending', 'verified', 'in_progress') AND assigned_agency_id IS NULL
      AND ai_status NOT IN ('needs_review', 'failed');
DROP INDEX CONCURRENTLY IF EXISTS reports_new_idx;
