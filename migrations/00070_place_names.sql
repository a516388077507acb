-- +goose Up

-- Names of small places, each at a point, as an operator imports them. The order of the ids is that of the file: where there
-- is room for some names only, the first ones are shown.
CREATE TABLE place_names (
    id                uuid PRIMARY KEY,
    name              text NOT NULL,
    municipality_code text REFERENCES municipalities,
    place             geometry(Point, 4326) NOT NULL,
    CONSTRAINT place_names_name_length CHECK (char_length(name) BETWEEN 1 AND 200)
);
CREATE INDEX place_names_place_idx ON place_names USING gist (place);
CREATE INDEX place_names_name_idx ON place_names USING gin (fold_name(name) gin_trgm_ops);
GRANT SELECT ON place_names TO lafaek_app;

-- Where the name of a boundary is written: a point inside of it. Finding one takes some milliseconds for a large area, and
-- every tile would do it.
ALTER TABLE boundaries ADD COLUMN label geometry(Point, 4326) GENERATED ALWAYS AS (ST_PointOnSurface(area)) STORED;
CREATE INDEX boundaries_label_idx ON boundaries USING gist (label);
CREATE INDEX boundaries_name_idx ON boundaries USING gin (fold_name(name) gin_trgm_ops);
