-- +goose Up

-- The boundary within 0.0005 degrees, which is about 50 m: for answers with many areas. Making it takes tens of milliseconds for a
-- large area. Each area is simplified alone, so neighbours may overlap or leave gaps of that width.
ALTER TABLE boundaries ADD COLUMN outline geometry(MultiPolygon, 4326)
    GENERATED ALWAYS AS (ST_Multi(ST_SimplifyPreserveTopology(area, 0.0005))) STORED;
