-- +goose Up
-- Keys of other systems that file reports by Open311. Of the secret only the SHA-256 is kept.
CREATE TABLE api_keys (
    id            uuid PRIMARY KEY,
    name          text        NOT NULL,
    contact_email citext      NOT NULL, -- of those who run the other system
    per_minute    integer     NOT NULL, -- requests that write
    secret_hash   bytea       NOT NULL,
    created_by    uuid        REFERENCES users (id) ON DELETE SET NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    revoked_at    timestamptz,
    last_used_at  timestamptz, -- to the hour
    CONSTRAINT api_keys_secret_key UNIQUE (secret_hash),
    CONSTRAINT api_keys_secret_is_sha256 CHECK (length(secret_hash) = 32),
    CONSTRAINT api_keys_per_minute_bounded CHECK (per_minute BETWEEN 1 AND 6000)
);
CREATE INDEX api_keys_created_by_idx ON api_keys (created_by);
GRANT SELECT, INSERT, UPDATE ON api_keys TO lafaek_app;

-- The new queues. A relay of the former version leaves their messages for a later sweep.
ALTER TABLE outbox
    DROP CONSTRAINT IF EXISTS outbox_queue_known,
    ADD CONSTRAINT outbox_queue_known CHECK (queue IN ('images', 'validate', 'anchor', 'notify', 'geocode', 'webhooks', 'fetch')) NOT VALID;
ALTER TABLE outbox
    VALIDATE CONSTRAINT outbox_queue_known;
