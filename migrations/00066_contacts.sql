-- +goose Up
SET LOCAL lock_timeout = '5s';

-- Staff file reports for somebody. client_id is that of the request: reports.client_id is the reporter's own.
ALTER TABLE report_contacts ADD COLUMN client_id uuid;
CREATE UNIQUE INDEX report_contacts_client_key ON report_contacts (filed_by, client_id) WHERE client_id IS NOT NULL;
CREATE INDEX report_contacts_filed_idx ON report_contacts (filed_by, created_at);
CREATE INDEX report_contacts_created_idx ON report_contacts (created_at);

-- A report without an author gets one: the person who confirmed the address of the contact. Nothing else changes the author, and
-- the change has its event in the same transaction.
-- +goose StatementBegin
CREATE FUNCTION guard_author() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF current_user <> 'lafaek_app' THEN RETURN NULL; END IF; -- who owns the tables repairs and upgrades them
    IF OLD.user_id IS NULL AND EXISTS (SELECT FROM ledger_says_now(NEW.id, 'CONTENT_AMENDED')) AND EXISTS (
        SELECT FROM report_contacts c JOIN users u ON u.email = c.email
         WHERE c.report_id = NEW.id AND c.claimed_at IS NOT NULL AND u.id = NEW.user_id AND u.email_verified_at IS NOT NULL AND u.deleted_at IS NULL)
    THEN RETURN NULL; END IF;
    RAISE EXCEPTION 'author of a report without its contact and its event in the public log' USING ERRCODE = 'insufficient_privilege';
END
$$;
-- +goose StatementEnd
CREATE CONSTRAINT TRIGGER reports_author_guard AFTER UPDATE OF user_id ON reports DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.user_id IS DISTINCT FROM NEW.user_id) EXECUTE FUNCTION guard_author();
GRANT UPDATE (user_id) ON reports TO lafaek_app;
