-- +goose Up

-- What an earlier version wrote to the ledger stays readable: its submissions, their transactions, and which events they had.
-- No function writes these tables any more; checkpoints go to the ledger by log_messages.
REVOKE INSERT, UPDATE ON ledger_submissions, ledger_anchors FROM lafaek_app;
REVOKE INSERT ON ledger_transactions FROM lafaek_app;
REVOKE UPDATE (outcome) ON ledger_transactions FROM lafaek_app;
DROP INDEX ledger_anchors_waiting_idx, ledger_anchors_unclaimed_idx, ledger_submissions_open_idx, ledger_submissions_unconfirmed_idx;
COMMENT ON TABLE ledger_submissions IS 'Messages to the ledger of an earlier version; read only';
COMMENT ON TABLE ledger_transactions IS 'Their signed transactions; read only';
COMMENT ON TABLE ledger_anchors IS 'The events of an earlier version and their submissions; read only';

-- The topic that an event of an earlier version was sent to. Later events have none.
ALTER TABLE ledger_events ALTER COLUMN topic DROP NOT NULL;

-- Messages whose reports do not show their state yet: the anchor worker asks for them in each round.
CREATE INDEX log_messages_unshown_idx ON log_messages (id) WHERE shown < size;
