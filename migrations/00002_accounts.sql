-- +goose Up

-- People. Erasing a person clears every personal column and keeps the row, so that the references of reports, history
-- and the ledger stay valid.
CREATE TABLE users (
    id                  uuid PRIMARY KEY,
    email               citext,
    email_verified_at   timestamptz,
    password_hash       text,
    google_subject      text,
    full_name           text        NOT NULL DEFAULT '',
    phone_number        text,
    country             text,
    instagram           text,
    share_contact       boolean     NOT NULL DEFAULT false,
    avatar_upload_id    uuid,
    role                text        NOT NULL DEFAULT 'citizen',
    agency_id           uuid,
    preferred_language  text        NOT NULL DEFAULT 'en',
    notification_prefs  jsonb       NOT NULL DEFAULT '{}',
    suspended_at        timestamptz,
    suspended_reason    text,
    totp_secret         bytea,      -- encrypted
    totp_pending        bytea,      -- encrypted; becomes totp_secret when the person has entered a code of it
    totp_confirmed_at   timestamptz,
    totp_last_step      bigint,     -- last time step of which a code was accepted; none is accepted twice
    reports_count       integer     NOT NULL DEFAULT 0,
    fixed_reports_count integer     NOT NULL DEFAULT 0,
    last_login_at       timestamptz,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    deleted_at          timestamptz,
    CONSTRAINT users_role_known CHECK (role IN ('citizen', 'moderator', 'government_official', 'admin')),
    CONSTRAINT users_language_known CHECK (preferred_language IN ('tet', 'pt', 'en')),
    CONSTRAINT users_erased_has_no_email CHECK (deleted_at IS NULL OR email IS NULL),
    CONSTRAINT users_living_has_email CHECK (deleted_at IS NOT NULL OR email IS NOT NULL)
);
CREATE UNIQUE INDEX users_email_key ON users (email) WHERE email IS NOT NULL;
CREATE UNIQUE INDEX users_google_subject_key ON users (google_subject) WHERE google_subject IS NOT NULL;
CREATE INDEX users_role_idx ON users (role) WHERE role <> 'citizen';
CREATE INDEX users_text_idx ON users USING gin ((full_name || ' ' || coalesce(email::text, '')) gin_trgm_ops) WHERE deleted_at IS NULL;

-- One row for each sign-in.
CREATE TABLE sessions (
    id               uuid PRIMARY KEY,
    user_id          uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device_id        text,
    platform         text,
    app_version      text,
    os_version       text,
    model            text,
    second_factor_at timestamptz,
    created_at       timestamptz NOT NULL DEFAULT now(),
    last_used_at     timestamptz NOT NULL DEFAULT now(),
    expires_at       timestamptz NOT NULL,
    revoked_at       timestamptz,
    revoked_reason   text
);
CREATE INDEX sessions_user_idx ON sessions (user_id, created_at DESC);
CREATE INDEX sessions_expires_idx ON sessions (expires_at);

-- The refresh tokens of a session, stored as hashes. Each is replaced once, by its successor. A replaced token that is
-- used again revokes the session, unless it is used so soon that the answer with the successor may have been lost.
CREATE TABLE refresh_tokens (
    token_hash  bytea PRIMARY KEY,
    session_id  uuid        NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    parent_hash bytea,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    replaced_at timestamptz,
    -- the successor, encrypted, for as long as a lost answer may be asked for again
    successor   bytea
);
CREATE INDEX refresh_tokens_session_idx ON refresh_tokens (session_id);

