-- +goose Up
SET LOCAL lock_timeout = '5s';

-- unreachable: a picture that was to be fetched from an address, and is not there, or not at an address that may be called. Until it is
-- fetched, its type is not known: application/octet-stream.
ALTER TABLE uploads
    DROP CONSTRAINT uploads_content_type_known,
    DROP CONSTRAINT uploads_refusal_known,
    ADD CONSTRAINT uploads_content_type_known CHECK (content_type IN ('image/jpeg', 'image/png', 'image/webp', 'application/octet-stream')) NOT VALID,
    ADD CONSTRAINT uploads_refusal_known CHECK (refusal IN
        ('not_a_picture', 'broken', 'too_large', 'extra_data', 'not_as_declared', 'unreachable')) NOT VALID;
ALTER TABLE uploads
    VALIDATE CONSTRAINT uploads_content_type_known,
    VALIDATE CONSTRAINT uploads_refusal_known;
