-- +goose Up

-- Messages that belong to a committed change and wait to be sent to their queue.
-- The function that wrote one sends it after its commit and deletes the row;
-- relay sends what a crash left behind.
CREATE TABLE outbox (
    id         uuid PRIMARY KEY,
    queue      text        NOT NULL,
    body       jsonb       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    not_before timestamptz NOT NULL DEFAULT now(),
    attempts   integer     NOT NULL DEFAULT 0
);
CREATE INDEX outbox_due_idx ON outbox (not_before);

-- A consumer's mark that a message's effect has happened, written in the transaction of the effect.
CREATE TABLE processed_messages (
    consumer     text        NOT NULL,
    message_key  text        NOT NULL,
    processed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, message_key)
);
CREATE INDEX processed_messages_age_idx ON processed_messages (processed_at);

-- First answers of POSTs that carried an Idempotency-Key.
CREATE TABLE idempotency_keys (
    owner        text        NOT NULL, -- user id, or a hash of the caller's network when nobody is signed in
    key          text        NOT NULL,
    request_hash bytea       NOT NULL,
    status       integer,              -- null while the first request runs
    response     bytea,
    content_type text,
    locked_until timestamptz NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner, key)
);
CREATE INDEX idempotency_keys_age_idx ON idempotency_keys (created_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON outbox, processed_messages, idempotency_keys TO lafaek_app;
