-- +goose NO TRANSACTION
-- +goose Up

-- Every column that holds one of a few words gets a CHECK that lists the words the code writes. The name of such a
-- constraint ends in _known. A test compares each list with the constants in the code, in both directions.
--
-- How to add a word: a new migration replaces the constraint, in the same way as below. A deploy migrates before it
-- starts the new functions, so the longer list is there before anybody writes the new word.
-- How to remove one: first deploy code that no longer writes it, then shorten the list in a later deploy.
--
-- Locks: ADD CONSTRAINT ... NOT VALID reads no rows. It needs ACCESS EXCLUSIVE on the table for a moment. While it waits
-- for that lock, all later queries of the table wait behind it, so it gives up after lock_timeout. VALIDATE CONSTRAINT
-- reads the whole table, but its SHARE UPDATE EXCLUSIVE lock lets reads and writes go on. The large tables are reports,
-- uploads, report_status_history, ai_analyses, notification_deliveries, ledger_anchors and audit_log.
-- The file runs without a transaction, so each lock ends with its statement. Each statement can run again: after a
-- failure the deploy is simply repeated.
SET lock_timeout = '5s';

ALTER TABLE sessions
    DROP CONSTRAINT IF EXISTS sessions_platform_known,
    DROP CONSTRAINT IF EXISTS sessions_revoked_reason_known,
    ADD CONSTRAINT sessions_platform_known CHECK (platform IN ('android', 'ios', 'web')) NOT VALID,
    ADD CONSTRAINT sessions_revoked_reason_known CHECK (revoked_reason IN ('logout', 'refresh_token_reused', 'password_changed',
        'suspended', 'deleted', 'ended_by_owner', 'role_changed', 'too_many_sessions')) NOT VALID;
ALTER TABLE sessions
    VALIDATE CONSTRAINT sessions_platform_known,
    VALIDATE CONSTRAINT sessions_revoked_reason_known;

ALTER TABLE agencies
    DROP CONSTRAINT IF EXISTS agencies_issue_types_known,
    ADD CONSTRAINT agencies_issue_types_known CHECK (issue_types <@ ARRAY['pothole', 'road_damage', 'flooding', 'drainage',
        'street_light', 'traffic_sign', 'bridge', 'sidewalk', 'debris', 'waste', 'water_supply', 'other']) NOT VALID;
ALTER TABLE agencies
    VALIDATE CONSTRAINT agencies_issue_types_known;

-- action and entity have no list: each new deed adds a word, and the log must not refuse a deed that was done.
ALTER TABLE audit_log
    DROP CONSTRAINT IF EXISTS audit_log_actor_role_known,
    ADD CONSTRAINT audit_log_actor_role_known CHECK (actor_role IN
        ('citizen', 'moderator', 'government_official', 'admin', 'system')) NOT VALID;
ALTER TABLE audit_log
    VALIDATE CONSTRAINT audit_log_actor_role_known;

ALTER TABLE uploads
    DROP CONSTRAINT IF EXISTS uploads_content_type_known,
    DROP CONSTRAINT IF EXISTS uploads_refusal_known,
    ADD CONSTRAINT uploads_content_type_known CHECK (content_type IN ('image/jpeg', 'image/png', 'image/webp')) NOT VALID,
    ADD CONSTRAINT uploads_refusal_known CHECK (refusal IN
        ('not_a_picture', 'broken', 'too_large', 'extra_data', 'not_as_declared')) NOT VALID;
ALTER TABLE uploads
    VALIDATE CONSTRAINT uploads_content_type_known,
    VALIDATE CONSTRAINT uploads_refusal_known;

ALTER TABLE reports
    DROP CONSTRAINT IF EXISTS reports_issue_type_known,
    DROP CONSTRAINT IF EXISTS reports_severity_guess_known,
    DROP CONSTRAINT IF EXISTS reports_priority_known,
    DROP CONSTRAINT IF EXISTS reports_geocode_source_known,
    ADD CONSTRAINT reports_issue_type_known CHECK (issue_type IN ('pothole', 'road_damage', 'flooding', 'drainage',
        'street_light', 'traffic_sign', 'bridge', 'sidewalk', 'debris', 'waste', 'water_supply', 'other')) NOT VALID,
    ADD CONSTRAINT reports_severity_guess_known CHECK (severity_guess IN ('low', 'medium', 'high', 'critical')) NOT VALID,
    ADD CONSTRAINT reports_priority_known CHECK (priority IN ('low', 'medium', 'high', 'critical')) NOT VALID,
    ADD CONSTRAINT reports_geocode_source_known CHECK (geocode_source IN ('boundaries', 'nominatim', 'none')) NOT VALID;
ALTER TABLE reports
    VALIDATE CONSTRAINT reports_issue_type_known,
    VALIDATE CONSTRAINT reports_severity_guess_known,
    VALIDATE CONSTRAINT reports_priority_known,
    VALIDATE CONSTRAINT reports_geocode_source_known;

