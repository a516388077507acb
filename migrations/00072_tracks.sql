-- +goose Up

-- Others see a recorded track from the point where it first leaves this distance around its start, and to the point where
-- it last enters that distance around its end. 0 shows all of it.
ALTER TABLE journeys ADD COLUMN hide_ends_m integer NOT NULL DEFAULT 500
    CONSTRAINT journeys_hidden_ends_in_range CHECK (hide_ends_m BETWEEN 0 AND 2000);

-- A line of a file that was imported. If a journey has tracks, they are its route; without any, its dated markers are.
CREATE TABLE tracks (
    id             uuid PRIMARY KEY,
    journey_id     uuid             NOT NULL REFERENCES journeys (id) ON DELETE CASCADE,
    name           text             NOT NULL DEFAULT '',
    kind           text             NOT NULL,
    as_route       boolean          NOT NULL, -- written as a route (rte) in GPX, not as a track (trk)
    content_hash   bytea            NOT NULL, -- SHA-256 of the points: the same track is kept once in a journey
    points         integer          NOT NULL,
    length_m       double precision NOT NULL, -- along all points, without the gaps between segments
    started_at     timestamptz,
    ended_at       timestamptz,
    utc_offset_s   integer,                   -- of the times in the file, seconds east of UTC; NULL when they were in UTC
    -- What others see: the numbers of the first and the last point, from 0. NULL when they see nothing of it.
    shown_from     integer,
    shown_to       integer,
    shown_length_m double precision NOT NULL DEFAULT 0,
    shown_started_at timestamptz,
    shown_ended_at   timestamptz,
    created_at     timestamptz      NOT NULL DEFAULT now(),
    CONSTRAINT tracks_content_key UNIQUE (journey_id, content_hash),
    CONSTRAINT tracks_name_bounded CHECK (char_length(name) <= 200),
    CONSTRAINT tracks_kind_known CHECK (kind IN ('recorded', 'planned')),
    CONSTRAINT tracks_hash_whole CHECK (octet_length(content_hash) = 32),
    CONSTRAINT tracks_points_bounded CHECK (points BETWEEN 2 AND 200000),
    CONSTRAINT tracks_shown_inside CHECK ((shown_from IS NULL) = (shown_to IS NULL) AND shown_from >= 0 AND shown_from <= shown_to AND shown_to < points)
);

-- The points of a track as they were imported, up to 1,000 a row. The arrays have equal lengths; elevations and times are
-- NULL when no point of the row has one.
CREATE TABLE track_points (
    track_id   uuid      NOT NULL REFERENCES tracks (id) ON DELETE CASCADE,
    seq        integer   NOT NULL, -- from 0, in riding order
    segment    integer   NOT NULL, -- from 0; the recording was interrupted between two segments
    lons       integer[] NOT NULL, -- ten-millionths of a degree, WGS 84
    lats       integer[] NOT NULL,
    elevations real[],             -- metres
    times      bigint[],           -- milliseconds since 1970
    PRIMARY KEY (track_id, seq)
);

-- The tracks for reading and searching: pieces of at most 5 km, simplified so that no point of the track is more than 10 m
-- from them. No piece crosses the gap between two segments.
CREATE TABLE track_legs (
    track_id   uuid             NOT NULL REFERENCES tracks (id) ON DELETE CASCADE,
    seq        integer          NOT NULL, -- from 0
    journey_id uuid             NOT NULL,
    planned    boolean          NOT NULL,
    segment    integer          NOT NULL,
    dates      daterange,                 -- days of its points; NULL when none has a time
    line       geography(LineString, 4326) NOT NULL,
    shown_line geography(LineString, 4326), -- what others see of it; NULL when nothing
    start_m    double precision NOT NULL, -- metres of track before this leg
    length_m   double precision NOT NULL,
    PRIMARY KEY (track_id, seq)
);
CREATE INDEX track_legs_planned_shown_line_idx ON track_legs USING gist (shown_line) WHERE planned;

-- The tracks for the search for riders nearby: longer pieces, simplified to 100 m.
CREATE TABLE track_stretches (
    track_id   uuid    NOT NULL REFERENCES tracks (id) ON DELETE CASCADE,
    seq        integer NOT NULL, -- from 0
    journey_id uuid    NOT NULL,
    dates      daterange,
    line       geography(LineString, 4326) NOT NULL,
    shown_line geography(LineString, 4326),
    PRIMARY KEY (track_id, seq)
);
CREATE INDEX track_stretches_journey_idx ON track_stretches (journey_id);
CREATE INDEX track_stretches_shown_line_idx ON track_stretches USING gist (shown_line);

GRANT SELECT, INSERT, UPDATE, DELETE ON tracks, track_points, track_legs, track_stretches TO lafaek_app;
