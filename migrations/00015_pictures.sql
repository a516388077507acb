-- +goose Up

-- Pictures that look like an earlier one. Staff are told; the picture is not refused. distance is the number of bits in
-- which the perceptual hashes differ; same_file says that the originals have the same SHA-256.
CREATE TABLE picture_matches (
    upload_id  uuid        NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    earlier_id uuid        NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    same_file  boolean     NOT NULL,
    distance   smallint    NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (upload_id, earlier_id),
    CONSTRAINT picture_matches_not_itself CHECK (upload_id <> earlier_id)
);
CREATE INDEX picture_matches_earlier_idx ON picture_matches (earlier_id);

-- Two hashes that differ in at most 3 bits have at least one of four 16-bit parts in common, so an index finds them.
CREATE INDEX uploads_perceptual_part_1_idx ON uploads ((perceptual_hash >> 48 & 65535)) WHERE perceptual_hash IS NOT NULL;
CREATE INDEX uploads_perceptual_part_2_idx ON uploads ((perceptual_hash >> 32 & 65535)) WHERE perceptual_hash IS NOT NULL;
CREATE INDEX uploads_perceptual_part_3_idx ON uploads ((perceptual_hash >> 16 & 65535)) WHERE perceptual_hash IS NOT NULL;
CREATE INDEX uploads_perceptual_part_4_idx ON uploads ((perceptual_hash & 65535)) WHERE perceptual_hash IS NOT NULL;

-- What the data in a picture says about its report, for staff only. It can be forged, so it proves nothing.
CREATE VIEW report_image_signals AS
SELECT i.report_id, i.id AS image_id,
       -- metres between where the camera says it was and where the report says the problem is
       ST_Distance(ST_SetSRID(ST_MakePoint(u.exif_longitude, u.exif_latitude), 4326)::geography, r.position) AS camera_distance_meters,
       coalesce(r.captured_at, r.created_at) - u.exif_taken_at AS camera_age,
       (SELECT count(*) FROM picture_matches m WHERE m.upload_id = i.upload_id)::integer AS matches
FROM report_images i
JOIN reports r ON r.id = i.report_id
JOIN uploads u ON u.id = i.upload_id
WHERE i.deleted_at IS NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON picture_matches TO lafaek_app;
GRANT SELECT ON report_image_signals TO lafaek_app;
