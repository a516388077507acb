-- +goose Up

-- log_index is the order of the events, and checkpoints go to one topic. The archive keeps position and topic of the events of
-- an earlier version (ledger_anchors).
ALTER TABLE ledger_events DROP COLUMN position, DROP COLUMN topic;
