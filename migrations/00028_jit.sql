-- +goose Up

-- Compiling a statement pays off in no query of ours, and the planner, which thinks it does, spends a tenth of a second
-- on it. A setting of the database reaches whoever connects, also by way of a pooler that passes none on. Where the
-- database is not ours to set, it stays as it is.
-- +goose StatementBegin
DO $$
BEGIN
    EXECUTE format('ALTER DATABASE %I SET jit = off', current_database());
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'jit stays as it is: only the owner of the database may set it';
END
$$;
-- +goose StatementEnd
