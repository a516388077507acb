-- +goose Up

-- A request with an Idempotency-Key has two hashes. request_hash is that of the body's text and stays as it was: functions
-- of the version before read and write it alone, while both versions run and after a rollback. value_hash is that of the
-- body as a JSON value, together with request_hash. It is NULL in rows of the version before. When that version takes an
-- expired key over, it replaces request_hash alone: the value_hash that is left then matches no request.
--
-- The column has no default, so no row is rewritten. The lock is ACCESS EXCLUSIVE, for a moment.
SET LOCAL lock_timeout = '5s';
ALTER TABLE idempotency_keys ADD COLUMN IF NOT EXISTS value_hash bytea;
