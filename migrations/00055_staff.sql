-- +goose Up
SET LOCAL lock_timeout = '5s';

-- What the work of staff needs: content that is hidden, flags, agencies with an area, deadlines that pause, disputes, people who
-- follow and confirm, invitations, templates, announcements, alerts.

-- Words, pictures and comments that others do not see. hidden says who hid them: a moderator, or the flags of several people
-- until a moderator has looked. NULL is shown. moderated_at is when a moderator last verified, showed or dismissed it: flags
-- hide it again only after its content changed, which makes this NULL.
ALTER TABLE reports
    ADD COLUMN words_hidden        text,
    ADD COLUMN words_hidden_reason text,
    ADD COLUMN moderated_at        timestamptz,
    ADD COLUMN flags_count         integer  NOT NULL DEFAULT 0, -- open ones, of the report and of its comments
    ADD COLUMN confirmations_count integer  NOT NULL DEFAULT 0,
    ADD COLUMN followers_count     integer  NOT NULL DEFAULT 0, -- rows of report_follows
    ADD COLUMN due_paused_at       timestamptz,                 -- handed back: the deadline waits for the next assignment
    ADD COLUMN overdue_told        smallint NOT NULL DEFAULT 0, -- 1: the person and the agency; 2: the administrators too
    ADD COLUMN disputed_at         timestamptz,                 -- the last dispute
    ADD COLUMN removed_at          timestamptz,                 -- rejected, withdrawn or removed since; NULL while it is none of these
    ADD COLUMN removed_by          text,
    ADD CONSTRAINT reports_words_hidden_known CHECK (words_hidden IN ('moderator', 'flags')),
    ADD CONSTRAINT reports_words_hidden_reason_known CHECK (words_hidden_reason IN
        ('irrelevant', 'offensive', 'personal_data', 'duplicate_spam', 'unsafe', 'other')),
    ADD CONSTRAINT reports_removed_by_known CHECK (removed_by IN ('reporter', 'ai', 'moderator', 'admin'));
GRANT UPDATE (words_hidden, words_hidden_reason, moderated_at, flags_count, confirmations_count, followers_count, due_paused_at,
    overdue_told, disputed_at, removed_at, removed_by) ON reports TO lafaek_app;

ALTER TABLE report_comments
    ADD COLUMN hidden        text,
    ADD COLUMN hidden_reason text,
    ADD COLUMN moderated_at  timestamptz,
    ADD CONSTRAINT report_comments_hidden_known CHECK (hidden IN ('moderator', 'flags')),
    ADD CONSTRAINT report_comments_hidden_reason_known CHECK (hidden_reason IN
        ('irrelevant', 'offensive', 'personal_data', 'duplicate_spam', 'unsafe', 'other'));
GRANT UPDATE (hidden, hidden_reason, moderated_at) ON report_comments TO lafaek_app;

-- A picture of kind dispute shows that a repair is not done. It is judged like evidence.
ALTER TABLE report_images
    ADD COLUMN hidden        text,
    ADD COLUMN hidden_reason text,
    ADD COLUMN boxes         jsonb, -- what was made black, as fractions of the picture: [{x, y, width, height}]; NULL for none
    ADD CONSTRAINT report_images_hidden_known CHECK (hidden IN ('moderator', 'flags')),
    ADD CONSTRAINT report_images_hidden_reason_known CHECK (hidden_reason IN
        ('irrelevant', 'offensive', 'personal_data', 'duplicate_spam', 'unsafe', 'other')),
    DROP CONSTRAINT report_images_kind_known,
    ADD CONSTRAINT report_images_kind_known CHECK (kind IN ('evidence', 'resolution', 'dispute')) NOT VALID;
ALTER TABLE report_images VALIDATE CONSTRAINT report_images_kind_known;

-- The renditions are stored under a new name each time they are made again or taken out of public reach. 0 has the names of before.
ALTER TABLE uploads ADD COLUMN generation integer NOT NULL DEFAULT 0;