-- One-time codes of six digits. Code and e-mail address are kept as HMACs. An address without an account gets a row
-- (decoy) that no code matches, so that both kinds of address behave alike. Mailed links have rows too: they count how
-- often mail is sent to an address.
CREATE TABLE one_time_codes (
    id          uuid PRIMARY KEY,
    address_hmac bytea      NOT NULL,
    purpose     text        NOT NULL,
    code_hmac   bytea       NOT NULL,
    decoy       boolean     NOT NULL DEFAULT false,
    attempts    integer     NOT NULL DEFAULT 0,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    consumed_at timestamptz,
    CONSTRAINT one_time_codes_purpose_known CHECK (purpose IN ('registration', 'password_reset', 'verify_link', 'reset_link'))
);
CREATE INDEX one_time_codes_newest_idx ON one_time_codes (address_hmac, purpose, created_at DESC);
CREATE INDEX one_time_codes_expires_idx ON one_time_codes (expires_at);

-- Failed sign-ins by subject: an HMAC of e-mail address and network, or of a person's second factor.
CREATE TABLE login_failures (
    subject_hmac bytea PRIMARY KEY,
    failures     integer     NOT NULL,
    first_at     timestamptz NOT NULL,
    locked_until timestamptz
);
CREATE INDEX login_failures_age_idx ON login_failures (first_at);

-- Sign-ins whose password was right and whose second factor is still to come.
CREATE TABLE login_challenges (
    id         uuid PRIMARY KEY,
    user_id    uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device     jsonb       NOT NULL DEFAULT '{}',
    attempts   integer     NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    consumed_at timestamptz
);

CREATE TABLE recovery_codes (
    user_id   uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    code_hmac bytea       NOT NULL,
    used_at   timestamptz,
    PRIMARY KEY (user_id, code_hmac)
);

-- Installations of the app, to which push messages go. fcm_token belongs to the person who signed in last on the phone.
CREATE TABLE devices (
    user_id     uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device_id   text        NOT NULL,
    platform    text        NOT NULL,
    app_version text,
    os_version  text,
    model       text,
    fcm_token   text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, device_id),
    CONSTRAINT devices_platform_known CHECK (platform IN ('android', 'ios', 'web'))
);
CREATE UNIQUE INDEX devices_fcm_token_key ON devices (fcm_token) WHERE fcm_token IS NOT NULL;

CREATE TABLE agencies (
    id                 uuid PRIMARY KEY,
    code               text        NOT NULL,
    name               text        NOT NULL,
    name_tet           text        NOT NULL DEFAULT '',
    name_pt            text        NOT NULL DEFAULT '',
    agency_type        text        NOT NULL,
    municipality_codes text[]      NOT NULL DEFAULT '{}',
    issue_types        text[]      NOT NULL DEFAULT '{}',
    contact_email      citext,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    deleted_at         timestamptz,
    CONSTRAINT agencies_type_known CHECK (agency_type IN ('municipal', 'national', 'contractor'))
);
CREATE UNIQUE INDEX agencies_code_key ON agencies (code) WHERE deleted_at IS NULL;
ALTER TABLE users ADD CONSTRAINT users_agency_fk FOREIGN KEY (agency_id) REFERENCES agencies (id);

-- What staff and administrators did, and when. Append-only: by grant and by trigger.
CREATE TABLE audit_log (
    id         uuid PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT now(),
    actor_id   uuid,
    actor_role text        NOT NULL,
    action     text        NOT NULL,
    entity     text        NOT NULL,
    entity_id  text        NOT NULL,
    before     jsonb,
    after      jsonb,
    request_id text
);
CREATE INDEX audit_log_at_idx ON audit_log (at DESC, id DESC);
CREATE INDEX audit_log_entity_idx ON audit_log (entity, entity_id, at DESC);
CREATE INDEX audit_log_actor_idx ON audit_log (actor_id, at DESC);

CREATE TABLE app_settings (
    key        text PRIMARY KEY,
    value      jsonb       NOT NULL,
    updated_by uuid,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- +goose StatementBegin
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is not allowed: the table is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;
-- +goose StatementEnd
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT, UPDATE, DELETE ON users, sessions, refresh_tokens, one_time_codes, login_failures,
    login_challenges, recovery_codes, devices, agencies, app_settings TO lafaek_app;
GRANT SELECT, INSERT ON audit_log TO lafaek_app;
