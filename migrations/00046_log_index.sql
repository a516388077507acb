-- +goose Up

-- The public log: every event has a place in one log, given in the transaction that writes the event. No function of an
-- earlier version may run beside this schema: it would write events without a place.

-- The next place. The row is locked from the last statement of a transaction to its commit, so that the places have no gaps
-- and follow the order of the commits.
CREATE TABLE log_counter (
    id            boolean PRIMARY KEY DEFAULT true,
    next          bigint NOT NULL,
    receipts_vkey text, -- the key that signs receipts now; NULL before the first
    halted        text, -- why no event may be written; NULL while writing is allowed
    CONSTRAINT log_counter_one_row CHECK (id),
    CONSTRAINT log_counter_next_not_negative CHECK (next >= 0)
);

-- The events of an earlier version get their places in the order in which they were written. Their positions have gaps.
ALTER TABLE ledger_events DISABLE TRIGGER ledger_events_append_only;
ALTER TABLE ledger_events ADD COLUMN log_index bigint;
UPDATE ledger_events e SET log_index = n.place
  FROM (SELECT id, row_number() OVER (ORDER BY position) - 1 AS place FROM ledger_events) n WHERE n.id = e.id;
ALTER TABLE ledger_events ALTER COLUMN log_index SET NOT NULL;
CREATE UNIQUE INDEX ledger_events_log_index_key ON ledger_events (log_index);
ALTER TABLE ledger_events ENABLE ALWAYS TRIGGER ledger_events_append_only;
INSERT INTO log_counter (next) SELECT count(*) FROM ledger_events;

-- Events of the log itself (KEY_CHANGED, INCIDENT) belong to no report. They have a chain of their own.
ALTER TABLE ledger_events ALTER COLUMN report_id DROP NOT NULL;
DROP INDEX ledger_events_report_seq_key;
CREATE UNIQUE INDEX ledger_events_report_seq_key ON ledger_events (report_id, seq) NULLS NOT DISTINCT;
ALTER TABLE ledger_events
    DROP CONSTRAINT ledger_events_submission_first,
    ADD CONSTRAINT ledger_events_submission_first CHECK
        ((event_type = 'REPORT_SUBMITTED') = (seq = 1 AND report_id IS NOT NULL)),
    DROP CONSTRAINT ledger_events_type_known,
    ADD CONSTRAINT ledger_events_type_known CHECK (event_type IN ('REPORT_SUBMITTED', 'STATUS_CHANGED', 'AI_VALIDATED',
        'CONTENT_AMENDED', 'REPORT_WITHDRAWN', 'CONTENT_HIDDEN', 'CONTENT_ERASED', 'COMMENT_ADDED', 'COMMENT_REMOVED',
        'ASSIGNED', 'DISPUTED', 'KEY_CHANGED', 'INCIDENT')),
    ADD CONSTRAINT ledger_events_report_named CHECK
        ((report_id IS NOT NULL) OR event_type IN ('KEY_CHANGED', 'INCIDENT'));

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION ledger_require_chain() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.seq > 1 AND NOT EXISTS (SELECT 1 FROM ledger_events p
        WHERE (p.report_id = NEW.report_id OR p.report_id IS NULL AND NEW.report_id IS NULL)
          AND p.seq = NEW.seq - 1 AND p.payload_hash = NEW.prev_hash) THEN
        RAISE EXCEPTION 'event % of report % does not follow its predecessor', NEW.seq, NEW.report_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd

-- A report, and each of its notes, comments and assignments, has a salt. seq is the event that the salt is for; the salt of
-- the report is that of its first event.
ALTER TABLE report_salts ADD COLUMN seq integer NOT NULL DEFAULT 1;
ALTER TABLE report_salts DROP CONSTRAINT report_salts_pkey, ADD PRIMARY KEY (report_id, seq);

-- Which event vouches for a row; NULL for rows of an earlier version.
ALTER TABLE report_status_history ADD COLUMN seq integer;
ALTER TABLE report_comments ADD COLUMN seq integer;

GRANT SELECT, UPDATE ON log_counter TO lafaek_app;
