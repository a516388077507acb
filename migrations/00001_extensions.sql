-- +goose Up
CREATE EXTENSION IF NOT EXISTS postgis;
CREATE EXTENSION IF NOT EXISTS vector;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS citext;

-- The functions work in the role lafaek_app, which owns nothing: no query of theirs can change the schema or rewrite the
-- append-only tables. Roles belong to the whole cluster, so two databases that migrate at once may both create it.
-- +goose StatementBegin
DO $$
BEGIN
    CREATE ROLE lafaek_app NOLOGIN;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;
-- +goose StatementEnd

-- On a managed database the owner is no superuser. It may use SET ROLE only for a role that was granted to it.
-- +goose StatementBegin
DO $$
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        GRANT lafaek_app TO CURRENT_USER;
    END IF;
END
$$;
-- +goose StatementEnd
