-- +goose NO TRANSACTION
-- +goose Up

-- Erasing a person blanks their words in the audit log and in what the AI said about their reports. Each statement can run
-- again: after a failure the deploy is repeated.
SET lock_timeout = '5s';

-- without_words returns an entry's before or after with empty texts in the members that people write freely.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION without_words(entry jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT entry || coalesce((SELECT jsonb_object_agg(m.key, ''::text) FROM jsonb_each(entry) m
        WHERE m.key IN ('title', 'description', 'issue_type_raw', 'address', 'reason', 'note') AND jsonb_typeof(m.value) = 'string'), '{}')
$$;
-- +goose StatementEnd

-- The audit log stays append-only. The one change that is allowed to a row is without_words, of all of it.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - 'before' - 'after' IS DISTINCT FROM to_jsonb(OLD) - 'before' - 'after'
       OR NEW.before IS DISTINCT FROM without_words(OLD.before) OR NEW.after IS DISTINCT FROM without_words(OLD.after) THEN
        RAISE EXCEPTION '% on % is not allowed: the table is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE OR REPLACE TRIGGER audit_log_words_only BEFORE UPDATE ON audit_log FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE OR REPLACE TRIGGER audit_log_append_only BEFORE DELETE OR TRUNCATE ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT UPDATE (before, after) ON audit_log TO lafaek_app;

GRANT UPDATE (title, description, relevance_reason, recommended_repair, hazards, raw, error) ON ai_analyses TO lafaek_app;

-- Everybody's notifications of one comment, for the erasure of its author.
DROP INDEX CONCURRENTLY IF EXISTS notifications_comment_idx;
CREATE INDEX CONCURRENTLY notifications_comment_idx ON notifications (event_key) WHERE type = 'comment_added';
