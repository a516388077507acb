-- +goose Up
SET LOCAL lock_timeout = '5s';

-- An erasure empties the translated words of the AI with the others.
GRANT UPDATE (translations) ON ai_analyses TO lafaek_app;
