-- +goose Up

-- Messages to queues, written in the transaction of the change they belong to. The function that wrote a message sends it
-- after the commit and deletes the row; relay sends the messages that a crash left behind.
CREATE TABLE outbox (
    id         uuid PRIMARY KEY,
    queue      text        NOT NULL,
    body       jsonb       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    not_before timestamptz NOT NULL DEFAULT now(),
    attempts   integer     NOT NULL DEFAULT 0
);
CREATE INDEX outbox_due_idx ON outbox (not_before);

-- Messages whose effect has happened, by consumer; written in the transaction of the effect.
CREATE TABLE processed_messages (
    consumer     text        NOT NULL,
    message_key  text        NOT NULL,
    processed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, message_key)
);
CREATE INDEX processed_messages_age_idx ON processed_messages (processed_at);

-- The first answers to POST requests with an Idempotency-Key.
CREATE TABLE idempotency_keys (
    owner        text        NOT NULL, -- user id; "anonymous" for all who are not signed in
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