-- Somebody says that a report, or one of its comments, should not be shown.
CREATE TABLE report_flags (
    id          uuid PRIMARY KEY,
    report_id   uuid        NOT NULL REFERENCES reports (id),
    comment_id  uuid        REFERENCES report_comments (id), -- NULL: the report
    user_id     uuid        REFERENCES users (id),           -- NULL once the person is erased
    reason_code text        NOT NULL,
    note        text,
    counted     boolean     NOT NULL, -- towards the number that hides: not from a new account, nor from somebody whose flags are dismissed
    created_at  timestamptz NOT NULL DEFAULT now(),
    settled_at  timestamptz,          -- NULL while it is open
    outcome     text,
    settled_by  uuid        REFERENCES users (id),
    CONSTRAINT report_flags_reason_code_known CHECK (reason_code IN
        ('irrelevant', 'offensive', 'personal_data', 'duplicate_spam', 'unsafe', 'other')),
    CONSTRAINT report_flags_outcome_known CHECK (outcome IN ('upheld', 'dismissed'))
);
CREATE UNIQUE INDEX report_flags_open_key ON report_flags (report_id, coalesce(comment_id, report_id), user_id) WHERE settled_at IS NULL;
CREATE INDEX report_flags_user_idx ON report_flags (user_id, settled_at);

-- Who wants to hear of a report. The reporters of its duplicates are in report_followers.
CREATE TABLE report_follows (
    report_id  uuid        NOT NULL REFERENCES reports (id) ON DELETE CASCADE,
    user_id    uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (report_id, user_id)
);
CREATE INDEX report_follows_user_idx ON report_follows (user_id);

-- Who saw the problem too.
CREATE TABLE report_confirmations (
    report_id  uuid        NOT NULL REFERENCES reports (id) ON DELETE CASCADE,
    user_id    uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (report_id, user_id)
);
CREATE INDEX report_confirmations_user_idx ON report_confirmations (user_id);

