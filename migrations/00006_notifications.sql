-- +goose Up

CREATE TABLE notifications (
    id         uuid PRIMARY KEY,
    user_id    uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    type       text        NOT NULL,
    -- identifies the event: one event makes one notification for a person
    event_key  text        NOT NULL,
    report_id  uuid REFERENCES reports (id),
    params     jsonb       NOT NULL DEFAULT '{}',
    read_at    timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT notifications_type_known CHECK (type IN ('report_received', 'report_verified', 'report_rejected',
        'report_status_changed', 'report_fixed', 'report_assigned', 'report_duplicate', 'comment_added',
        'blockchain_confirmed', 'announcement'))
);
CREATE UNIQUE INDEX notifications_event_key ON notifications (user_id, event_key);
CREATE INDEX notifications_user_idx ON notifications (user_id, created_at DESC, id DESC);
CREATE INDEX notifications_unread_idx ON notifications (user_id) WHERE read_at IS NULL;

-- How far each channel is with a notification. The states, as functions/notify writes them:
--   claimed  a run works on it; nothing was sent
--   sending  the mail or push service may have it at any moment
--   sent     the service took it
--   delayed  the service did not take it; it is tried again
--   failed   the service refused it for good
--   unknown  the service may have it; it is not tried again
--   skipped  the reader does not want it
CREATE TABLE notification_deliveries (
    notification_id uuid        NOT NULL REFERENCES notifications (id) ON DELETE CASCADE,
    channel         text        NOT NULL, -- mail, push
    recipient       text        NOT NULL DEFAULT '', -- device id for push, empty for mail
    state           text        NOT NULL, -- see above
    attempts        integer     NOT NULL DEFAULT 0,
    error           text,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (notification_id, channel, recipient)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON notifications, notification_deliveries TO lafaek_app;
