-- +goose Up

-- Each attempt to redact a picture writes renditions of its own. Functions of before do not know the column: they use generation.
SET LOCAL lock_timeout = '5s';
ALTER TABLE uploads ADD COLUMN IF NOT EXISTS generation_taken integer;
COMMENT ON COLUMN uploads.generation_taken IS 'The newest generation that an attempt to redact has taken. NULL for none. Only generation is shown';
