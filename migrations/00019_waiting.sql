-- +goose NO TRANSACTION
-- +goose Up

-- Relay asks every minute for what waits. These indexes hold only that, so the time does not grow with what is done.
-- CONCURRENTLY as in 00018.
DROP INDEX CONCURRENTLY IF EXISTS reports_unjudged_idx;
CREATE INDEX CONCURRENTLY reports_unjudged_idx ON reports (created_at)
    WHERE ai_status IN ('queued', 'processing') AND deleted_at IS NULL;

DROP INDEX CONCURRENTLY IF EXISTS uploads_unprocessed_idx;
CREATE INDEX CONCURRENTLY uploads_unprocessed_idx ON uploads (attached_at)
    WHERE state IN ('issued', 'stored') AND attached_at IS NOT NULL;

DROP INDEX CONCURRENTLY IF EXISTS ledger_anchors_unclaimed_idx;
CREATE INDEX CONCURRENTLY ledger_anchors_unclaimed_idx ON ledger_anchors (created_at) WHERE submission_id IS NULL;

DROP INDEX CONCURRENTLY IF EXISTS ledger_submissions_unconfirmed_idx;
CREATE INDEX CONCURRENTLY ledger_submissions_unconfirmed_idx ON ledger_submissions (created_at) WHERE state <> 'confirmed';

-- The same for what has expired.
DROP INDEX CONCURRENTLY IF EXISTS sessions_revoked_idx;
CREATE INDEX CONCURRENTLY sessions_revoked_idx ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;

DROP INDEX CONCURRENTLY IF EXISTS refresh_tokens_expires_idx;
CREATE INDEX CONCURRENTLY refresh_tokens_expires_idx ON refresh_tokens (expires_at);
