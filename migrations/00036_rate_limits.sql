-- +goose Up

-- Budgets of requests that all instances of the functions share. They are counted here only while there is no cache.
-- A row is one budget of one person or network address. It is useless once full_at has passed; relay deletes it then.
-- The table is unlogged: a write does not wait for the disk, and after a crash of the server every budget is full.
-- fillfactor: an update stays on the page of its row (no index on full_at, for the same reason).
CREATE UNLOGGED TABLE IF NOT EXISTS rate_limits (
    key_hmac bytea       PRIMARY KEY, -- keyed hash of the class and of the person or address
    full_at  timestamptz NOT NULL     -- when the whole budget is available again
) WITH (fillfactor = 50);

GRANT SELECT, INSERT, UPDATE, DELETE ON rate_limits TO lafaek_app;
