-- +goose Up

-- What the role of the functions may no longer write to the tables of the log: what its code does not write.

-- Writing of events stops by this function alone, and for this reason alone.
-- +goose StatementBegin
CREATE FUNCTION halt_log() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE log_counter SET halted = 'the published log has more events than the database: a backup was restored; run make log-recover' WHERE halted IS NULL
$$;
-- +goose StatementEnd
REVOKE EXECUTE ON FUNCTION halt_log() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION halt_log() TO lafaek_app;
REVOKE UPDATE ON log_counter FROM lafaek_app;
GRANT UPDATE (next, receipts_vkey) ON log_counter TO lafaek_app;

-- A message is what was sent; only what became of it changes.
REVOKE UPDATE ON log_messages FROM lafaek_app;
GRANT UPDATE (state, transaction_id, signed, expires_at, sequence_number, running_hash, consensus_nanos, shown, attempts, next_attempt_at,
    last_error, updated_at) ON log_messages TO lafaek_app;

REVOKE UPDATE ON report_numbers FROM lafaek_app;
GRANT UPDATE (last) ON report_numbers TO lafaek_app;

-- These are refused at once. A trigger has the condition under which its change is refused.
-- +goose StatementBegin
CREATE FUNCTION guard_never() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF current_user = 'lafaek_app' THEN
        RAISE EXCEPTION '% of % is refused by %', TG_OP, TG_TABLE_NAME, TG_NAME USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- Places and numbers are given one after the other, and once.
DROP TRIGGER log_counter_guard ON log_counter;
DROP FUNCTION guard_log_counter();
CREATE TRIGGER log_counter_guard AFTER UPDATE OF next ON log_counter
    FOR EACH ROW WHEN (NEW.next <> OLD.next + 1) EXECUTE FUNCTION guard_never();
CREATE TRIGGER report_numbers_guard AFTER UPDATE ON report_numbers
    FOR EACH ROW WHEN (NEW.last <> OLD.last + 1) EXECUTE FUNCTION guard_never();
CREATE TRIGGER report_numbers_first_guard AFTER INSERT ON report_numbers
    FOR EACH ROW WHEN (NEW.last <> 1) EXECUTE FUNCTION guard_never();
-- A row without an event is one of an earlier version. New rows have theirs.
CREATE TRIGGER report_comments_seq_guard AFTER INSERT ON report_comments
    FOR EACH ROW WHEN (NEW.seq IS NULL) EXECUTE FUNCTION guard_never();
CREATE TRIGGER report_status_history_seq_guard AFTER INSERT ON report_status_history
    FOR EACH ROW WHEN (NEW.seq IS NULL) EXECUTE FUNCTION guard_never();
-- Words of an analysis are taken away, never changed.
CREATE TRIGGER ai_analyses_words_guard AFTER UPDATE ON ai_analyses FOR EACH ROW
    WHEN (coalesce(NEW.title, NEW.description, NEW.relevance_reason, NEW.recommended_repair, NEW.raw::text, NEW.error) IS NOT NULL OR NEW.hazards <> '{}')
    EXECUTE FUNCTION guard_never();

-- A key changes in the transaction that writes its KEY_CHANGED. This is checked at the commit, after the event.
-- +goose StatementBegin
CREATE FUNCTION guard_keys() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    allowed boolean;
BEGIN
    IF current_user <> 'lafaek_app' THEN RETURN NULL; END IF;
    SELECT coalesce(bool_or(CASE
        WHEN TG_TABLE_NAME = 'log_counter' THEN said ->> 'role' = 'receipts' AND said ->> 'new' = to_jsonb(NEW) ->> 'receipts_vkey'
        WHEN TG_OP = 'INSERT' THEN said ->> 'role' = to_jsonb(NEW) ->> 'role' AND said ->> 'new' = to_jsonb(NEW) ->> 'vkey'
            AND (to_jsonb(NEW) ->> 'from_index')::bigint = CASE WHEN said ->> 'old' IS NULL THEN 0 ELSE log_index END
        ELSE said ->> 'role' = to_jsonb(NEW) ->> 'role' AND said ->> 'old' = to_jsonb(NEW) ->> 'vkey'
            AND (to_jsonb(NEW) ->> 'until_index')::bigint = log_index AND to_jsonb(OLD) ->> 'until_index' IS NULL
        END), false)
      INTO allowed
      FROM (SELECT log_index, convert_from(payload, 'UTF8')::jsonb -> 'key' AS said FROM ledger_events
             WHERE report_id IS NULL AND event_type = 'KEY_CHANGED' AND xmin = pg_current_xact_id()::xid) k;
    IF NOT allowed THEN
        RAISE EXCEPTION '% of % without its KEY_CHANGED', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE CONSTRAINT TRIGGER log_keys_guard AFTER INSERT OR UPDATE ON log_keys DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION guard_keys();
CREATE CONSTRAINT TRIGGER log_counter_key_guard AFTER UPDATE OF receipts_vkey ON log_counter DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.receipts_vkey IS DISTINCT FROM NEW.receipts_vkey) EXECUTE FUNCTION guard_keys();

-- A report comes with its first event.
-- +goose StatementBegin
CREATE FUNCTION guard_new_report() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF current_user = 'lafaek_app' AND NOT EXISTS (SELECT FROM ledger_events WHERE report_id = NEW.id AND seq = 1) THEN
        RAISE EXCEPTION 'report % without its event in the public log', NEW.report_number USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE CONSTRAINT TRIGGER reports_event_guard AFTER INSERT ON reports DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION guard_new_report();
