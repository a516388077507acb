-- +goose Up

-- More of what the role of the functions may not change without an event of the public log. The checks run at the commit.
-- +goose StatementBegin
CREATE FUNCTION guard_gone() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    allowed boolean;
BEGIN
    IF current_user <> 'lafaek_app' THEN RETURN NULL; END IF; -- who owns the tables repairs and upgrades them
    CASE TG_NAME
    WHEN 'reports_words_guard' THEN -- a report whose words were erased gets no new ones, and no address
        allowed := EXISTS (SELECT FROM report_salts WHERE report_id = OLD.id AND seq = 1) OR ledger_erases_now(OLD.id, 1);
    WHEN 'report_comments_prior_guard' THEN -- a comment of an earlier version is removed by an event that has its id
        allowed := NEW.deleted_at IS NOT NULL AND EXISTS (
            SELECT FROM ledger_says_now(OLD.report_id, 'COMMENT_REMOVED') said WHERE said ->> 'comment_id' = OLD.id::text);
    END CASE;
    IF NOT allowed THEN
        RAISE EXCEPTION '% of % is not vouched for by the public log', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

CREATE CONSTRAINT TRIGGER reports_words_guard AFTER UPDATE OF title, description, issue_type_raw, address, street, suco, district, appeal_reason ON reports
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN ((OLD.title, OLD.description, OLD.issue_type_raw, OLD.address, OLD.street, OLD.suco, OLD.district, OLD.appeal_reason)
          IS DISTINCT FROM (NEW.title, NEW.description, NEW.issue_type_raw, NEW.address, NEW.street, NEW.suco, NEW.district, NEW.appeal_reason))
    EXECUTE FUNCTION guard_gone();
CREATE CONSTRAINT TRIGGER report_comments_prior_guard AFTER UPDATE OF deleted_at ON report_comments DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.deleted_at IS DISTINCT FROM NEW.deleted_at AND OLD.seq IS NULL) EXECUTE FUNCTION guard_gone();
