-- +goose Up

-- The boundary within 0.0005 degrees, which is about 50 m: for answers with many areas. Making it takes tens of milliseconds for a
-- large area. Each area is simplified alone, so neighbours may overlap or leave gaps of that width. A file with coordinates that are no
-- degrees is refused; for them PostGIS would not come to an end.
ALTER TABLE boundaries ADD COLUMN outline geometry(MultiPolygon, 4326) GENERATED ALWAYS AS (
    CASE WHEN ST_XMin(area) >= -180 AND ST_XMax(area) <= 180 AND ST_YMin(area) >= -90 AND ST_YMax(area) <= 90
         THEN ST_Multi(ST_SimplifyPreserveTopology(area, 0.0005)) END) STORED;
