-- +goose NO TRANSACTION
-- +goose Up

-- Each statement can run again: after a failure the deploy is repeated. Locks as in 00031.
SET lock_timeout = '5s';

-- The session that registered a device last. Push messages go to the device while this session is valid. When relay
-- deletes the session, 30 days after its end, the device goes too.
-- NULL: a function of an earlier version wrote the row, which goes on by the sessions of its account (functions/notify).
ALTER TABLE devices ADD COLUMN IF NOT EXISTS session_id uuid;
ALTER TABLE devices
    DROP CONSTRAINT IF EXISTS devices_session_fk,
    ADD CONSTRAINT devices_session_fk FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE NOT VALID;
ALTER TABLE devices VALIDATE CONSTRAINT devices_session_fk;
DROP INDEX CONCURRENTLY IF EXISTS devices_session_idx;
CREATE INDEX CONCURRENTLY devices_session_idx ON devices (session_id) WHERE session_id IS NOT NULL;

-- When a replaced token was exchanged again because the answer with its successor had been lost. It happens once.
ALTER TABLE refresh_tokens ADD COLUMN IF NOT EXISTS forgiven_at timestamptz;

-- second_factor: the person switched the second factor on in another session.
ALTER TABLE sessions
    DROP CONSTRAINT IF EXISTS sessions_revoked_reason_known,
    ADD CONSTRAINT sessions_revoked_reason_known CHECK (revoked_reason IN ('logout', 'refresh_token_reused', 'password_changed',
        'suspended', 'deleted', 'ended_by_owner', 'role_changed', 'too_many_sessions', 'second_factor')) NOT VALID;
ALTER TABLE sessions VALIDATE CONSTRAINT sessions_revoked_reason_known;

-- Sessions from before the second factor of their person was switched on. Functions of this version end them at once.
UPDATE sessions s SET revoked_at = now(), revoked_reason = 'second_factor' FROM users u
 WHERE u.id = s.user_id AND u.totp_confirmed_at IS NOT NULL AND s.second_factor_at IS NULL AND s.revoked_at IS NULL;
