-- +goose Up

CREATE TABLE uploads (
    id           uuid PRIMARY KEY,
    user_id      uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    s3_key       text        NOT NULL,
    content_type text        NOT NULL,
    size_bytes   bigint      NOT NULL,
    sha256       bytea,      -- as the client stated it; the images worker compares it with the bytes
    -- issued: the bytes are awaited; stored: the bytes are there; processed: the renditions exist; refused: see refusal
    state        text        NOT NULL DEFAULT 'issued',
    refusal      text,
    width        integer,
    height       integer,
    blurhash     text,
    original_sha256  bytea,
    display_sha256   bytea,
    perceptual_hash  bigint,
    -- where and when the camera took the original, by its EXIF data; never public
    exif_latitude    double precision,
    exif_longitude   double precision,
    exif_taken_at    timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    processed_at timestamptz,
    attached_at  timestamptz,
    expires_at   timestamptz NOT NULL,
    CONSTRAINT uploads_state_known CHECK (state IN ('issued', 'stored', 'processed', 'refused')),
    CONSTRAINT uploads_size_bounded CHECK (size_bytes BETWEEN 1 AND 10485760)
);
CREATE UNIQUE INDEX uploads_s3_key_key ON uploads (s3_key);
CREATE INDEX uploads_orphans_idx ON uploads (expires_at) WHERE attached_at IS NULL;
CREATE INDEX uploads_original_sha256_idx ON uploads (original_sha256) WHERE original_sha256 IS NOT NULL;
CREATE INDEX uploads_perceptual_hash_idx ON uploads (perceptual_hash) WHERE perceptual_hash IS NOT NULL;
ALTER TABLE users ADD CONSTRAINT users_avatar_fk FOREIGN KEY (avatar_upload_id) REFERENCES uploads (id) ON DELETE SET NULL;

-- The last report number of each year. The transaction that creates the report locks the row, so no number is left out.
CREATE TABLE report_numbers (
    year integer PRIMARY KEY,
    last integer NOT NULL
);

