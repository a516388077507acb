-- +goose Up

-- Messages of queues that failed or whose worker was killed. A worker notes each start but the first here, and sets the number
-- back when the start ends. A message of which three starts have no end becomes a dead letter (shared/queue).
CREATE TABLE message_starts (
    message_id text        PRIMARY KEY,
    starts     integer     NOT NULL,
    noted_at   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE message_starts IS 'Messages that were delivered more than once, until they are handled';
COMMENT ON COLUMN message_starts.message_id IS 'As SQS gives it';
COMMENT ON COLUMN message_starts.starts IS 'Starts in a row without an end: the worker was killed, for memory or time, or panicked';
COMMENT ON COLUMN message_starts.noted_at IS 'When the row was made; relay deletes it when the message cannot exist any more';
CREATE INDEX message_starts_age_idx ON message_starts (noted_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON message_starts TO lafaek_app;
