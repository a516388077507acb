-- +goose Up

-- What the events of a report also vouch for.

-- How a report came in. Reports of an earlier version came by the app.
ALTER TABLE reports
    ADD COLUMN source text NOT NULL DEFAULT 'app',
    ADD CONSTRAINT reports_source_known CHECK (source IN ('app', 'web', 'assisted', 'open311', 'import'));

-- SHA-256 of the small rendition; NULL for a picture that an earlier version processed.
ALTER TABLE uploads ADD COLUMN thumbnail_sha256 bytea;
