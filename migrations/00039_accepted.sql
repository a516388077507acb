-- +goose Up

-- A repeated client_id may bring other content than the first request: a correction, or a picture that is sent again. What
-- was accepted under it before, first or later, counts as the same content. So the later versions are kept, as hashes.
--
-- The columns have no default, so no row is rewritten. The lock is ACCESS EXCLUSIVE, for a moment. Functions of the version
-- before do not know the columns; a report that they create has NULL, and its first content is known by content_hash alone.
SET LOCAL lock_timeout = '5s';
ALTER TABLE reports
    ADD COLUMN IF NOT EXISTS accepted_hashes bytea[], -- of type, words and place of each version, oldest first; at most 50
    ADD COLUMN IF NOT EXISTS dropped_uploads uuid[];  -- pictures that a request named and the report could not take; at most 20

COMMENT ON COLUMN reports.content_hash IS 'SHA-256 of the first request: type, words, place, address, severity, anonymity';
COMMENT ON COLUMN reports.accepted_hashes IS 'SHA-256 of type, words and place of each accepted request with this client_id, oldest first; at most 50. NULL in reports of versions before December 2026';
COMMENT ON COLUMN reports.dropped_uploads IS 'Uploads that a request named and the report could not take; a retry that names them again is no conflict';
