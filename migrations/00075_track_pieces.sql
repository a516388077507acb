-- +goose Up

-- How many legs and stretches a track has. Their sums bound those of a journey.
ALTER TABLE tracks
    ADD COLUMN legs      integer NOT NULL DEFAULT 0,
    ADD COLUMN stretches integer NOT NULL DEFAULT 0;
