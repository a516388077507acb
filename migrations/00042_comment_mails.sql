-- +goose NO TRANSACTION
-- +goose Up

-- Mails about comments on one report go to one person at most once an hour. The first comment is mailed at once. Later ones wait,
-- and the next mail has all of them. Each statement can run again.
SET lock_timeout = '5s';

-- The last mail about comments, by reader and report. relay deletes a row after a day.
CREATE TABLE IF NOT EXISTS comment_mails (
    user_id   uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    report_id uuid        NOT NULL REFERENCES reports (id) ON DELETE CASCADE,
    holder    uuid, -- the notification whose mail has the others with it
    begun_at  timestamptz NOT NULL DEFAULT 'epoch',
    PRIMARY KEY (user_id, report_id)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON comment_mails TO lafaek_app;

-- waiting: goes with the mail of a later hour. gathered: goes with the mail of the notification in gathered_by.
ALTER TABLE notification_deliveries
    ADD COLUMN IF NOT EXISTS gathered_by uuid,
    DROP CONSTRAINT IF EXISTS notification_deliveries_state_known,
    ADD CONSTRAINT notification_deliveries_state_known CHECK (state IN
        ('claimed', 'sending', 'sent', 'delayed', 'failed', 'unknown', 'skipped', 'waiting', 'gathered')) NOT VALID;
ALTER TABLE notification_deliveries
    VALIDATE CONSTRAINT notification_deliveries_state_known;

DROP INDEX CONCURRENTLY IF EXISTS notification_deliveries_waiting_idx;
CREATE INDEX CONCURRENTLY notification_deliveries_waiting_idx ON notification_deliveries (gathered_by, notification_id)
    WHERE state IN ('waiting', 'gathered');
