-- +goose Up

-- What anchor knows of the public log and of its messages to the ledger. The log itself is the table ledger_events in the
-- order of log_index; its tiles, entries and checkpoint are objects of a bucket, computed from that table.

-- One row: how far the log is published. The checkpoint is stored here before the bucket has it, and size only grows: no size
-- ever has two checkpoints with different roots.
CREATE TABLE log_head (
    id           boolean PRIMARY KEY DEFAULT true,
    origin       text,                          -- the name of the log, kept by the first round; NULL before it
    size         bigint      NOT NULL DEFAULT 0, -- events that the newest checkpoint covers
    checkpoint   text,                          -- as signed, with the lines of witnesses; NULL before the first
    signed_at    timestamptz,
    leased_by    uuid,                          -- the round that works now
    leased_until timestamptz,
    wake_at      timestamptz,                   -- when a message that was sent later will arrive
    budget       double precision,              -- messages to the ledger that were left at budget_at; NULL: the whole burst
    budget_at    timestamptz,
    CONSTRAINT log_head_one_row CHECK (id),
    CONSTRAINT log_head_size_not_negative CHECK (size >= 0),
    CONSTRAINT log_head_size_is_signed CHECK (size = 0 OR checkpoint IS NOT NULL),
    CONSTRAINT log_head_budget_dated CHECK ((budget IS NULL) = (budget_at IS NULL))
);
INSERT INTO log_head DEFAULT VALUES;

-- The keys that the log has named by KEY_CHANGED. A log key signs the checkpoints of a size above from_index. A receipts key
-- signs receipts of every index below until_index.
CREATE TABLE log_keys (
    role        text   NOT NULL,
    vkey        text   NOT NULL, -- c2sp.org/signed-note
    from_index  bigint NOT NULL, -- of the event that named it; 0 for the first
    until_index bigint,          -- of the event that named the next; NULL for the key in force
    PRIMARY KEY (role, from_index),
    CONSTRAINT log_keys_role_known CHECK (role IN ('log', 'receipts')),
    CONSTRAINT log_keys_in_order CHECK (until_index > from_index)
);
CREATE UNIQUE INDEX log_keys_in_force_key ON log_keys (role) WHERE until_index IS NULL;

-- One row for each message of the public ledger. A message has a checkpoint; it is the first message that covers the events
-- from first_index to size - 1, or a repetition for those of a message that failed.
--   claimed    the message is made, nothing is signed
--   prepared   a signed transaction is stored; it may or may not have been sent
--   submitted  a node took the transaction
--   reached    consensus: sequence number and running hash known
--   confirmed  the mirror node shows the same bytes from our account
--   failed     the mirror node contradicts us; a person has to look, and the next message covers the same events
CREATE TABLE log_messages (
    id              uuid PRIMARY KEY,
    topic_id        text        NOT NULL, -- 0.0.N
    size            bigint      NOT NULL, -- of its checkpoint
    first_index     bigint      NOT NULL,
    message         bytea       NOT NULL,
    state           text        NOT NULL DEFAULT 'claimed',
    transaction_id  text,                 -- the current one, 0.0.A@seconds.nanos
    signed          bytea,                -- the SDK's transaction list: one signed variant for each node
    expires_at      timestamptz,          -- the network refuses the transaction from then on
    sequence_number bigint,
    running_hash    bytea,
    consensus_nanos bigint,               -- nanoseconds since 1970; timestamptz has only microseconds
    shown           bigint      NOT NULL, -- the reports of the events below this index show the state
    attempts        integer     NOT NULL DEFAULT 0, -- failures since the message was made or reached consensus
    next_attempt_at timestamptz NOT NULL,
    last_error      text,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    CONSTRAINT log_messages_state_known CHECK (state IN
        ('claimed', 'prepared', 'submitted', 'reached', 'confirmed', 'failed')),
    CONSTRAINT log_messages_fit CHECK (octet_length(message) BETWEEN 2 AND 1024),
    CONSTRAINT log_messages_cover CHECK (first_index >= 0 AND first_index < size),
    CONSTRAINT log_messages_shown_within CHECK (shown BETWEEN first_index AND size),
    CONSTRAINT log_messages_transaction_whole CHECK
        ((transaction_id IS NULL) = (signed IS NULL) AND (transaction_id IS NULL) = (expires_at IS NULL)),
    CONSTRAINT log_messages_prepared_has_transaction CHECK (state = 'claimed' OR transaction_id IS NOT NULL),
    CONSTRAINT log_messages_reached_has_place CHECK (state NOT IN ('reached', 'confirmed') OR sequence_number IS NOT NULL)
);
CREATE UNIQUE INDEX log_messages_place_key ON log_messages (topic_id, sequence_number) WHERE sequence_number IS NOT NULL;
-- One message is under way at a time.
CREATE UNIQUE INDEX log_messages_one_open_key ON log_messages ((true)) WHERE state NOT IN ('confirmed', 'failed');
-- The first message that covers an event: the smallest size above its index.
CREATE INDEX log_messages_cover_idx ON log_messages (size) WHERE state <> 'failed';

-- The size that each witness has seen last, by its key.
CREATE TABLE log_witnesses (
    vkey text PRIMARY KEY, -- c2sp.org/signed-note
    size bigint NOT NULL
);

GRANT SELECT, UPDATE ON log_head TO lafaek_app;
GRANT SELECT, INSERT, UPDATE (until_index) ON log_keys TO lafaek_app;
GRANT SELECT, INSERT, UPDATE ON log_messages, log_witnesses TO lafaek_app;
