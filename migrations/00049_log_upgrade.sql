-- +goose Up

-- How far the reports of the first version are brought into the public log (functions/migrate/upgrade).
CREATE TABLE log_upgrade (
    id          boolean PRIMARY KEY DEFAULT true,
    after       uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000', -- the last report that is done; they are done in the order of their ids
    finished_at timestamptz,                                                  -- NULL while reports are left
    CONSTRAINT log_upgrade_one_row CHECK (id)
);
INSERT INTO log_upgrade (finished_at) SELECT CASE WHEN EXISTS (SELECT FROM reports) THEN NULL ELSE now() END;