CREATE TABLE reports (
    id                uuid PRIMARY KEY,
    report_number     text             NOT NULL,
    user_id           uuid REFERENCES users (id),
    client_id         uuid,
    content_hash      bytea            NOT NULL, -- of the request body: a repeated client_id with another hash is a conflict
    issue_type        text             NOT NULL,
    issue_type_raw    text,
    title             text             NOT NULL DEFAULT '',
    description       text             NOT NULL DEFAULT '',
    severity          text             NOT NULL DEFAULT 'medium',
    severity_rank     smallint         NOT NULL GENERATED ALWAYS AS
        (CASE severity WHEN 'low' THEN 1 WHEN 'medium' THEN 2 WHEN 'high' THEN 3 ELSE 4 END) STORED,
    severity_score    smallint,
    severity_guess    text,            -- what the reporter chose
    priority          text             NOT NULL DEFAULT 'medium',
    status            text             NOT NULL DEFAULT 'pending',
    rejection_reason  text,
    latitude          double precision NOT NULL,
    longitude         double precision NOT NULL,
    location_accuracy real,
    position          geography(Point, 4326) NOT NULL
        GENERATED ALWAYS AS (ST_SetSRID(ST_MakePoint(longitude, latitude), 4326)::geography) STORED,
    address           text,
    street            text,
    suco              text,
    district          text,
    municipality      text,
    municipality_code text,
    geocoded_at       timestamptz,
    geocode_source    text,
    assigned_agency_id uuid REFERENCES agencies (id),
    assigned_user_id  uuid REFERENCES users (id),
    assigned_at       timestamptz,
    due_at            timestamptz,
    duplicate_of      uuid REFERENCES reports (id),
    ai_status         text             NOT NULL DEFAULT 'queued',
    ai_analysis_id    uuid,            -- the newest that is completed
    blockchain_status text             NOT NULL DEFAULT 'queued',
    is_anonymous      boolean          NOT NULL DEFAULT false,
    created_offline   boolean          NOT NULL DEFAULT false,
    captured_at       timestamptz,
    device_info       jsonb,
    comments_count    integer          NOT NULL DEFAULT 0,
    appealed_at       timestamptz,
    appeal_reason     text,
    version           integer          NOT NULL DEFAULT 1,
    created_at        timestamptz      NOT NULL DEFAULT now(),
    updated_at        timestamptz      NOT NULL DEFAULT now(),
    verified_at       timestamptz,
    resolved_at       timestamptz,
    deleted_at        timestamptz,
    CONSTRAINT reports_latitude_in_range CHECK (latitude BETWEEN -90 AND 90),
    CONSTRAINT reports_longitude_in_range CHECK (longitude BETWEEN -180 AND 180),
    CONSTRAINT reports_status_known CHECK (status IN ('pending', 'verified', 'in_progress', 'fixed', 'rejected', 'duplicate')),
    CONSTRAINT reports_severity_known CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    CONSTRAINT reports_score_in_range CHECK (severity_score BETWEEN 1 AND 10),
    CONSTRAINT reports_ai_status_known CHECK (ai_status IN ('queued', 'processing', 'completed', 'rejected', 'needs_review', 'failed')),
    CONSTRAINT reports_blockchain_status_known CHECK (blockchain_status IN ('queued', 'submitting', 'submitted', 'confirmed', 'failed')),
    CONSTRAINT reports_duplicate_names_original CHECK ((status = 'duplicate') = (duplicate_of IS NOT NULL)),
    CONSTRAINT reports_not_its_own_duplicate CHECK (duplicate_of <> id)
);
CREATE UNIQUE INDEX reports_number_key ON reports (report_number);
CREATE UNIQUE INDEX reports_client_id_key ON reports (user_id, client_id) WHERE client_id IS NOT NULL;
CREATE INDEX reports_position_idx ON reports USING gist (position) WHERE deleted_at IS NULL;
-- In planar degrees, for the boxes of maps and tiles. Dropped by 00026.
CREATE INDEX reports_box_idx ON reports USING gist ((position::geometry)) WHERE deleted_at IS NULL;
CREATE INDEX reports_created_idx ON reports (created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX reports_updated_idx ON reports (updated_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX reports_status_idx ON reports (status, created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX reports_type_idx ON reports (issue_type, created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX reports_municipality_idx ON reports (municipality_code, created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX reports_severity_idx ON reports (severity_rank DESC, created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX reports_district_idx ON reports (lower(district), created_at DESC, id DESC) WHERE deleted_at IS NULL AND district IS NOT NULL;
CREATE INDEX reports_suco_idx ON reports (lower(suco), created_at DESC, id DESC) WHERE deleted_at IS NULL AND suco IS NOT NULL;
CREATE INDEX reports_user_idx ON reports (user_id, created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX reports_agency_idx ON reports (assigned_agency_id, status) WHERE deleted_at IS NULL AND assigned_agency_id IS NOT NULL;
CREATE INDEX reports_due_idx ON reports (due_at) WHERE deleted_at IS NULL AND due_at IS NOT NULL;
CREATE INDEX reports_duplicate_of_idx ON reports (duplicate_of) WHERE duplicate_of IS NOT NULL;
CREATE INDEX reports_review_idx ON reports (created_at, id) WHERE ai_status IN ('needs_review', 'failed') AND deleted_at IS NULL;
CREATE INDEX reports_text_idx ON reports USING gin ((title || ' ' || description || ' ' || coalesce(address, '')) gin_trgm_ops);

CREATE TABLE report_images (
    id          uuid PRIMARY KEY,
    report_id   uuid        NOT NULL REFERENCES reports (id),
    upload_id   uuid        NOT NULL REFERENCES uploads (id),
    kind        text        NOT NULL DEFAULT 'evidence',
    added_by    uuid REFERENCES users (id),
    created_at  timestamptz NOT NULL DEFAULT now(),
    deleted_at  timestamptz,
    CONSTRAINT report_images_kind_known CHECK (kind IN ('evidence', 'resolution'))
);
CREATE UNIQUE INDEX report_images_upload_key ON report_images (upload_id) WHERE deleted_at IS NULL;
CREATE INDEX report_images_report_idx ON report_images (report_id, created_at) WHERE deleted_at IS NULL;

CREATE TABLE report_status_history (
    id         uuid PRIMARY KEY,
    report_id  uuid        NOT NULL REFERENCES reports (id),
    old_status text,
    new_status text        NOT NULL,
    actor_kind text        NOT NULL, -- ai, else the role of the person
    actor_id   uuid REFERENCES users (id),
    agency_id  uuid REFERENCES agencies (id),
    note       text,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX report_status_history_report_idx ON report_status_history (report_id, created_at);

CREATE TABLE report_comments (
    id         uuid PRIMARY KEY,
    report_id  uuid        NOT NULL REFERENCES reports (id),
    author_id  uuid REFERENCES users (id),
    client_id  uuid,
    content    text        NOT NULL,
    is_official boolean    NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz
);
CREATE INDEX report_comments_report_idx ON report_comments (report_id, created_at, id) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX report_comments_client_id_key ON report_comments (author_id, client_id) WHERE client_id IS NOT NULL;

-- Notes of staff for staff; never public.
CREATE TABLE report_notes (
    id         uuid PRIMARY KEY,
    report_id  uuid        NOT NULL REFERENCES reports (id),
    author_id  uuid REFERENCES users (id),
    content    text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX report_notes_report_idx ON report_notes (report_id, created_at, id);

-- People who are notified of a report's progress besides its reporter: the reporters of its duplicates.
CREATE TABLE report_followers (
    report_id  uuid        NOT NULL REFERENCES reports (id) ON DELETE CASCADE,
    user_id    uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    via_report uuid        NOT NULL REFERENCES reports (id) ON DELETE CASCADE, -- their report, which is the duplicate
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (report_id, via_report)
);
CREATE INDEX report_followers_via_idx ON report_followers (via_report);
CREATE INDEX report_followers_user_idx ON report_followers (user_id);

-- Calls of a model and what came of them; all rows of one run share run_id. The functions add rows and change none.
CREATE TABLE ai_analyses (
    id              uuid PRIMARY KEY,
    report_id       uuid        NOT NULL REFERENCES reports (id),
    image_id        uuid REFERENCES report_images (id),
    run_id          uuid        NOT NULL,
    stage           text        NOT NULL, -- the call; verdict: the outcome of a run, which readers are shown; override: by a person
    model           text        NOT NULL,
    prompt_version  text        NOT NULL,
    input_hash      bytea       NOT NULL,
    status          text        NOT NULL, -- of a call: completed or failed; of a verdict also rejected or needs_review
    is_relevant     boolean,
    relevance_confidence real,
    relevance_reason text,
    damage_type     text,
    issue_type      text,
    severity        text,
    severity_score  smallint,
    confidence      real,
    title           text,
    description     text,
    recommended_repair text,
    repair_urgency  text,
    hazards         text[]      NOT NULL DEFAULT '{}',
    raw             jsonb,
    error           text,
    latency_ms      integer     NOT NULL DEFAULT 0,
    input_tokens    integer     NOT NULL DEFAULT 0,
    output_tokens   integer     NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ai_analyses_report_idx ON ai_analyses (report_id, created_at DESC);
CREATE INDEX ai_analyses_created_idx ON ai_analyses (created_at);

CREATE TABLE report_embeddings (
    image_id   uuid NOT NULL REFERENCES report_images (id) ON DELETE CASCADE,
    report_id  uuid NOT NULL REFERENCES reports (id) ON DELETE CASCADE,
    model      text NOT NULL,
    embedding  vector(1024) NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (image_id, model)
);
CREATE INDEX report_embeddings_report_idx ON report_embeddings (report_id);

-- Reports that may be the same, as the validate worker found. Staff decide.
CREATE TABLE duplicate_candidates (
    report_id       uuid NOT NULL REFERENCES reports (id) ON DELETE CASCADE,
    candidate_id    uuid NOT NULL REFERENCES reports (id) ON DELETE CASCADE,
    similarity      real,
    distance_meters real NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (report_id, candidate_id)
);

GRANT SELECT, INSERT, UPDATE ON reports, report_numbers TO lafaek_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON uploads, report_images, report_comments, report_followers, report_embeddings,
    duplicate_candidates TO lafaek_app;
GRANT SELECT, INSERT ON report_status_history, report_notes, ai_analyses TO lafaek_app;