ALTER TABLE report_status_history
    DROP CONSTRAINT IF EXISTS report_status_history_old_status_known,
    DROP CONSTRAINT IF EXISTS report_status_history_new_status_known,
    DROP CONSTRAINT IF EXISTS report_status_history_actor_kind_known,
    ADD CONSTRAINT report_status_history_old_status_known CHECK (old_status IN
        ('pending', 'verified', 'in_progress', 'fixed', 'rejected', 'duplicate')) NOT VALID,
    ADD CONSTRAINT report_status_history_new_status_known CHECK (new_status IN
        ('pending', 'verified', 'in_progress', 'fixed', 'rejected', 'duplicate')) NOT VALID,
    ADD CONSTRAINT report_status_history_actor_kind_known CHECK (actor_kind IN
        ('ai', 'citizen', 'moderator', 'government_official', 'admin')) NOT VALID;
ALTER TABLE report_status_history
    VALIDATE CONSTRAINT report_status_history_old_status_known,
    VALIDATE CONSTRAINT report_status_history_new_status_known,
    VALIDATE CONSTRAINT report_status_history_actor_kind_known;

-- verdict: the outcome of the other stages in one row, which readers are shown. override: a person's judgement.
ALTER TABLE ai_analyses
    DROP CONSTRAINT IF EXISTS ai_analyses_stage_known,
    DROP CONSTRAINT IF EXISTS ai_analyses_status_known,
    DROP CONSTRAINT IF EXISTS ai_analyses_issue_type_known,
    DROP CONSTRAINT IF EXISTS ai_analyses_severity_known,
    DROP CONSTRAINT IF EXISTS ai_analyses_repair_urgency_known,
    ADD CONSTRAINT ai_analyses_stage_known CHECK (stage IN ('relevance', 'damage', 'embedding', 'verdict', 'override')) NOT VALID,
    ADD CONSTRAINT ai_analyses_status_known CHECK (status IN ('completed', 'rejected', 'needs_review', 'failed')) NOT VALID,
    ADD CONSTRAINT ai_analyses_issue_type_known CHECK (issue_type IN ('pothole', 'road_damage', 'flooding', 'drainage',
        'street_light', 'traffic_sign', 'bridge', 'sidewalk', 'debris', 'waste', 'water_supply', 'other')) NOT VALID,
    ADD CONSTRAINT ai_analyses_severity_known CHECK (severity IN ('low', 'medium', 'high', 'critical')) NOT VALID,
    ADD CONSTRAINT ai_analyses_repair_urgency_known CHECK (repair_urgency IN
        ('routine', 'within_30_days', 'within_7_days', 'immediate')) NOT VALID;
ALTER TABLE ai_analyses
    VALIDATE CONSTRAINT ai_analyses_stage_known,
    VALIDATE CONSTRAINT ai_analyses_status_known,
    VALIDATE CONSTRAINT ai_analyses_issue_type_known,
    VALIDATE CONSTRAINT ai_analyses_severity_known,
    VALIDATE CONSTRAINT ai_analyses_repair_urgency_known;

ALTER TABLE ledger_submissions
    DROP CONSTRAINT IF EXISTS ledger_submissions_topic_known,
    ADD CONSTRAINT ledger_submissions_topic_known CHECK (topic IN ('reports', 'status')) NOT VALID;
ALTER TABLE ledger_submissions
    VALIDATE CONSTRAINT ledger_submissions_topic_known;

ALTER TABLE ledger_anchors
    DROP CONSTRAINT IF EXISTS ledger_anchors_topic_known,
    ADD CONSTRAINT ledger_anchors_topic_known CHECK (topic IN ('reports', 'status')) NOT VALID;
ALTER TABLE ledger_anchors
    VALIDATE CONSTRAINT ledger_anchors_topic_known;

-- A message to a queue that does not exist would stay in the outbox for ever, so the transaction that writes it fails.
-- A deploy that brings a new queue adds it here before its functions run. Until the new relay runs, the old one may find
-- messages for the new queue: it does not know the queue's address and leaves them for a later sweep.
ALTER TABLE outbox
    DROP CONSTRAINT IF EXISTS outbox_queue_known,
    ADD CONSTRAINT outbox_queue_known CHECK (queue IN ('images', 'validate', 'anchor', 'notify', 'geocode')) NOT VALID;
ALTER TABLE outbox
    VALIDATE CONSTRAINT outbox_queue_known;

ALTER TABLE notification_deliveries
    DROP CONSTRAINT IF EXISTS notification_deliveries_channel_known,
    DROP CONSTRAINT IF EXISTS notification_deliveries_state_known,
    ADD CONSTRAINT notification_deliveries_channel_known CHECK (channel IN ('mail', 'push')) NOT VALID,
    ADD CONSTRAINT notification_deliveries_state_known CHECK (state IN
        ('claimed', 'sending', 'sent', 'delayed', 'failed', 'unknown', 'skipped')) NOT VALID;
ALTER TABLE notification_deliveries
    VALIDATE CONSTRAINT notification_deliveries_channel_known,
    VALIDATE CONSTRAINT notification_deliveries_state_known;

ALTER TABLE geocode_cache
    DROP CONSTRAINT IF EXISTS geocode_cache_source_known,
    ADD CONSTRAINT geocode_cache_source_known CHECK (source IN ('nominatim', 'none')) NOT VALID;
ALTER TABLE geocode_cache
    VALIDATE CONSTRAINT geocode_cache_source_known;

RESET lock_timeout;
