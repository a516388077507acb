-- +goose Up

-- Where others see a planned point: the middle of its cell in a grid of about blur_m metres. Writing the point again does
-- not move the cell, so many readings tell no more than one. 0 shows the point itself.
CREATE FUNCTION shown_latitude(lat double precision, blur_m integer) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE blur_m WHEN 0 THEN lat
           ELSE greatest(-90, least(90, (floor(lat * 111195.0 / blur_m) + 0.5) * blur_m / 111195.0)) END;
-- A degree of longitude shrinks towards the poles, and with it the cell grows in degrees.
CREATE FUNCTION cell_width(lat double precision, blur_m integer) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN blur_m / 111195.0 / greatest(0.01, cos(radians(shown_latitude(lat, blur_m))));
CREATE FUNCTION shown_longitude(lon double precision, lat double precision, blur_m integer) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE blur_m WHEN 0 THEN lon
           ELSE greatest(-180, least(180, (floor(lon / cell_width(lat, blur_m)) + 0.5) * cell_width(lat, blur_m))) END;

CREATE TABLE journeys (
    id               uuid PRIMARY KEY,
    user_id          uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name             text        NOT NULL,
    description      text        NOT NULL DEFAULT '',
    active           boolean     NOT NULL DEFAULT false,
    completed        boolean     NOT NULL DEFAULT false,
    visibility       text        NOT NULL DEFAULT 'public',
    -- width in metres of the cells in which others see the planned points; 0 is exact
    plan_precision_m integer     NOT NULL DEFAULT 0,
    version          integer     NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT journeys_owner_key UNIQUE (id, user_id),
    CONSTRAINT journeys_name_bounded CHECK (char_length(name) BETWEEN 1 AND 200),
    CONSTRAINT journeys_description_bounded CHECK (char_length(description) <= 2000),
    CONSTRAINT journeys_visibility_known CHECK (visibility IN ('public', 'private')),
    CONSTRAINT journeys_precision_in_range CHECK (plan_precision_m BETWEEN 0 AND 50000),
    CONSTRAINT journeys_completed_rests CHECK (NOT (active AND completed))
);
CREATE UNIQUE INDEX journeys_one_active_key ON journeys (user_id) WHERE active;
CREATE INDEX journeys_user_idx ON journeys (user_id, created_at DESC, id DESC);

CREATE TABLE markers (
    id             uuid PRIMARY KEY,
    journey_id     uuid             NOT NULL,
    owner_id       uuid             NOT NULL,
    name           text             NOT NULL,
    marker_type    text             NOT NULL,
    lon            double precision NOT NULL, -- degrees, WGS 84
    lat            double precision NOT NULL,
    blur_m         integer          NOT NULL DEFAULT 0, -- the journey's plan_precision_m for a planned marker, else 0
    -- PostGIS turns a latitude of 120 into 60 with only a notice, so the range is checked on lon and lat.
    position       geography(Point, 4326) NOT NULL
        GENERATED ALWAYS AS (ST_SetSRID(ST_MakePoint(lon, lat), 4326)::geography) STORED,
    -- what everybody but the owner sees and finds
    shown          geography(Point, 4326) NOT NULL
        GENERATED ALWAYS AS (ST_SetSRID(ST_MakePoint(shown_longitude(lon, lat, blur_m), shown_latitude(lat, blur_m)), 4326)::geography) STORED,
    happened_on    date,
    planned_on     date,
    notes          text             NOT NULL DEFAULT '',
    version        integer          NOT NULL DEFAULT 1,
    created_at     timestamptz      NOT NULL DEFAULT now(),
    updated_at     timestamptz      NOT NULL DEFAULT now(),
    -- The owner of a marker is the owner of its journey. Deleting either deletes the marker.
    CONSTRAINT markers_journey_fk FOREIGN KEY (journey_id, owner_id) REFERENCES journeys (id, user_id) ON DELETE CASCADE,
    CONSTRAINT markers_name_bounded CHECK (char_length(name) BETWEEN 1 AND 200),
    CONSTRAINT markers_notes_bounded CHECK (char_length(notes) <= 5000),
    CONSTRAINT markers_type_known CHECK (marker_type IN ('past', 'plan')),
    -- NaN is greater than every number in PostgreSQL, so it fails these.
    CONSTRAINT markers_longitude_in_range CHECK (lon BETWEEN -180 AND 180),
    CONSTRAINT markers_latitude_in_range CHECK (lat BETWEEN -90 AND 90),
    CONSTRAINT markers_past_is_exact CHECK (blur_m >= 0 AND (marker_type = 'plan' OR blur_m = 0)),
    CONSTRAINT markers_date_fits_type CHECK (CASE marker_type WHEN 'past' THEN planned_on ELSE happened_on END IS NULL)
);
CREATE INDEX markers_journey_idx ON markers (journey_id, created_at, id);
CREATE INDEX markers_owner_idx ON markers (owner_id);
CREATE INDEX markers_shown_idx ON markers USING gist (shown);

-- The route: one row for each leg between two dated markers that follow each other, past ones by date, then planned
-- ones. Each write of a marker rebuilds it in the same transaction. An index finds a leg by its small box, where the box
-- of a whole route would cover half the country; and each leg has its own dates.
CREATE TABLE journey_legs (
    journey_id uuid             NOT NULL REFERENCES journeys (id) ON DELETE CASCADE,
    seq        integer          NOT NULL, -- from 1
    kind       text             NOT NULL, -- past, plan, or transition from the last past marker to the first planned one
    dates      daterange        NOT NULL,
    line       geography(LineString, 4326) NOT NULL,
    shown_line geography(LineString, 4326) NOT NULL,
    start_m    double precision NOT NULL, -- metres of route before this leg, on the spheroid
    length_m   double precision NOT NULL,
    PRIMARY KEY (journey_id, seq),
    CONSTRAINT journey_legs_kind_known CHECK (kind IN ('past', 'plan', 'transition'))
);
CREATE INDEX journey_legs_shown_line_idx ON journey_legs USING gist (shown_line);

-- Erasing a person keeps the row in users, so no foreign key deletes their journeys; this trigger does.
-- +goose StatementBegin
CREATE FUNCTION forget_journeys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM journeys WHERE user_id = NEW.id;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER users_erased_forget_journeys AFTER UPDATE OF deleted_at ON users
    FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION forget_journeys();

GRANT SELECT, INSERT, UPDATE, DELETE ON journeys, markers, journey_legs TO lafaek_app;
