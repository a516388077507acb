-- +goose Up

-- Addresses outside that are called when something happens to a report, and the calls.

CREATE TABLE webhooks (
    id              uuid        PRIMARY KEY,
    url             text        NOT NULL CHECK (octet_length(url) <= 2048),
    events          text[]      NOT NULL,
    enabled         boolean     NOT NULL DEFAULT true,
    off_reason      text,
    secret          bytea       NOT NULL,
    previous_secret bytea,
    previous_until  timestamptz,
    failures        integer     NOT NULL DEFAULT 0,
    paused_until    timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT webhooks_events_known CHECK (events <@ ARRAY['report.created', 'report.verified', 'report.status_changed', 'report.assigned',
        'report.removed', 'report.disputed', 'comment.added'] AND cardinality(events) > 0),
    CONSTRAINT webhooks_off_reason_known CHECK (off_reason IN ('admin', 'gone')),
    CONSTRAINT webhooks_off_reason_given CHECK (enabled = (off_reason IS NULL))
);
COMMENT ON TABLE webhooks IS 'Addresses that are called when something happens to a report (shared/webhook)';
COMMENT ON COLUMN webhooks.url IS 'It may contain a password of the receiver: only administrators read it, and no log has it';
COMMENT ON COLUMN webhooks.events IS 'Which events are sent';
COMMENT ON COLUMN webhooks.off_reason IS 'Why it is off: admin (an administrator switched it off) or gone (the receiver answered 410)';
COMMENT ON COLUMN webhooks.secret IS 'Signs the calls; sealed (shared/seal, purpose webhook)';
COMMENT ON COLUMN webhooks.previous_secret IS 'The one before the last rotation; it signs too until previous_until';
COMMENT ON COLUMN webhooks.failures IS 'Failed calls since the last one that was delivered';
COMMENT ON COLUMN webhooks.paused_until IS 'No call is made before: the receiver asked for a pause, or several calls in a row failed';

CREATE TABLE webhook_deliveries (
    id            uuid        PRIMARY KEY,
    seq           bigint      GENERATED ALWAYS AS IDENTITY,
    webhook_id    uuid        NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    report_id     uuid        NOT NULL REFERENCES reports (id) ON DELETE CASCADE,
    comment_id    uuid,
    event_type    text        NOT NULL,
    occurred_at   timestamptz NOT NULL,
    snapshot      jsonb,
    body          text,
    state         text        NOT NULL DEFAULT 'waiting',
    attempts      integer     NOT NULL DEFAULT 0,
    next_at       timestamptz NOT NULL DEFAULT now(),
    give_up_at    timestamptz NOT NULL DEFAULT now() + interval '24 hours',
    claimed_until timestamptz,
    last_status   integer,
    failure_reason text,
    settled_at    timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT webhook_deliveries_event_type_known CHECK (event_type IN ('report.created', 'report.verified', 'report.status_changed', 'report.assigned',
        'report.removed', 'report.disputed', 'comment.added')),
    CONSTRAINT webhook_deliveries_state_known CHECK (state IN ('waiting', 'delivered', 'parked')),
    CONSTRAINT webhook_deliveries_failure_reason_known CHECK (failure_reason IN ('status', 'not_public', 'timeout', 'lookup', 'tls', 'connection', 'url', 'switched_off'))
);
COMMENT ON TABLE webhook_deliveries IS 'Calls of webhooks: those that wait, and for some days those that were delivered or given up';
COMMENT ON COLUMN webhook_deliveries.seq IS 'Deliveries about one report to one webhook go out in this order';
COMMENT ON COLUMN webhook_deliveries.comment_id IS 'Of comment.added';
COMMENT ON COLUMN webhook_deliveries.event_type IS 'As the receiver reads it in "type"';
COMMENT ON COLUMN webhook_deliveries.occurred_at IS 'When the event happened';
COMMENT ON COLUMN webhook_deliveries.snapshot IS 'Columns of the report as the event left them; NULL when it was delivered, and when words of the report were erased';
COMMENT ON COLUMN webhook_deliveries.body IS 'What is sent; NULL before the first call, and when it was delivered';
COMMENT ON COLUMN webhook_deliveries.attempts IS 'Calls that began';
COMMENT ON COLUMN webhook_deliveries.next_at IS 'No call is made before';
COMMENT ON COLUMN webhook_deliveries.give_up_at IS 'A call that fails after this time parks the delivery';
COMMENT ON COLUMN webhook_deliveries.claimed_until IS 'A worker makes the call now. After this time the worker was killed';
COMMENT ON COLUMN webhook_deliveries.last_status IS 'HTTP status of the last answer; NULL without one';
COMMENT ON COLUMN webhook_deliveries.failure_reason IS 'Why the last call failed';
COMMENT ON COLUMN webhook_deliveries.settled_at IS 'When it was delivered or parked';
CREATE INDEX webhook_deliveries_due_idx ON webhook_deliveries (webhook_id, next_at) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_claimed_idx ON webhook_deliveries (webhook_id) WHERE state = 'waiting' AND claimed_until IS NOT NULL;
CREATE INDEX webhook_deliveries_order_idx ON webhook_deliveries (webhook_id, report_id, seq) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_list_idx ON webhook_deliveries (webhook_id, seq DESC);
CREATE INDEX webhook_deliveries_report_idx ON webhook_deliveries (report_id);
CREATE INDEX webhook_deliveries_settled_idx ON webhook_deliveries (settled_at) WHERE state <> 'waiting';

GRANT SELECT, INSERT, UPDATE, DELETE ON webhooks, webhook_deliveries TO lafaek_app;
