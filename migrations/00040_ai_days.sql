-- +goose Up

-- Pictures that the AI looked at, by day (UTC) and author of the report. The account 00000000-... counts all of them.
-- relay deletes both tables' rows after three days.
CREATE TABLE IF NOT EXISTS ai_days (
    day      date    NOT NULL,
    account  uuid    NOT NULL,
    pictures integer NOT NULL,
    PRIMARY KEY (day, account)
) WITH (fillfactor = 50);

-- Pictures that were counted on a day, so that a picture whose message is delivered again counts once.
CREATE TABLE IF NOT EXISTS ai_pictures (
    day      date NOT NULL,
    image_id uuid NOT NULL,
    PRIMARY KEY (day, image_id)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON ai_days, ai_pictures TO lafaek_app;
