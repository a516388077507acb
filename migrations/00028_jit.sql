-- +goose Up

-- JIT compilation makes none of our queries faster, and where the planner chooses it, it takes a tenth of a second. A
-- setting of the database also holds for connections through a pooler, which passes on no settings of a connection. If
-- this role may not set it, nothing changes.
-- +goose StatementBegin
DO $$
BEGIN
    EXECUTE format('ALTER DATABASE %I SET jit = off', current_database());
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'jit stays as it is: only the owner of the database may set it';
END
$$;
-- +goose StatementEnd
