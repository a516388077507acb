-- +goose Up

-- What the role of the functions may no longer change without an event of the public log in the same transaction. The checks
-- run at the commit, because events are written in its round trip.

-- The events of a kind that this transaction has written for a report.
-- +goose StatementBegin
CREATE FUNCTION ledger_says_now(about uuid, kind text) RETURNS SETOF jsonb LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT convert_from(payload, 'UTF8')::jsonb FROM ledger_events
     WHERE report_id = about AND event_type = kind AND xmin = pg_current_xact_id()::xid
$$;
CREATE FUNCTION ledger_erases_now(about uuid, event integer) RETURNS boolean LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM ledger_says_now(about, 'CONTENT_ERASED') said WHERE event IS NULL OR said -> 'erased' @> to_jsonb(event))
$$;

CREATE FUNCTION guard_vouched() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    allowed boolean;
BEGIN
    IF current_user <> 'lafaek_app' THEN RETURN NULL; END IF; -- who owns the tables repairs and upgrades them
    CASE TG_NAME
    WHEN 'report_salts_guard' THEN -- a salt goes only with the erasure that names its event
        allowed := TG_OP = 'DELETE' AND ledger_erases_now(OLD.report_id, OLD.seq);
    WHEN 'report_status_history_guard' THEN
        allowed := NEW.note IS NULL AND ledger_erases_now(OLD.report_id, OLD.seq);
    WHEN 'report_comments_words_guard' THEN
        allowed := NEW.content = '' AND ledger_erases_now(OLD.report_id, OLD.seq);
    WHEN 'report_comments_removal_guard' THEN
        allowed := NEW.deleted_at IS NOT NULL AND EXISTS (
            SELECT FROM ledger_says_now(OLD.report_id, 'COMMENT_REMOVED') said WHERE said ->> 'comment_seq' = OLD.seq::text);
    WHEN 'reports_withdrawal_guard' THEN
        allowed := NEW.deleted_at IS NOT NULL AND EXISTS (SELECT FROM ledger_says_now(OLD.id, 'REPORT_WITHDRAWN'));
    WHEN 'reports_place_guard' THEN
        allowed := ledger_erases_now(OLD.id, NULL);
    END CASE;
    IF NOT allowed THEN
        RAISE EXCEPTION '% of % without its event in the public log', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

CREATE CONSTRAINT TRIGGER report_salts_guard AFTER DELETE OR UPDATE ON report_salts DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION guard_vouched();
CREATE CONSTRAINT TRIGGER report_status_history_guard AFTER UPDATE ON report_status_history DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION guard_vouched();
CREATE CONSTRAINT TRIGGER report_comments_words_guard AFTER UPDATE OF content ON report_comments DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.content IS DISTINCT FROM NEW.content) EXECUTE FUNCTION guard_vouched();
-- A comment of an earlier version has no event that its removal could name.
CREATE CONSTRAINT TRIGGER report_comments_removal_guard AFTER UPDATE OF deleted_at ON report_comments DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.deleted_at IS DISTINCT FROM NEW.deleted_at AND OLD.seq IS NOT NULL) EXECUTE FUNCTION guard_vouched();
CREATE CONSTRAINT TRIGGER reports_withdrawal_guard AFTER UPDATE OF deleted_at ON reports DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.deleted_at IS DISTINCT FROM NEW.deleted_at) EXECUTE FUNCTION guard_vouched();
CREATE CONSTRAINT TRIGGER reports_place_guard AFTER UPDATE OF latitude, longitude ON reports DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN ((OLD.latitude, OLD.longitude) IS DISTINCT FROM (NEW.latitude, NEW.longitude)) EXECUTE FUNCTION guard_vouched();

-- The counter never goes back: a place is given once. Its own constraint has refused a change while it is halted.
-- +goose StatementBegin
CREATE FUNCTION guard_log_counter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user = 'lafaek_app' THEN
        RAISE EXCEPTION 'the next place in the log is %, and % was given before', OLD.next, NEW.next USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER log_counter_guard AFTER UPDATE OF next ON log_counter
    FOR EACH ROW WHEN (NEW.next < OLD.next) EXECUTE FUNCTION guard_log_counter();

REVOKE UPDATE, DELETE ON report_comments FROM lafaek_app;
GRANT UPDATE (content, client_id, deleted_at) ON report_comments TO lafaek_app;

-- Columns that never change once a report is there. A new column needs a grant of its own.
REVOKE UPDATE ON reports FROM lafaek_app;
-- +goose StatementBegin
DO $$
BEGIN
    EXECUTE (SELECT format('GRANT UPDATE (%s) ON reports TO lafaek_app', string_agg(quote_ident(attname), ', '))
               FROM pg_attribute WHERE attrelid = 'reports'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
                AND attname NOT IN ('id', 'report_number', 'user_id', 'created_at', 'captured_at', 'created_offline', 'location_accuracy',
                                    'severity_guess', 'source'));
END
$$;
-- +goose StatementEnd
