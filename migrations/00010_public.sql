-- +goose Up

-- For boxes and tiles of the public map, which are in planar degrees.
CREATE INDEX reports_public_point_idx ON reports USING gist ((ST_SetSRID(ST_MakePoint(longitude, latitude), 4326)))
    WHERE deleted_at IS NULL AND status <> 'rejected';
