-- +goose Up
SET LOCAL lock_timeout = '5s';

-- An update that changes no indexed column, such as blockchain_status after each event, stays on its page if there is room
-- (HOT). Otherwise it writes to more than twenty indexes. Pages that are filled from now on leave a tenth free for that.
-- Of ten million reports the default would wait for two million changed rows before it cleans up: the table and its indexes
-- grow meanwhile. New rows are marked as visible earlier too, which index-only scans need.
ALTER TABLE reports SET (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02,
    autovacuum_vacuum_insert_scale_factor = 0.05);
