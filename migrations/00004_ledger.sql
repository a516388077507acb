-- +goose Up

-- What happened to a report: one row for each event, and a chain of hashes for each report. Append-only for everybody:
-- by grant (the functions' role may only read and insert) and by trigger (for all other roles). What changes about an
-- event, namely how far it is on the public ledger, is in the tables below.
CREATE TABLE ledger_events (
    id           uuid PRIMARY KEY,
    position     bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    report_id    uuid        NOT NULL REFERENCES reports (id),
    seq          integer     NOT NULL, -- 1, 2, 3, … within the report
    event_type   text        NOT NULL,
    topic        text        NOT NULL,
    payload      bytea       NOT NULL, -- canonical JSON (RFC 8785): exactly the bytes that are hashed and anchored
    payload_hash bytea       NOT NULL,
    prev_hash    bytea,                -- payload_hash of seq - 1
    created_at   timestamptz NOT NULL,
    CONSTRAINT ledger_events_type_known CHECK (event_type IN
        ('REPORT_SUBMITTED', 'STATUS_CHANGED', 'AI_VALIDATED', 'CONTENT_AMENDED', 'REPORT_WITHDRAWN')),
    CONSTRAINT ledger_events_topic_known CHECK (topic IN ('reports', 'status')),
    CONSTRAINT ledger_events_submission_first CHECK ((event_type = 'REPORT_SUBMITTED') = (seq = 1)),
    CONSTRAINT ledger_events_chained CHECK ((prev_hash IS NULL) = (seq = 1)),
    CONSTRAINT ledger_events_fit_one_message CHECK (octet_length(payload) BETWEEN 2 AND 1024),
    CONSTRAINT ledger_events_hash_of_payload CHECK (payload_hash = sha256(payload))
);
CREATE UNIQUE INDEX ledger_events_report_seq_key ON ledger_events (report_id, seq);
CREATE UNIQUE INDEX ledger_events_position_key ON ledger_events (position);

-- +goose StatementBegin
CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % refused: the ledger is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION ledger_require_chain() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.seq > 1 AND NOT EXISTS (SELECT 1 FROM ledger_events p
        WHERE p.report_id = NEW.report_id AND p.seq = NEW.seq - 1 AND p.payload_hash = NEW.prev_hash) THEN
        RAISE EXCEPTION 'event % of report % does not follow its predecessor', NEW.seq, NEW.report_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd

CREATE TRIGGER ledger_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_events
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_events_chain BEFORE INSERT ON ledger_events
    FOR EACH ROW EXECUTE FUNCTION ledger_require_chain();
-- ALWAYS: also in a session that applies replication, where other triggers do not fire.
ALTER TABLE ledger_events ENABLE ALWAYS TRIGGER ledger_events_append_only;
ALTER TABLE ledger_events ENABLE ALWAYS TRIGGER ledger_events_chain;

-- The key with which a report's personal and free-text content is hashed into its events. Deleting the row erases that
-- content: the proofs stay valid, but the content can neither be recovered nor confirmed by guessing.
CREATE TABLE report_salts (
    report_id  uuid PRIMARY KEY REFERENCES reports (id),
    salt       bytea       NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT report_salts_long_enough CHECK (octet_length(salt) = 32)
);

-- One row for each message of the public ledger: a single event, or the Merkle root of a batch of events.
--   claimed    events and message chosen, nothing signed
--   prepared   a signed transaction is stored; it may or may not have been sent
--   submitted  a node took the transaction
--   reached    consensus: sequence number and running hash known
--   confirmed  the mirror node shows the same bytes from our account
--   failed     the mirror node contradicts us; a person has to look
CREATE TABLE ledger_submissions (
    id              uuid PRIMARY KEY,
    topic           text        NOT NULL,
    topic_id        text        NOT NULL, -- 0.0.N
    batch_size      integer     NOT NULL, -- 0: the message is the event's payload itself
    message         bytea       NOT NULL,
    state           text        NOT NULL DEFAULT 'claimed',
    transaction_id  text,                 -- the current one, 0.0.A@seconds.nanos
    sequence_number bigint,
    running_hash    bytea,
    consensus_nanos bigint,               -- nanoseconds since 1970; timestamptz has only microseconds
    attempts        integer     NOT NULL DEFAULT 0, -- failures since the last change of state
    next_attempt_at timestamptz NOT NULL,
    leased_by       uuid,
    leased_until    timestamptz,
    last_error      text,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    confirmed_at    timestamptz,
    CONSTRAINT ledger_submissions_state_known CHECK (state IN
        ('claimed', 'prepared', 'submitted', 'reached', 'confirmed', 'failed')),
    CONSTRAINT ledger_submissions_fit CHECK (octet_length(message) BETWEEN 2 AND 1024),
    CONSTRAINT ledger_submissions_prepared_has_transaction CHECK (state = 'claimed' OR transaction_id IS NOT NULL),
    CONSTRAINT ledger_submissions_reached_has_place CHECK
        (state NOT IN ('reached', 'confirmed') OR sequence_number IS NOT NULL)
);
CREATE UNIQUE INDEX ledger_submissions_place_key ON ledger_submissions (topic_id, sequence_number)
    WHERE sequence_number IS NOT NULL;
CREATE INDEX ledger_submissions_open_idx ON ledger_submissions (next_attempt_at) WHERE state NOT IN ('confirmed', 'failed');

-- Every signed transaction; it is stored before it is sent. A submission gets a second one only when the first is proven
-- to have had no effect.
CREATE TABLE ledger_transactions (
    id            text PRIMARY KEY, -- 0.0.A@seconds.nanos
    submission_id uuid        NOT NULL REFERENCES ledger_submissions (id),
    signed        bytea       NOT NULL, -- the SDK's transaction list: one signed variant for each node
    expires_at    timestamptz NOT NULL, -- the network refuses it from then on
    outcome       text,                 -- why it had no effect, once that is proven
    created_at    timestamptz NOT NULL
);
CREATE INDEX ledger_transactions_submission_idx ON ledger_transactions (submission_id);

-- How far each event is on the public ledger: one row for each event, from the moment it is written.
CREATE TABLE ledger_anchors (
    event_id      uuid PRIMARY KEY REFERENCES ledger_events (id),
    position      bigint      NOT NULL,
    report_id     uuid        NOT NULL,
    seq           integer     NOT NULL,
    topic         text        NOT NULL,
    submission_id uuid REFERENCES ledger_submissions (id),
    leaf_index    integer,            -- in a batch
    proof         bytea,              -- in a batch: inclusion proof (RFC 6962), a sequence of 32-byte hashes
    created_at    timestamptz NOT NULL,
    CONSTRAINT ledger_anchors_proof_of_batch CHECK ((leaf_index IS NULL) = (proof IS NULL))
);
CREATE UNIQUE INDEX ledger_anchors_report_seq_key ON ledger_anchors (report_id, seq);
CREATE INDEX ledger_anchors_waiting_idx ON ledger_anchors (topic, position) WHERE submission_id IS NULL;
CREATE INDEX ledger_anchors_submission_idx ON ledger_anchors (submission_id);

-- One row. The circuit is open while the worker cannot go on without an operator (wrong key, no funds): events wait, and
-- the worker makes one attempt at probe_at.
CREATE TABLE ledger_circuit (
    id       boolean PRIMARY KEY DEFAULT true,
    reason   text,        -- null: the circuit is closed
    since    timestamptz,
    probe_at timestamptz,
    failures integer NOT NULL DEFAULT 0,
    CONSTRAINT ledger_circuit_one_row CHECK (id),
    CONSTRAINT ledger_circuit_open_has_probe CHECK ((reason IS NULL) = (probe_at IS NULL))
);
INSERT INTO ledger_circuit DEFAULT VALUES;

GRANT SELECT, INSERT ON ledger_events, ledger_transactions TO lafaek_app;
GRANT UPDATE (outcome) ON ledger_transactions TO lafaek_app;
GRANT SELECT, INSERT, DELETE ON report_salts TO lafaek_app;
GRANT SELECT, INSERT, UPDATE ON ledger_submissions, ledger_anchors TO lafaek_app;
GRANT SELECT, UPDATE ON ledger_circuit TO lafaek_app;
