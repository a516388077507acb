-- +goose Up
CREATE EXTENSION IF NOT EXISTS postgis;
CREATE EXTENSION IF NOT EXISTS vector;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS citext;

-- The functions work as lafaek_app, which owns nothing: a fault in a query can neither change the schema nor rewrite
-- the append-only tables. Roles belong to the whole cluster, so two databases migrated at once may race here.
-- +goose StatementBegin
DO $$
BEGIN
    CREATE ROLE lafaek_app NOLOGIN;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;
-- +goose StatementEnd

-- Managed databases give no superuser: there the owner may take on a role only after it has granted it to itself.
-- +goose StatementBegin
DO $$
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        GRANT lafaek_app TO CURRENT_USER;
    END IF;
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP EXTENSION IF EXISTS citext;
DROP EXTENSION IF EXISTS pg_trgm;
DROP EXTENSION IF EXISTS vector;
DROP EXTENSION IF EXISTS postgis;
