-- +goose Up

-- Tokens of all model calls by calendar month (UTC). Checking the budget reads one row instead of all calls.
CREATE TABLE ai_usage (
    month         date PRIMARY KEY,
    input_tokens  bigint NOT NULL DEFAULT 0,
    output_tokens bigint NOT NULL DEFAULT 0,
    CONSTRAINT ai_usage_first_of_month CHECK (extract(day FROM month) = 1)
);
-- Finds an earlier answer to the same question, so that the model is not paid for it again.
CREATE INDEX ai_analyses_image_idx ON ai_analyses (image_id, stage, created_at DESC) WHERE status <> 'failed';

GRANT SELECT, INSERT, UPDATE ON ai_usage TO lafaek_app;
