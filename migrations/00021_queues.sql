-- +goose NO TRANSACTION
-- +goose Up

-- The queues of staff. These indexes hold open reports alone, so the time does not grow with what is done. CONCURRENTLY
-- as in 00018.
DROP INDEX CONCURRENTLY IF EXISTS reports_new_idx;
CREATE INDEX CONCURRENTLY reports_new_idx ON reports (created_at DESC, id DESC)
    WHERE deleted_at IS NULL AND status IN ('pending', 'verified') AND assigned_agency_id IS NULL
      AND ai_status NOT IN ('needs_review', 'failed');
DROP INDEX CONCURRENTLY IF EXISTS reports_assigned_idx;
CREATE INDEX CONCURRENTLY reports_assigned_idx ON reports (created_at DESC, id DESC)
    WHERE deleted_at IS NULL AND assigned_agency_id IS NOT NULL AND status IN ('pending', 'verified', 'in_progress');
DROP INDEX CONCURRENTLY IF EXISTS reports_overdue_idx;
CREATE INDEX CONCURRENTLY reports_overdue_idx ON reports (due_at)
    WHERE deleted_at IS NULL AND status IN ('pending', 'verified', 'in_progress');
DROP INDEX CONCURRENTLY IF EXISTS reports_due_idx;

-- How many people have an account, kept like statistics (00011). One statement creates and fills the tables, so that
-- somebody who signs up meanwhile is counted once.
-- +goose StatementBegin
DO $do$
BEGIN
    IF to_regclass('account_totals') IS NOT NULL THEN
        RETURN;
    END IF;
    CREATE TABLE account_totals (
        id       boolean PRIMARY KEY DEFAULT true,
        accounts bigint  NOT NULL,
        CONSTRAINT account_totals_one_row CHECK (id)
    );
    CREATE TABLE account_total_changes (
        accounts bigint NOT NULL -- +1 or -1
    );
    GRANT SELECT, INSERT, UPDATE, DELETE ON account_totals, account_total_changes TO lafaek_app;

    CREATE FUNCTION count_account() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        was integer := CASE WHEN TG_OP <> 'INSERT' AND OLD.email IS NOT NULL THEN 1 ELSE 0 END;
        is_ integer := CASE WHEN TG_OP <> 'DELETE' AND NEW.email IS NOT NULL THEN 1 ELSE 0 END;
    BEGIN
        IF was <> is_ THEN
            INSERT INTO account_total_changes VALUES (is_ - was);
        END IF;
        RETURN NULL;
    END
    $$;
    CREATE TRIGGER users_counted AFTER INSERT OR DELETE OR UPDATE OF email ON users
        FOR EACH ROW EXECUTE FUNCTION count_account();
    INSERT INTO account_totals (accounts) SELECT count(*) FROM users WHERE email IS NOT NULL;

    CREATE FUNCTION fold_account_totals() RETURNS void LANGUAGE sql AS $$
        WITH moved AS (DELETE FROM account_total_changes RETURNING accounts)
        UPDATE account_totals SET accounts = accounts + (SELECT sum(accounts) FROM moved) WHERE EXISTS (SELECT FROM moved)
    $$;
END
$do$;
-- +goose StatementEnd