-- Who said that a repair was not done. The event with seq is its DISPUTED.
CREATE TABLE report_disputes (
    id           uuid PRIMARY KEY,
    report_id    uuid        NOT NULL REFERENCES reports (id),
    user_id      uuid        REFERENCES users (id),           -- NULL once the person is erased
    fixed_at     timestamptz NOT NULL,                        -- reports.resolved_at that it disputes
    on_behalf_of boolean     NOT NULL DEFAULT false,          -- by staff, on the word of whom they filed the report for
    comment_id   uuid        REFERENCES report_comments (id), -- its note
    image_id     uuid        REFERENCES report_images (id),   -- its picture
    seq          integer     NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX report_disputes_key ON report_disputes (report_id, user_id, fixed_at);
CREATE INDEX report_disputes_user_idx ON report_disputes (user_id);

-- Where an agency works, narrower than its municipalities; NULL for all of them.
ALTER TABLE agencies ADD COLUMN area geometry(MultiPolygon, 4326);

-- Whom staff filed a report for. relay deletes the row 24 months after the report was closed.
CREATE TABLE report_contacts (
    report_id          uuid PRIMARY KEY REFERENCES reports (id),
    filed_by           uuid        REFERENCES users (id),
    full_name          text,
    phone_number       text,
    email              citext,
    preferred_language text        NOT NULL DEFAULT 'tet',
    muted_at           timestamptz, -- the person unsubscribed
    claimed_at         timestamptz, -- the person confirmed the address and is the reporter since
    created_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT report_contacts_preferred_language_known CHECK (preferred_language IN ('tet', 'pt', 'en'))
);
CREATE INDEX report_contacts_email_idx ON report_contacts (email) WHERE email IS NOT NULL AND claimed_at IS NULL;

-- Who was invited. The role takes effect when the link or a mailed code is used; the row then goes.
CREATE TABLE invitations (
    user_id    uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    role       text        NOT NULL,
    agency_id  uuid        REFERENCES agencies (id),
    full_name  text        NOT NULL,
    token_hmac bytea       NOT NULL, -- of the newest link
    expires_at timestamptz NOT NULL,
    invited_by uuid        REFERENCES users (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT invitations_role_known CHECK (role IN ('citizen', 'moderator', 'government_official', 'admin'))
);

-- Texts that staff send often, in three languages.
CREATE TABLE staff_templates (
    id         uuid PRIMARY KEY,
    title      text        NOT NULL,
    status     text,
    issue_type text,
    body_tet   text        NOT NULL DEFAULT '',
    body_pt    text        NOT NULL DEFAULT '',
    body_en    text        NOT NULL DEFAULT '',
    created_by uuid        REFERENCES users (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    CONSTRAINT staff_templates_status_known CHECK (status IN ('pending', 'verified', 'in_progress', 'fixed', 'rejected', 'duplicate')),
    CONSTRAINT staff_templates_issue_type_known CHECK (issue_type IN ('pothole', 'road_damage', 'flooding', 'drainage', 'street_light',
        'traffic_sign', 'bridge', 'sidewalk', 'debris', 'waste', 'water_supply', 'other'))
);

-- Announcements to people. relay sends them in parts: sent_to is the last person who has it.
CREATE TABLE announcements (
    id                uuid PRIMARY KEY,
    title             jsonb       NOT NULL, -- {tet, pt, en}
    body              jsonb       NOT NULL,
    municipality_code text,                 -- NULL for everybody
    created_by        uuid        REFERENCES users (id),
    created_at        timestamptz NOT NULL DEFAULT now(),
    sent_to           uuid,
    sent_count        integer     NOT NULL DEFAULT 0,
    finished_at       timestamptz
);

-- Places about which a person wants to hear.
CREATE TABLE alerts (
    id                uuid PRIMARY KEY,
    user_id           uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    latitude          double precision, -- degrees WGS 84; NULL with municipality_code
    longitude         double precision,
    radius_meters     integer,
    municipality_code text,
    issue_types       text[]      NOT NULL DEFAULT '{}', -- empty for all
    events            text[]      NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT alerts_issue_types_known CHECK (issue_types <@ ARRAY['pothole', 'road_damage', 'flooding', 'drainage', 'street_light',
        'traffic_sign', 'bridge', 'sidewalk', 'debris', 'waste', 'water_supply', 'other']),
    CONSTRAINT alerts_events_known CHECK (events <@ ARRAY['new', 'fixed']),
    CONSTRAINT alerts_one_place CHECK ((municipality_code IS NULL) = (latitude IS NOT NULL AND longitude IS NOT NULL AND radius_meters IS NOT NULL)),
    CONSTRAINT alerts_radius_in_range CHECK (radius_meters BETWEEN 1 AND 20000)
);
CREATE INDEX alerts_user_idx ON alerts (user_id);
CREATE INDEX alerts_municipality_idx ON alerts (municipality_code) WHERE municipality_code IS NOT NULL;
CREATE INDEX alerts_place_idx ON alerts USING gist ((ST_SetSRID(ST_MakePoint(longitude, latitude), 4326)::geography)) WHERE latitude IS NOT NULL;

-- Mails of which a person gets one a day: the digest of staff, the alerts. relay deletes a row after some days.
CREATE TABLE daily_mails (
    user_id    uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind       text        NOT NULL,
    day        date        NOT NULL, -- in Dili
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, kind, day),
    CONSTRAINT daily_mails_kind_known CHECK (kind IN ('digest', 'alerts'))
);

GRANT SELECT, INSERT, UPDATE, DELETE ON report_flags, report_follows, report_confirmations, report_disputes, report_contacts, invitations,
    staff_templates, announcements, alerts, daily_mails TO lafaek_app;

ALTER TABLE notifications
    DROP CONSTRAINT notifications_type_known,
    ADD CONSTRAINT notifications_type_known CHECK (type IN ('report_received', 'report_verified', 'report_rejected', 'report_removed',
        'report_edited', 'report_status_changed', 'report_fixed', 'report_disputed', 'report_assigned', 'report_overdue', 'report_duplicate',
        'comment_added', 'blockchain_confirmed', 'alert', 'announcement')) NOT VALID;
ALTER TABLE notifications VALIDATE CONSTRAINT notifications_type_known;
