-- +goose Up

-- What a mailed code or link was mailed for, who asked for it, and which networks tried it.
-- Functions of the version before go on writing rows without these columns.
SET lock_timeout = '5s';

ALTER TABLE one_time_codes
    ADD COLUMN IF NOT EXISTS proves   bytea,
    ADD COLUMN IF NOT EXISTS asked_by bytea,
    ADD COLUMN IF NOT EXISTS tried_by bytea[],
    ADD COLUMN IF NOT EXISTS digits   smallint;

COMMENT ON COLUMN one_time_codes.proves IS
    'keyed hash of the address and the password hash that the code or link confirms; NULL where it confirms no password';
COMMENT ON COLUMN one_time_codes.asked_by IS 'keyed hash of the network that asked for the mail';
COMMENT ON COLUMN one_time_codes.tried_by IS
    'keyed hash of the network of each attempt, in their order; NULL for none. An attempt by the version before is counted in attempts alone';
COMMENT ON COLUMN one_time_codes.digits IS 'how many digits the code has: 6 (also for NULL), or 9 after many wrong codes on one day';

ALTER TABLE one_time_codes DROP CONSTRAINT IF EXISTS one_time_codes_purpose_known;
ALTER TABLE one_time_codes ADD CONSTRAINT one_time_codes_purpose_known
    CHECK (purpose IN ('registration', 'password_reset', 'verify_link', 'reset_link', 'email_code'));

-- How many addresses a network had mails sent to within the hour.
CREATE INDEX IF NOT EXISTS one_time_codes_asked_by_idx ON one_time_codes (asked_by, created_at) WHERE asked_by IS NOT NULL;
